"""The wall display: what has a place on it, and what it says."""

from datetime import timedelta
from typing import Any

import pytest

from components.outlet import drawing
from components.sparkline import summarise
from components.wall import (
    MOST_SHOWN,
    MOST_SQUARES,
    MOST_WITH_SQUARES,
    Shown,
    choose,
    has_large,
    wall_alarm,
    wall_head,
    wall_large,
    wall_rate,
    wall_tiles,
)
from services.alarms.types import AlarmCounts, AlarmKind, AlarmView, Guidance, Priority
from services.run_control.session_types import RunInfo
from tests.unit.components.samples import NOW, bucket, executing, node, session
from tests.unit.components.trees import attribute, classes, drawn_elements, having, text

RUN = RunInfo(number=31427, type="PROD", storage_disabled=False)
TREE = (
    node("root-controller"),
    node("root-controller/df-controller"),
    node("root-controller/df-controller/df-03", in_error=True),
    node("root-controller/df-controller/df-04", included=False),
)
GUIDANCE = Guidance("It has died.", "Read its log.", "DAQ expert: 16 5214")


def alarm(**changes: Any) -> AlarmView:
    sample: dict[str, Any] = {
        "id": 3,
        "key": "process:x",
        "kind": AlarmKind.PROCESS,
        "priority": Priority.MEDIUM,
        "session": "local-2x3-config",
        "subject": "df-03",
        "text": "The process ended.",
        "occurrences": 1,
        "raised_at": NOW,
        "last_at": NOW,
        "message_id": None,
        "cleared_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "ended_at": None,
    }
    return AlarmView(**sample | changes)


def shown(**changes: Any) -> Shown:
    return Shown(session(**changes), TREE)


def test_a_session_with_a_run_has_the_first_place() -> None:
    known = [session(name="a"), session(name="b", run=RUN), session(name="c")]
    assert [one.name for one in choose(known)] == ["b", "a", "c"]


@pytest.mark.parametrize(
    "need", [{"run": RUN}, {"in_error": True}, {"nodes_in_error": 1}, {"error": "gone"}, {"processes_dead": 1}]
)
def test_where_there_are_too_many_what_is_abnormal_keeps_its_place(need: dict[str, Any]) -> None:
    known = [session(name=f"s{number:02}") for number in range(MOST_SHOWN + 5)] + [session(name="z", **need)]
    names = [one.name for one in choose(known)]
    assert len(names) == MOST_SHOWN
    assert "z" in names
    assert names[1:-1] == sorted(names[1:-1])
    assert f"{MOST_SHOWN} shown" in text(wall_head(known))


def test_the_head_sums_up_all_sessions() -> None:
    calm = wall_head([session(), session(name="b")])
    assert "2 sessions 32 processes" in text(calm)
    assert "dead" not in text(calm)
    assert "1 dead" in text(wall_head([session(processes_dead=2, processes_ended=1)]))


def test_the_age_is_that_of_the_oldest_state_and_follows_its_source() -> None:
    late = session(name="late", polled_at=NOW - timedelta(seconds=9))
    (age,) = having(wall_head([session(), late, session(name="new", polled_at=None)]), "age")
    assert attribute(age, "data-polled") == "session:late"
    assert attribute(age, "data-stale-after-s") == "3"
    assert "no data yet" in text(wall_head([]))


def test_the_large_place_tells_run_state_and_tree() -> None:
    drawn = wall_large(shown(run=RUN))
    said = text(drawn)
    assert "PROD · storage on" in said
    assert "Run 31427 State running" in said
    assert "2 of 3 running , 1 in error , 1 excluded" in said
    assert "df-03 in error" in said
    assert "Run none" in text(wall_large(shown()))


def test_an_old_state_is_marked_as_on_every_page() -> None:
    (word,) = having(wall_large(shown()), "stale-value")
    assert attribute(word, "data-polled") == "session:local-2x3-config"
    assert "not reachable" in text(wall_large(shown(state=None, error="refused")))


def test_a_transition_in_progress_counts_who_has_left() -> None:
    drawn = wall_tiles([shown(state="initial", executing=executing())])
    assert "conf in progress," in text(drawn)
    assert "have left initial" in text(drawn)


def test_long_words_are_written_smaller() -> None:
    assert "wall-long" in classes(wall_large(shown(state="trigger_sources_stopped")))
    assert "wall-long" not in classes(wall_large(shown()))


@pytest.mark.parametrize(("number", "columns"), [(1, "1"), (2, "1"), (4, "2"), (6, "3"), (9, "3"), (20, "5")])
def test_the_grid_has_as_many_columns_as_make_its_places_largest(number: int, columns: str) -> None:
    tiles = wall_tiles([shown(name=f"s{one}") for one in range(number)])
    assert tiles is not None
    assert attribute(tiles, "style") == {"--columns": columns}
    assert len(having(tiles, "wall-tile")) == number
    assert ("wall-many" in classes(tiles)) == (number > MOST_WITH_SQUARES)


def test_without_room_for_squares_the_names_of_what_is_in_error_stay() -> None:
    many = wall_tiles([shown(name=f"s{one}") for one in range(MOST_WITH_SQUARES + 1)])
    assert having(many, "health-strip") == []
    assert text(having(many, "wall-names")[0]) == "df-03 in error"
    nodes = [
        node("root-controller"),
        *(node(f"root-controller/n{one}", in_error=one < 5) for one in range(MOST_SQUARES)),
    ]
    (large,) = having(wall_large(Shown(session(), nodes)), "wall-names")
    assert text(large) == "n0, n1, n2 and 2 more in error"


def test_up_to_three_sessions_one_is_large() -> None:
    assert [has_large(number) for number in range(5)] == [False, True, True, True, False]
    assert wall_tiles([]) is None


def test_the_rate_is_said_in_words_too() -> None:
    now = NOW.replace(microsecond=0)
    drawn = wall_rate(summarise([bucket(now - timedelta(seconds=5), 0, 0, 10)], now - timedelta(minutes=5), now), "a")
    assert "2.0 /s" in text(drawn)
    assert attribute(having(drawn, "spark")[0], "aria-label") == "a: 10 messages in 5 minutes"


def test_the_most_urgent_alarm_with_what_to_do_and_whom_to_call() -> None:
    drawn = wall_alarm(alarm(), GUIDANCE, AlarmCounts({Priority.MEDIUM: 2, Priority.LOW: 3}))
    said = text(drawn)
    assert "df-03: The process ended." in said
    assert "local-2x3-config. Read its log." in said
    assert "DAQ expert: 16 5214" in said
    assert said.endswith("2 medium 3 low")
    assert "wall-alarm-medium" in classes(drawn)


@pytest.mark.parametrize(
    ("priority", "look"),
    [(Priority.HIGH, "wall-alarm-high"), (Priority.LOW, "wall-alarm-low")],
)
def test_the_band_looks_as_urgent_as_its_alarm(priority: Priority, look: str) -> None:
    drawn = wall_alarm(alarm(priority=priority, session=""), Guidance("", ""), AlarmCounts({priority: 1}))
    assert look in classes(drawn)
    assert having(drawn, "wall-contact") == []


def test_no_alarm_is_said_too() -> None:
    quiet = wall_alarm(None, None, AlarmCounts({}, acknowledged=2, shelved=1))
    assert text(quiet) == "No alarm waits for anybody · 2 acknowledged · 1 shelved"


def test_there_is_nothing_to_click() -> None:
    everything = [
        *wall_head([session(processes_dead=1)]),
        *wall_large(shown(run=RUN, processes_dead=1)),
        wall_tiles([shown(processes_dead=1), shown(name="b", state=None, error="refused")]),
        wall_alarm(alarm(), GUIDANCE, AlarmCounts({Priority.MEDIUM: 1})),
    ]
    tags = {tag for part in everything for tag, _attributes in drawn_elements(drawing(part))}
    assert not tags & {"a", "button", "input", "select", "summary", "textarea"}
    assert "section" in tags
