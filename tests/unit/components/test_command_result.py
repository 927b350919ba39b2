from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from components.command_result import command_list, command_result, command_title
from services.run_control.command_types import Action, CommandState, CommandView, NodeResult, SequenceStep, StepState
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
    assert [attribute(shown, "open") for shown in command_list([good, good], newest_open=True)] == [True, False]


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


@pytest.mark.parametrize("action", Action)
def test_every_action_is_said_in_words(action: Action) -> None:
    transition = "conf" if action in (Action.EXECUTE_TRANSITION, Action.EXECUTE_SEQUENCE) else None
    title = command_title(replace(COMMAND, action=action, transition=transition))
    assert "_" not in title
    assert title == "conf" if transition else title


def test_what_is_done_to_a_whole_session_names_it() -> None:
    ended = replace(COMMAND, action=Action.END_SESSION, transition=None, session="shift-7")
    assert command_title(ended) == "end session shift-7"


def test_what_is_done_to_a_node_names_it() -> None:
    assert command_title(replace(COMMAND, action=Action.EXCLUDE, target="root-controller/df-03")) == "exclude df-03"
    several = replace(COMMAND, action=Action.EXCLUDE, target="root-controller/df-03, root-controller/ru-01")
    assert command_title(several) == "exclude 2 nodes"


KILLED = NodeResult("s/df-01", "df-01", True, "DEAD", text="dead, exit code 143, not listed any more", detail="u-1")
ALIVE = NodeResult("s/df-02", "df-02", False, "RUNNING", text="running", detail="u-2")
KILL = replace(COMMAND, action=Action.KILL, transition=None, arguments={}, nodes=(KILLED, ALIVE))


def test_processes_have_their_uuid_and_no_flags_of_nodes() -> None:
    shown = command_result(KILL)
    assert [words(node) for node in with_class(shown, "command-node")] == [
        "df-02 running u-2",
        "df-01 dead, exit code 143, not listed any more u-1",
    ]
    assert with_class(shown, "command-stack") == []
    assert words(with_class(shown, "command-by")).endswith("2 processes")


def test_many_failures_are_a_count_in_the_head() -> None:
    many = replace(KILL, nodes=(KILLED, *(replace(ALIVE, name=f"df-{number}") for number in range(4))))
    assert "kill failed: 4 of 5" in words(with_class(command_result(many), "command-head"))


def test_a_reason_and_who_stops_it_stand_beside_who_asked() -> None:
    said = words(with_class(command_result(replace(COMMAND, reason="beam is off", aborted_by="bob")), "command-by"))
    assert "because: beam is off" in said
    assert said.endswith("to be stopped, asked by bob")


STEPS = (
    SequenceStep("conf", StepState.SUCCEEDED, "2 nodes answered", SENT, SENT + timedelta(seconds=1.5)),
    SequenceStep("start", StepState.EXECUTING, "", SENT),
    SequenceStep("enable_triggers"),
)
SEQUENCE = replace(
    COMMAND,
    action=Action.EXECUTE_SEQUENCE,
    transition="start_run",
    state=CommandState.EXECUTING,
    nodes=(),
    steps=STEPS,
)


def test_a_sequence_tells_how_far_it_is() -> None:
    shown = command_result(SEQUENCE)
    assert "start_run start, step 2 of 3" in words(with_class(shown, "command-head"))
    assert [words(step) for step in with_class(shown, "command-node")] == [
        "conf done, 1.5 s",
        "start in progress …",
        "enable_triggers not reached",
    ]


@pytest.mark.parametrize("state", StepState)
def test_every_state_of_a_step_has_words(state: StepState) -> None:
    shown = command_result(replace(SEQUENCE, steps=(SequenceStep("conf", state, "because"),)))
    said = words(with_class(shown, "command-node"))
    assert said.startswith("conf ")
    assert ("because" in said) is (state not in (StepState.SUCCEEDED, StepState.EXECUTING))


def test_the_step_at_which_a_sequence_failed_is_named() -> None:
    failed = replace(SEQUENCE, state=CommandState.FAILED, steps=(SequenceStep("conf", StepState.FAILED, "no"),))
    assert "failed: conf" in words(with_class(command_result(failed), "command-head"))
