import pytest

from services.run_control import fsm

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


def test_a_run_up_and_down_comes_back_to_where_it_began() -> None:
    state: str | None = "initial"
    passed = []
    for transition in (
        "conf",
        "start",
        "enable_triggers",
        "change_rate",
        "disable_triggers",
        "drain_dataflow",
        "stop_trigger_sources",
        "stop",
        "scrap",
    ):
        assert state in fsm.sources(transition)
        state = fsm.destination(transition, state)
        passed.append(state)
    assert state == "initial"
    assert set(passed) == set(fsm.STATES)


def test_only_what_the_server_lists_is_drawn() -> None:
    drawn = fsm.edges(["scrap", "conf", "master_send_fl_command"])
    assert [edge.transition for edge in drawn] == ["conf", "scrap"]


def test_what_the_graph_does_not_know_is_told_apart_in_the_servers_order() -> None:
    assert fsm.unplaced(["zap", *ALL, "master_send_fl_command"]) == ("zap", "master_send_fl_command")
    assert fsm.unplaced(ALL) == ()


def test_a_loop_leaves_the_state_and_starts_from_two() -> None:
    assert fsm.sources("change_rate") == ("ready", "running")
    assert fsm.destination("change_rate", "running") == "running"
    assert fsm.destination("change_rate", "ready") == "ready"
    assert fsm.destination("change_rate", "initial") is None
    assert all(edge.is_loop for edge in fsm.EDGES if edge.transition == "change_rate")


def test_a_destination_is_known_from_elsewhere_too() -> None:
    assert fsm.destination("start", "running") == "ready"
    assert fsm.destination("zap", "ready") is None


@pytest.mark.parametrize(
    ("sub_state", "transition"),
    [
        ("preparing-conf", "conf"),
        ("conf-ready", "conf"),
        ("propagating-enable_triggers", "enable_triggers"),
        ("stop_trigger_sources-propagated", "stop_trigger_sources"),
        ("executing-stop", "stop"),
        ("start-terminated", "start"),
        ("finalising-scrap", "scrap"),
        ("ready", None),
        ("idle", None),
        ("executing_cmd", None),
        (None, None),
    ],
)
def test_a_sub_state_tells_its_transition(sub_state: str | None, transition: str | None) -> None:
    assert fsm.transition_of(sub_state) == transition


def test_every_known_transition_says_what_it_does() -> None:
    assert set(fsm.EFFECTS) == {edge.transition for edge in fsm.EDGES} == set(ALL)
