"""A controller that still waits for its children, and children that never come (contract 10.1, 10.3)."""

from collections.abc import Iterator

import pytest

from simulator.broadcast import Broadcaster
from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import FSM_NO_ACTION
from simulator.g1 import INITIAL_OWNER
from simulator.g3 import G3Dialect
from simulator.identity import Identity, Voices
from simulator.opmon import Monitor, OpMonLayout
from simulator.replies import Address, FsmResult, NodeStatus, Order, Reply
from simulator.rules import G3_RULES
from simulator.tree_children import MissingChild
from simulator.tree_controller import TreeController
from tests.simulated import RecordingPublisher


@pytest.fixture
def controller() -> Iterator[TreeController]:
    """A controller of G3 that has not found its children."""
    publisher = RecordingPublisher()
    broadcaster = Broadcaster(publisher, None, "cosmics", "df-controller")
    monitor = Monitor(publisher, OpMonLayout.OCTOBER_2024, "cosmics", "df-controller")
    identity = Identity("df-controller", "cosmics", "file", "local-1x1-config")
    made = TreeController(
        identity, FSM_NO_ACTION, Voices(broadcaster, monitor, lambda _text: None), G3Dialect(), G3_RULES
    )
    yield made
    made.stop()


def ask(controller: TreeController, rpc: str, **fields: str) -> Reply:
    order = Order(rpc, INITIAL_OWNER, Address(), **fields)  # type: ignore[arg-type]
    return controller.answer(rpc, INITIAL_OWNER, lambda: order)


def test_initialising_node_is_not_ready_for_transitions(controller: TreeController) -> None:
    status = ask(controller, "status").body
    assert isinstance(status, NodeStatus)
    assert status.state == "initialising"
    refused = ask(controller, "execute_fsm_command", transition="conf")
    assert refused.flag is ResponseFlag.NOT_EXECUTED_NOT_READY
    assert refused.body == FsmResult(FsmFlag.FSM_FAILED, "conf")
    controller.adopt([])
    assert ask(controller, "execute_fsm_command", transition="conf").body == FsmResult(
        FsmFlag.FSM_EXECUTED_SUCCESSFULLY, "conf"
    )


def test_missing_child_puts_its_parent_in_error(controller: TreeController) -> None:
    controller.adopt([MissingChild("df-01")])
    reply = ask(controller, "status")
    assert isinstance(reply.body, NodeStatus)
    assert (reply.body.state, reply.body.in_error) == ("initial", True)
    (missing,) = reply.children
    assert (missing.name, missing.flag) == ("df-01", ResponseFlag.DRUNC_EXCEPTION_THROWN)
