from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from components.command_result import command_list, command_result, command_title
from services.run_control.types import Action, CommandState, CommandView, NodeResult
from tests.unit.components.reading import attribute, with_class, words

SENT = datetime(2026, 11, 20, 3, 12, 37, 512_000, tzinfo=UTC)
GOOD = NodeResult("root-controller", "root-controller", True, "EXECUTED_SUCCESSFULLY", "FSM_EXECUTED_SUCCESSFULLY")
BAD = NodeResult(
    "root-controller/df-03",
    "df-03",
    False,
    "EXECUTED_SUCCESSFULLY",
    "FSM_FAILED",
    "<b>no such directory</b>",
    "Traceback",
)
COMMAND = CommandView(
    id=7,
    request_id="r",
    action=Action.EXECUTE_TRANSITION,
    session="s",
    target="root-controller",
    arguments={"run_number": 5, "disable_data_storage": False},
    user_name="alice",
    created_at=SENT,
    claimed_at=SENT,
    finished_at=SENT + timedelta(seconds=2.41),
    state=CommandState.FAILED,
    text="1 of 2 nodes failed.",
    nodes=(GOOD, BAD),
    transition="start",
)


def test_failed_nodes_come_first_and_are_named_in_the_head() -> None:
    shown = command_result(COMMAND)
    assert [words(name) for name in with_class(shown, "command-node-name")] == ["df-03", "root-controller"]
    assert "start failed: df-03" in words(with_class(shown, "command-head"))


def test_who_when_how_long_and_with_what() -> None:
    said = words(with_class(command_result(COMMAND), "command-by"))
    assert said == "by alice , 03:12:37.512 , took 2.41 s, 2 nodes, run_number 5, disable_data_storage false"


def test_both_flags_are_given_where_a_node_failed() -> None:
    failed = with_class(command_result(COMMAND), "is-failed")[-1]
    assert "EXECUTED_SUCCESSFULLY FSM_FAILED" in words(failed)


def test_text_from_outside_stays_text() -> None:
    assert "<b>no such directory</b>" in words(command_result(COMMAND))


def test_the_stack_stays_behind_a_disclosure() -> None:
    stack = with_class(command_result(COMMAND), "command-stack")[0]
    assert attribute(stack.children, "open") is None
    assert words(stack) == "What drunc sent with it Traceback"


def test_only_what_went_well_is_closed() -> None:
    good = replace(COMMAND, state=CommandState.SUCCEEDED, nodes=(GOOD,))
    assert [attribute(shown, "open") for shown in command_list([good, COMMAND])] == [False, True]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CommandState.PENDING, "waiting"),
        (CommandState.EXECUTING, "in progress"),
        (CommandState.UNKNOWN, "outcome unknown, not sent again"),
        (CommandState.SUCCEEDED, "done"),
    ],
)
def test_every_state_has_its_words(state: CommandState, said: str) -> None:
    assert said in words(with_class(command_result(replace(COMMAND, state=state, nodes=())), "command-head"))


def test_actions_without_a_transition_are_said_in_words() -> None:
    assert command_title(replace(COMMAND, action=Action.TAKE_CONTROL, transition=None)) == "take control"
    assert command_title(COMMAND) == "start"
