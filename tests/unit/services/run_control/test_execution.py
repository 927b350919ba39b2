"""One command: checked once more, sent once, judged by what is true afterwards."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from services.errors import (
    BrokenCallError,
    BusyError,
    ConsoleError,
    DruncError,
    NotReachableError,
    SchemaMismatchError,
    UnknownCallError,
)
from services.run_control.adapter import THIS_NODE, NodeStatus
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult
from services.run_control.execution import Order, Outcome, execute
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Transition
from services.run_control.node_types import Target
from tests.unit.services.run_control.unasked import UnaskedController

RATE = Transition("change_rate", (Argument("trigger_rate", ArgumentType.FLOAT, mandatory=True),))
ORDER = Order(1, "alice", "s", Action.EXECUTE_TRANSITION, "h:1", RATE, {"trigger_rate": 10**16})
STATUS = NodeStatus("root", "ready", "ready", in_error=False, included=True)
ROOT = NodeResult("root", "root", succeeded=True, flag="EXECUTED_SUCCESSFULLY")
CHILD = NodeResult("root/df", "df", succeeded=False, flag="UNHANDLED_EXCEPTION_THROWN", text="boom")
GOOD = CommandResult(succeeded=True, text="all well", nodes=(ROOT,))
FAILED = CommandResult(
    succeeded=False, text="some failed", nodes=(replace(ROOT, succeeded=False, flag="FAILED"), CHILD)
)


class FakeController(UnaskedController):
    """A controller whose holder, answers and faults the test sets."""

    def __init__(self, holder: str = "alice", result: CommandResult = GOOD) -> None:
        self.held_by = holder
        self.result = result
        self.next_holder: str | None = None
        self.read_error: ConsoleError | None = None
        self.write_error: ConsoleError | None = None
        self.sent: list[object] = []
        self.told = STATUS
        self.can = frozenset(Action)

    @property
    def actions(self) -> frozenset[Action]:
        return self.can

    def _read(self) -> None:
        if self.read_error:
            raise self.read_error

    def _write(self, what: object) -> CommandResult:
        self.sent.append(what)
        if self.write_error:
            raise self.write_error
        if self.next_holder is not None:
            self.held_by = self.next_holder
        return self.result

    def status(self, user: str) -> NodeStatus:
        self._read()
        return self.told

    def holder(self, user: str) -> str:
        self._read()
        return self.held_by

    def possible(self, user: str) -> tuple[str, ...]:
        self._read()
        return ("change_rate",)

    def take_control(self, user: str) -> CommandResult:
        return self._write("take")

    def release_control(self, user: str) -> CommandResult:
        return self._write("release")

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        return self._write((user, transition.name, dict(arguments)))


def test_a_transition_is_sent_once_with_the_declared_types() -> None:
    drunc = FakeController()
    outcome = execute(ORDER, drunc)
    assert (outcome.state, outcome.result) == (CommandState.SUCCEEDED, GOOD)
    assert drunc.sent == [("alice", "change_rate", {"trigger_rate": 1e16})]
    assert outcome.after is not None
    assert (outcome.after.status, outcome.after.holder) == (STATUS, "alice")


def assert_not_sent(drunc: FakeController, outcome: Outcome, words: str) -> None:
    assert drunc.sent == []
    assert outcome.state is CommandState.FAILED
    assert words in outcome.text
    assert "Nothing was sent" in outcome.text


def test_somebody_else_took_control_meanwhile() -> None:
    drunc = FakeController(holder="bob")
    assert_not_sent(drunc, execute(ORDER, drunc), "bob is in control")


def test_the_state_moved_on_meanwhile() -> None:
    drunc = FakeController()
    order = replace(ORDER, transition=Transition("conf"))
    assert_not_sent(drunc, execute(order, drunc), "conf is not possible any more; possible now: change_rate")


def test_the_transition_is_not_known_any_more() -> None:
    drunc = FakeController()
    assert execute(replace(ORDER, transition=None), drunc).state is CommandState.FAILED
    assert drunc.sent == []


def test_who_cannot_be_asked_is_not_sent_anything() -> None:
    drunc = FakeController()
    drunc.read_error = NotReachableError("h:1 is gone.")
    assert_not_sent(drunc, execute(ORDER, drunc), "h:1 is gone")


@pytest.mark.parametrize("error", [NotReachableError("gone"), BusyError("no answer"), SchemaMismatchError("bytes")])
def test_what_was_sent_and_not_answered_is_unknown(error: ConsoleError) -> None:
    drunc = FakeController()
    drunc.write_error = error
    outcome = execute(ORDER, drunc)
    assert outcome.state is CommandState.UNKNOWN
    assert len(drunc.sent) == 1
    assert error.message in outcome.text


def test_a_fault_of_druncs_is_a_failure() -> None:
    drunc = FakeController()
    drunc.write_error = DruncError("stack")
    assert execute(ORDER, drunc).state is CommandState.FAILED


def test_a_fault_keeps_its_stack_and_shows_its_last_line() -> None:
    drunc = FakeController()
    drunc.write_error = DruncError("root: drunc.Boom: no", stack="Traceback\ndrunc.Boom: no", node="root")
    outcome = execute(ORDER, drunc)
    assert (outcome.state, outcome.text) == (CommandState.FAILED, "root: drunc.Boom: no")
    assert outcome.result is not None
    (node,) = outcome.result.nodes
    assert (node.name, node.succeeded, node.detail) == ("root", False, "Traceback\ndrunc.Boom: no")


def test_a_call_that_the_server_does_not_know_was_not_executed() -> None:
    drunc = FakeController()
    drunc.write_error = UnknownCallError("h:1 does not know the call.")
    outcome = execute(ORDER, drunc)
    assert (outcome.state, outcome.text) == (
        CommandState.FAILED,
        "h:1 does not know the call. Nothing was executed.",
    )


def test_a_fault_outside_of_the_command_leaves_it_unknown_and_names_its_cause() -> None:
    drunc = FakeController()
    drunc.write_error = BrokenCallError("h:1 failed. Most likely Kafka.", next_step="Check Kafka.")
    outcome = execute(ORDER, drunc)
    assert outcome.state is CommandState.UNKNOWN
    assert outcome.text.endswith("Most likely Kafka. Check Kafka.")


STUCK = replace(STATUS, children=(NodeStatus("df", "ready", "preparing-start", in_error=False, included=True),))


@pytest.mark.parametrize(
    ("actions", "way_out"),
    [(frozenset(Action), "recompute its status, or boot it anew"), (frozenset[Action](), "until you boot it anew")],
)
def test_a_node_that_a_failed_action_left_between_two_states(actions: frozenset[Action], way_out: str) -> None:
    drunc = FakeController(result=FAILED)
    drunc.told, drunc.can = STUCK, actions
    text = execute(ORDER, drunc).text
    assert text.startswith("some failed Stuck in the middle of a transition: df (preparing-start).")
    assert way_out in text


def test_a_node_that_is_well_is_not_called_stuck() -> None:
    drunc = FakeController()
    drunc.told = STUCK
    assert execute(ORDER, drunc).text == "all well"
    drunc.result, drunc.told = FAILED, STATUS
    assert execute(ORDER, drunc).text == "some failed"


def test_a_failed_tree_is_a_failed_command() -> None:
    outcome = execute(ORDER, FakeController(result=FAILED))
    assert (outcome.state, outcome.text, outcome.result) == (CommandState.FAILED, "some failed", FAILED)


def test_control_that_some_children_did_not_follow() -> None:
    drunc = FakeController(holder="", result=FAILED)
    drunc.next_holder = "alice"
    outcome = execute(replace(ORDER, action=Action.TAKE_CONTROL), drunc)
    assert outcome.state is CommandState.SUCCEEDED
    assert outcome.text == "alice is in control of s. Not of: root/df."
    assert outcome.result is not None
    assert [node.succeeded for node in outcome.result.nodes] == [True, False]


def test_control_that_somebody_was_quicker_to_take() -> None:
    drunc = FakeController(holder="")
    drunc.next_holder = "bob"
    outcome = execute(replace(ORDER, action=Action.TAKE_CONTROL), drunc)
    assert outcome.state is CommandState.FAILED
    assert "bob is in control" in outcome.text


def test_release_is_believed_when_it_is_true_not_when_it_is_said() -> None:
    drunc = FakeController(result=FAILED)
    drunc.next_holder = ""
    order = replace(ORDER, action=Action.RELEASE_CONTROL)
    assert execute(order, drunc).state is CommandState.SUCCEEDED
    liar = FakeController(result=GOOD)
    assert execute(order, liar).state is CommandState.FAILED


def test_only_the_holder_can_release() -> None:
    drunc = FakeController(holder="bob")
    assert_not_sent(drunc, execute(replace(ORDER, action=Action.RELEASE_CONTROL), drunc), "bob")
