"""The state machine of contract 12, and the keys of describe_fsm (10.4)."""

import pytest

from simulator import g1
from simulator.flags import ArgumentType
from simulator.fsm import FSM_CONF_TEST, FSM_NO_ACTION, Value, destination_of, packed_value
from simulator.g1 import DruncError

ALL = (
    "conf",
    "start",
    "enable_triggers",
    "disable_triggers",
    "drain_dataflow",
    "stop_trigger_sources",
    "stop",
    "scrap",
    "change_rate",
)


@pytest.mark.parametrize(
    ("key", "state", "expected"),
    [
        ("", "initial", ("conf",)),
        ("", "configured", ("start", "scrap")),
        ("", "ready", ("enable_triggers", "drain_dataflow", "change_rate")),
        ("", "running", ("disable_triggers", "change_rate")),
        ("", "dataflow_drained", ("stop_trigger_sources",)),
        ("", "trigger_sources_stopped", ("stop",)),
        ("", "paused", ()),
        ("all-transitions", "initial", ALL),
        ("start", "initial", ("start",)),
        ("ready", "initial", ("enable_triggers", "drain_dataflow")),
        ("ready|running", "initial", ("change_rate",)),
        ("nonsense", "initial", ()),
    ],
)
def test_keys(key: str, state: str, expected: tuple[str, ...]) -> None:
    assert tuple(t.name for t in FSM_CONF_TEST.select(key, state)) == expected


def test_a_run_ends_where_it_began() -> None:
    state = "initial"
    for transition in ALL[:8]:
        assert transition in [t.name for t in FSM_CONF_TEST.select("", state)]
        state = destination_of(transition, state)
    assert state == "initial"
    assert destination_of("change_rate", "running") == "running"


def test_unknown_transition_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        FSM_CONF_TEST.find("go")


def test_arguments_of_the_root_and_none_of_the_segments() -> None:
    start = FSM_CONF_TEST.described(FSM_CONF_TEST.find("start"))
    assert [(a.name, a.presence, a.type) for a in start.arguments] == [
        ("run_number", 0, 0),
        ("disable_data_storage", 1, 3),
        ("trigger_rate", 1, 1),
        ("run_type", 1, 2),
        ("file_logbook_post", 1, 2),
    ]
    assert not start.arguments[0].HasField("default_value")
    assert start.arguments[3].default_value.value == b"\x0a\x04TEST"
    assert start.arguments[1].default_value.value == b""
    assert not FSM_NO_ACTION.described(FSM_NO_ACTION.find("start")).arguments


def test_defaults_fill_what_was_not_sent_and_extras_are_ignored() -> None:
    given = {
        "run_number": packed_value(ArgumentType.INT, 7),
        "trigger_rate": packed_value(ArgumentType.FLOAT, 0.5),
        "colour": packed_value(ArgumentType.STRING, "red"),
    }
    assert FSM_CONF_TEST.resolve("start", given) == {
        "run_number": 7,
        "disable_data_storage": False,
        "trigger_rate": 0.5,
        "run_type": "TEST",
        "file_logbook_post": "",
    }


def test_missing_mandatory_argument_names_it() -> None:
    with pytest.raises(DruncError) as caught:
        FSM_CONF_TEST.resolve("start", {})
    assert str(caught.value) == 'The mandatory argument "run_number" was not provided to the transition '


def test_wrong_type_is_refused() -> None:
    with pytest.raises(DruncError, match="run_number"):
        FSM_CONF_TEST.resolve("start", {"run_number": packed_value(ArgumentType.STRING, "7")})


@pytest.mark.parametrize("run_type", ["prod", "TEST"])
def test_run_number_action_feeds_the_children(run_type: str) -> None:
    values = FSM_CONF_TEST.resolve("start", {"run_number": packed_value(ArgumentType.INT, 7)}) | {"run_type": run_type}
    assert FSM_CONF_TEST.prepare("start", values) == {
        "run": 7,
        "production_vs_test": run_type.upper(),
        "disable_data_storage": False,
        "trigger_rate": 0.0,
    }


@pytest.mark.parametrize("run_type", ["", "COSMICS"])
def test_bad_run_type_is_refused(run_type: str) -> None:
    values: dict[str, Value] = {
        "run_number": 1,
        "disable_data_storage": False,
        "trigger_rate": 0.0,
        "run_type": run_type,
    }
    with pytest.raises(DruncError):
        FSM_CONF_TEST.prepare("start", values)


def test_stack_traces_end_in_the_useful_line() -> None:
    lines = g1.stacktrace(DruncError("no")).text
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["drunc.exceptions.DruncCommandException: no", ""]
    assert g1.last_line(KeyError("abc")) == "KeyError: 'abc'"
