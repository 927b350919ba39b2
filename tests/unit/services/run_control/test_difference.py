"""What differs: of two sessions, and of one since its last good run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.history.types import (
    Aspect,
    Change,
    Source,
    Subject,
    TransitionOutcome,
    TransitionRun,
    Value,
)
from services.run_control.command_types import CommandState
from services.run_control.difference import (
    Difference,
    Kind,
    Thing,
    arguments_at,
    composition,
    differences,
    last_good_run,
    rewound,
    since_then,
)
from services.run_control.process_types import Process
from services.run_control.session_types import Configuration, RunInfo
from tests.unit.components.samples import NOW, command, node, process, session

ROOT = "root-controller"
DF = f"{ROOT}/df-03"
THEN = NOW - timedelta(hours=2)
SESSION = session(run=RunInfo(type="PROD", trigger_rate_hz=3.0, storage_disabled=False))
NODES = (node(ROOT), node(DF))
OLD_PROCESS = process(first_seen_at=THEN - timedelta(hours=1))


def change(subject: Subject, name: str, aspect: Aspect, old: Value = None, new: Value = None) -> Change:
    found = Change(1, NOW, NOW, Source.POLL, SESSION.name, subject, name, aspect, None, None)
    return replace(found, old=old, new=new)


def since(changes: Sequence[Change], processes: Sequence[Process] = (OLD_PROCESS,)) -> tuple[Difference, ...]:
    now = composition(SESSION, NODES, processes, {})
    then = rewound(now, changes, processes, {}, THEN)
    return differences(then, since_then(now, processes, THEN))


def test_the_same_does_not_differ() -> None:
    one = composition(SESSION, NODES, [OLD_PROCESS], {"start trigger_rate": "3"})
    assert differences(one, composition(SESSION, NODES, [OLD_PROCESS], {"start trigger_rate": "3"})) == ()


def test_two_sessions_differ_in_everything_that_is_known_of_both() -> None:
    left = composition(session(owner="bob"), [node(ROOT), node(DF, included=False)], [process()], {"start a": "1"})
    other = session(owner="ann", configuration=Configuration("f.xml", "c"))
    nodes = [node(ROOT), node(DF, detector="TPC"), node(f"{ROOT}/ru-01")]
    right = composition(other, nodes, [process(hostname="np04-srv-030")], {"start a": "2"})
    assert differences(left, right) == (
        Difference(Thing(Kind.SESSION, ""), "owner", "bob", "ann"),
        Difference(Thing(Kind.ARGUMENT, "start a"), "value", "1", "2"),
        Difference(Thing(Kind.NODE, DF), "detector", "", "TPC"),
        Difference(Thing(Kind.NODE, DF), "takes part", "excluded", "yes"),
        Difference(Thing(Kind.NODE, f"{ROOT}/ru-01"), "", None, "there"),
        Difference(Thing(Kind.PROCESS, "df-03"), "host", "np04-srv-029", "np04-srv-030"),
    )


def test_what_was_excluded_since_differs() -> None:
    changes = [change(Subject.NODE, DF, Aspect.INCLUDED, old=False, new=True)]
    assert since(changes) == (Difference(Thing(Kind.NODE, DF), "takes part", "excluded", "yes"),)


def test_what_was_changed_and_changed_back_does_not() -> None:
    there = change(Subject.NODE, DF, Aspect.INCLUDED, old=True, new=False)
    back = change(Subject.NODE, DF, Aspect.INCLUDED, old=False, new=True)
    assert since([back, there]) == ()


def test_nodes_that_came_and_went() -> None:
    changes = [
        change(Subject.NODE, DF, Aspect.APPEARED, new="initial"),
        change(Subject.NODE, f"{ROOT}/old", Aspect.VANISHED, old="ready"),
    ]
    assert since(changes) == (
        Difference(Thing(Kind.NODE, DF), "", None, "there"),
        Difference(Thing(Kind.NODE, f"{ROOT}/old"), "", "there", None),
    )


def test_a_node_that_was_there_before_a_restart_is_compared_where_it_can_be() -> None:
    changes = [change(Subject.NODE, DF, Aspect.APPEARED), change(Subject.NODE, DF, Aspect.VANISHED)]
    assert since(changes) == ()


def booted_anew(host: str) -> list[Change]:
    """What the history tells of a process that was booted anew since, newest first."""
    return [
        change(Subject.PROCESS, "df-03", Aspect.APPEARED),
        change(Subject.PROCESS, "df-03", Aspect.VANISHED),
        change(Subject.PROCESS, "df-03", Aspect.HOST, old=host),
    ]


def test_a_process_booted_since_on_another_host_differs_by_both() -> None:
    thing = Thing(Kind.PROCESS, "df-03")
    assert since(booted_anew("np04-srv-007"), [process(first_seen_at=NOW)]) == (
        Difference(thing, "host", "np04-srv-007", "np04-srv-029"),
        Difference(thing, "booted", "before", "since then"),
    )
    assert [found.aspect for found in since(booted_anew("np04-srv-029"), [process(first_seen_at=NOW)])] == ["booted"]


def test_the_host_is_that_of_the_moment_however_often_it_was_booted_since() -> None:
    changes = [*booted_anew("np04-srv-008"), *booted_anew("np04-srv-007")]
    assert since(changes, [process(first_seen_at=NOW)])[0].left == "np04-srv-007"


def test_a_process_that_moved_under_its_uuid_differs() -> None:
    moved = change(Subject.PROCESS, "df-03", Aspect.HOST, old="np04-srv-007", new="np04-srv-029")
    thing = Thing(Kind.PROCESS, "df-03")
    assert since([moved]) == (Difference(thing, "host", "np04-srv-007", "np04-srv-029"),)


def test_a_process_that_came_since_or_is_gone_is_on_one_side() -> None:
    thing = Thing(Kind.PROCESS, "df-03")
    came = [change(Subject.PROCESS, "df-03", Aspect.APPEARED)]
    assert since(came, [process(first_seen_at=NOW)]) == (Difference(thing, "", None, "there"),)
    assert since(booted_anew("np04-srv-007")[1:], []) == (Difference(thing, "", "there", None),)


def test_who_owns_it_and_what_it_was_booted_from_are_those_of_the_moment() -> None:
    now = composition(session(owner="ann", configuration=Configuration("f.xml", "new")), (), (), {})
    changes = [
        change(Subject.SESSION, SESSION.name, Aspect.OWNER, old="bob", new="ann"),
        change(Subject.SESSION, SESSION.name, Aspect.CONFIGURATION, old="old", new="new"),
    ]
    assert [
        (found.aspect, found.left, found.right) for found in differences(rewound(now, changes, (), {}, THEN), now)
    ] == [
        ("owner", "bob", "ann"),
        ("configuration", "old", "new"),
    ]


def test_a_process_booted_since_is_said_to_be_without_guessing_its_host() -> None:
    changes = [change(Subject.PROCESS, "df-03", Aspect.APPEARED), change(Subject.PROCESS, "df-03", Aspect.VANISHED)]
    booted = process(first_seen_at=NOW)
    assert since(changes, [booted]) == (Difference(Thing(Kind.PROCESS, "df-03"), "booted", "before", "since then"),)


def test_what_a_run_has_differs() -> None:
    changes = [
        change(Subject.RUN, SESSION.name, Aspect.TRIGGER_RATE, old=1.0, new=3.0),
        change(Subject.RUN, SESSION.name, Aspect.STORAGE_DISABLED, old=True, new=False),
        change(Subject.RUN, SESSION.name, Aspect.RUN_TYPE, old=None, new="PROD"),
    ]
    assert [(found.aspect, found.left, found.right) for found in since(changes)] == [
        ("trigger rate", "1 Hz", "3 Hz"),
        ("storage", "off", "on"),
    ]


def transition(name: str, minutes: int, before: str, after: str) -> TransitionRun:
    began = THEN + timedelta(minutes=minutes)
    return TransitionRun(
        minutes, SESSION.name, name, before, after, began, began + timedelta(seconds=2),
        TransitionOutcome.SUCCEEDED, Source.COMMAND, minutes, (),
    )  # fmt: skip


RUN = (
    transition("start", 1, "configured", "ready"),
    transition("enable_triggers", 2, "ready", "running"),
    transition("stop", 3, "running", "configured"),
)


def test_the_last_good_run_is_the_newest_that_ended_well() -> None:
    newer = [replace(found, began_at=found.began_at + timedelta(minutes=10)) for found in RUN[:2]]
    good = last_good_run([*reversed(newer), *reversed(RUN)], {1: 31427})
    assert good is not None
    assert (good.number, good.started_at, good.at) == (31427, RUN[0].ended_at, RUN[2].began_at)


@pytest.mark.parametrize("outcome", [TransitionOutcome.FAILED, TransitionOutcome.UNKNOWN])
@pytest.mark.parametrize("place", range(3))
def test_a_run_with_anything_that_went_wrong_is_not_good(place: int, outcome: TransitionOutcome) -> None:
    run = [replace(found, outcome=outcome) if number == place else found for number, found in enumerate(RUN)]
    assert last_good_run(run[::-1], {}) is None


def test_without_a_known_start_there_is_no_good_run() -> None:
    assert last_good_run(RUN[:0:-1], {}) is None
    assert last_good_run([], {}) is None


def test_arguments_are_those_sent_last_by_then() -> None:
    newest = command(transition="start", arguments={"trigger_rate": 3.0, "run_number": 7}, created_at=NOW)
    failed = replace(newest, state=CommandState.FAILED, arguments={"trigger_rate": 9.0})
    older = replace(newest, arguments={"trigger_rate": 1.0, "run_type": "TEST"}, created_at=THEN)
    sent = [failed, newest, older]
    assert arguments_at(sent) == {"start trigger_rate": "3.0", "start run_type": "TEST"}
    assert arguments_at(sent, THEN) == {"start trigger_rate": "1.0", "start run_type": "TEST"}
