"""How alarms follow what calls for them: every path, and any order of events against a plain model."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alarms.changes import OVERFLOW_KEY, changes
from services.alarms.types import AlarmKind, AlarmState, AlarmView, Condition, Priority

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)


def condition(key: str, text: str = "it died", priority: Priority = Priority.MEDIUM, happened: int = 0) -> Condition:
    kind = AlarmKind.MESSAGE if happened else AlarmKind.PROCESS
    return Condition(key, kind, priority, "test-session", key, text, NOW, happened)


def alarm(
    number: int, key: str, *, cleared: bool = False, acknowledged: bool = False, kind: AlarmKind = AlarmKind.PROCESS
) -> AlarmView:
    later = NOW + timedelta(seconds=5)
    return AlarmView(
        id=number,
        key=key,
        kind=kind,
        priority=Priority.MEDIUM,
        session="test-session",
        subject=key,
        text="it died",
        occurrences=1,
        raised_at=NOW,
        last_at=NOW,
        message_id=None,
        cleared_at=later if cleared else None,
        acknowledged_at=later if acknowledged else None,
        acknowledged_by="alice" if acknowledged else None,
        ended_at=None,
    )


def test_nothing_new_is_nothing_to_write() -> None:
    assert not changes([], [], [])
    assert not changes([alarm(1, "a")], [condition("a")], [])


def test_a_condition_is_raised_once() -> None:
    found = changes([alarm(1, "a")], [condition("a"), condition("b"), condition("b")], [])
    assert [item.key for item in found.raised] == ["b"]


def test_a_condition_that_goes_clears_its_alarm_and_one_that_returns_repeats_it() -> None:
    assert changes([alarm(1, "a")], [], []).cleared == [1]
    gone = alarm(1, "a", cleared=True)
    assert not changes([gone], [], [])
    assert list(changes([gone], [condition("a")], []).repeated or {}) == [1]


def test_another_text_is_written_without_another_alarm() -> None:
    found = changes([alarm(1, "a")], [condition("a", "it died again")], [])
    assert (list(found.reworded or {}), list(found.raised)) == ([1], [])


def test_a_message_repeats_the_alarm_that_waits() -> None:
    waiting = alarm(1, "message:x", cleared=True, kind=AlarmKind.MESSAGE)
    found = changes([waiting], [], [condition("message:x", happened=7)])
    assert found.repeated is not None
    assert found.repeated[1].happened == 7
    assert not found.raised


def test_beyond_the_limit_the_weightiest_are_raised_and_the_rest_is_summed_up() -> None:
    lasting = [condition(f"low-{number}", priority=Priority.LOW) for number in range(5)]
    high = condition("high", priority=Priority.HIGH)
    found = changes([alarm(1, "low-0")], [*lasting, high], [], max_open=3)
    assert [item.key for item in found.raised] == [OVERFLOW_KEY, "high", "low-1"]


def test_the_sum_of_what_is_beyond_ends_when_there_is_room_again() -> None:
    summed = alarm(9, OVERFLOW_KEY, kind=AlarmKind.OVERFLOW)
    assert changes([summed], [], []).cleared == [9]


def test_states_are_told_in_words() -> None:
    assert alarm(1, "a").state is AlarmState.ACTIVE
    assert alarm(1, "a", cleared=True).state is AlarmState.GONE
    assert alarm(1, "a", cleared=True, kind=AlarmKind.MESSAGE).state is AlarmState.ACTIVE
    assert alarm(1, "a", acknowledged=True).state is AlarmState.ACKNOWLEDGED
    assert not alarm(1, "a", acknowledged=True).calls


KEYS = st.sampled_from("abcdef")


@given(st.lists(st.sets(KEYS), max_size=12))
def test_after_any_history_there_is_one_open_alarm_of_each_key_and_it_says_whether_it_stands(
    history: list[set[str]],
) -> None:
    opened: dict[str, AlarmView] = {}
    for present in history:
        found = changes(opened.values(), [condition(key) for key in sorted(present)], [])
        by_id = {item.id: item.key for item in opened.values()}
        for item in found.raised:
            assert item.key not in opened
            opened[item.key] = alarm(len(opened) + 1, item.key)
        for number in found.cleared:
            opened[by_id[number]] = alarm(number, by_id[number], cleared=True)
        for number in found.repeated or {}:
            opened[by_id[number]] = alarm(number, by_id[number])
        assert {key for key, item in opened.items() if item.cleared_at is None} == present
