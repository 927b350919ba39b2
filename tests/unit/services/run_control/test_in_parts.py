"""One command for several parts: each has its turn, and the whole is judged."""

import pytest

from services.run_control.adapter import NodeStatus
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult
from services.run_control.execution import Order, Outcome, RootState
from services.run_control.in_parts import execute_in_parts

ROOT, SEGMENT = "127.0.0.1:1", "127.0.0.1:2"
DONE, FAILED, UNKNOWN = CommandState.SUCCEEDED, CommandState.FAILED, CommandState.UNKNOWN


def part(node: str, address: str | None = None) -> dict[str, object]:
    return {"node": node, "path": "" if address else node, "address": address}


ORDER = Order(
    id=1,
    user="alice",
    session="s",
    action=Action.EXPERT_COMMAND,
    address=ROOT,
    transition=None,
    arguments={},
    payload={"parts": [part("root/df"), part("root/ru", SEGMENT)], "command": "{}"},
)


def answered(state: CommandState, name: str = "") -> Outcome:
    nodes = (NodeResult(f"root/{name}", name, state is DONE, "EXECUTED_SUCCESSFULLY"),) if name else ()
    result = CommandResult(state is DONE, "told", nodes) if name else None
    return Outcome(state, f"{name or 'it'} {state}", result)


def test_each_part_goes_to_its_own_address_with_all_that_the_order_holds() -> None:
    sent: list[Order] = []

    def send(order: Order) -> Outcome:
        sent.append(order)
        return answered(DONE, order.payload["node"])

    outcome = execute_in_parts(ORDER, send)
    assert [(order.address, order.payload["path"], order.payload["command"]) for order in sent] == [
        (ROOT, "root/df", "{}"),
        (SEGMENT, "", "{}"),
    ]
    assert (outcome.state, outcome.text) == (DONE, "2 of 2 parts of the tree done.")
    assert outcome.result is not None
    assert [node.name for node in outcome.result.nodes] == ["root/df", "root/ru"]


@pytest.mark.parametrize(
    ("states", "whole"), [((DONE, FAILED), FAILED), ((FAILED, UNKNOWN), UNKNOWN), ((UNKNOWN, DONE), UNKNOWN)]
)
def test_the_worst_part_decides_and_keeps_no_other_from_its_turn(
    states: tuple[CommandState, ...], whole: CommandState
) -> None:
    left = list(states)
    outcome = execute_in_parts(ORDER, lambda _order: answered(left.pop(0)))
    assert outcome.state is whole
    assert left == []
    # Nothing was answered: the part itself stands for what happened.
    assert outcome.result is not None
    assert [(node.path, node.succeeded) for node in outcome.result.nodes] == [
        ("root/df", states[0] is DONE),
        ("root/ru", states[1] is DONE),
    ]


def test_only_the_root_controller_tells_of_the_session() -> None:
    states = {
        ROOT: RootState(NodeStatus("root", "initial", "initial", in_error=False, included=True), "alice", ()),
        SEGMENT: RootState(NodeStatus("ru", "ready", "ready", in_error=True, included=False), "bob", ()),
    }
    outcome = execute_in_parts(ORDER, lambda order: Outcome(DONE, "", after=states[order.address]))
    assert outcome.after is states[ROOT]
