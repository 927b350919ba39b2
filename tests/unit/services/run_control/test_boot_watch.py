"""What was booted is watched: who lives, who died, who never appeared, and what nobody could find out."""

from dataclasses import replace

import pytest

from services.errors import ConsoleError, NotReachableError
from services.run_control.boot_watch import LOOK_EVERY_S, BootWatch, Watched, judged
from services.run_control.command_types import CommandResult, CommandState, NodeResult
from services.run_control.execution import Booted, Outcome
from services.run_control.process_types import Process, ProcessQuery, ProcessStatus

ONE = Process("u-1", "df-01", "s", "alice", "h", ProcessStatus.RUNNING)
TWO = replace(ONE, uuid="u-2", name="mlt")
CRASHED = replace(ONE, status=ProcessStatus.DEAD, return_code=139)
ENDED = replace(TWO, status=ProcessStatus.DEAD, return_code=0)
BOTH = Booted("h:1", ProcessQuery(uuids=("u-1", "u-2")), (ONE, TWO))
SESSION = Booted("h:1", ProcessQuery(session="s"))
ANSWERED = Outcome(CommandState.SUCCEEDED, "2 of 2 processes booted.", CommandResult(succeeded=True, text=""))
Look = tuple[Process, ...] | ConsoleError


class Scene:
    """Time goes on in pauses only; the last look is what stays."""

    def __init__(self, *looks: Look, grace_s: float = 2.5, stops_in_pause: int = 0) -> None:
        self.looks = list(looks)
        self.stops_in_pause = stops_in_pause
        self.now = 100.0
        self.pauses: list[float] = []
        self.noted: list[Watched] = []
        self.watch = BootWatch(grace_s, self.look, self.noted.append, self.pause, lambda: self.now)

    def look(self) -> tuple[Process, ...]:
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, ConsoleError):
            raise found
        return found

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += seconds
        return len(self.pauses) == self.stops_in_pause

    def outcome(self, booted: Booted = BOTH, answered: Outcome = ANSWERED) -> Outcome:
        return judged(answered, booted, self.watch.watch(booted))


def results(outcome: Outcome) -> dict[str, tuple[bool, str]]:
    assert outcome.result is not None
    return {node.name: (node.succeeded, node.text) for node in outcome.result.nodes}


def test_what_lives_to_the_end_was_booted() -> None:
    scene = Scene((ONE, TWO))
    outcome = scene.outcome()
    assert (outcome.state, outcome.text) == (CommandState.SUCCEEDED, ANSWERED.text)
    assert results(outcome) == {"df-01": (True, "running"), "mlt": (True, "running")}
    assert scene.pauses == [LOOK_EVERY_S, LOOK_EVERY_S, 0.5]
    # People see it after the first look.
    assert len(scene.noted) == 1


def test_what_dies_after_the_first_look_was_not() -> None:
    outcome = Scene((ONE, TWO), (CRASHED, TWO)).outcome()
    assert outcome.state is CommandState.FAILED
    died = "dead, exit code 139, crashed, bad memory access (SIGSEGV)"
    assert outcome.text == f"2 of 2 processes booted. Not alive: df-01: {died}."
    assert results(outcome) == {"df-01": (False, died), "mlt": (True, "running")}
    assert outcome.processes is not None
    assert set(outcome.processes.listed) == {CRASHED, TWO}


def test_nobody_waits_for_what_has_ended() -> None:
    scene = Scene((ONE, TWO), (CRASHED, ENDED))
    outcome = scene.outcome()
    assert scene.pauses == [LOOK_EVERY_S]
    assert results(outcome)["mlt"] == (True, "dead, exit code 0, ended normally")


def test_never_listed_and_not_listed_any_more() -> None:
    outcome = Scene((ONE,), ()).outcome()
    assert results(outcome) == {"df-01": (False, "not listed any more"), "mlt": (False, "never listed")}
    assert outcome.text.endswith("Not alive: df-01: not listed any more; mlt: never listed.")


def test_a_look_that_fails_on_the_way_does_not_matter() -> None:
    assert Scene((ONE, TWO), NotReachableError("away"), (ONE, TWO)).outcome().state is CommandState.SUCCEEDED


@pytest.mark.parametrize("booted", [BOTH, SESSION])
def test_what_nobody_can_find_out_is_unknown(booted: Booted) -> None:
    outcome = Scene((ONE, TWO), NotReachableError("It is away.")).outcome(booted)
    assert outcome.state is CommandState.UNKNOWN
    assert outcome.text.endswith("Whether they live is not known: It is away.")
    assert outcome.processes is None
    assert outcome.result is not None
    assert not outcome.result.succeeded


def test_who_stops_has_not_seen_the_end() -> None:
    outcome = Scene((ONE, TWO), stops_in_pause=2).outcome()
    assert outcome.state is CommandState.UNKNOWN
    assert "The collector stopped." in outcome.text


def test_without_time_a_single_look_decides() -> None:
    scene = Scene((ONE, CRASHED), grace_s=0.0)
    assert scene.outcome().state is CommandState.FAILED
    assert scene.pauses == []


def test_a_session_is_what_is_listed_of_it() -> None:
    outcome = Scene((ONE,), (ONE, TWO)).outcome(SESSION, replace(ANSWERED, text="s was started."))
    assert (outcome.state, outcome.text) == (CommandState.SUCCEEDED, "s was started. Processes listed: 2.")


def test_of_a_session_more_may_come_when_all_that_is_listed_has_ended() -> None:
    scene = Scene((ENDED,), (ENDED, ONE))
    assert scene.outcome(SESSION).state is CommandState.SUCCEEDED
    assert len(scene.pauses) == 3


def test_a_session_of_nothing_was_not_booted() -> None:
    outcome = Scene(()).outcome(SESSION, replace(ANSWERED, text="s was started."))
    assert outcome.state is CommandState.FAILED
    assert outcome.text == "s was started. Processes listed: 0. The process manager at h:1 does not know it."


def test_of_many_that_died_a_few_are_named() -> None:
    dead = tuple(replace(CRASHED, uuid=f"u-{number}", name=f"app-{number}") for number in range(8))
    outcome = Scene(dead).outcome(SESSION)
    assert "app-4: dead" in outcome.text
    assert outcome.text.endswith("; 3 more.")
    assert len(results(outcome)) == 8


def test_what_ended_the_sending_stays_with_its_stack_trace() -> None:
    fault = NodeResult("process_manager", "process_manager", False, "UNHANDLED_EXCEPTION_THROWN", detail="Traceback")
    answered = Outcome(CommandState.FAILED, "1 of 2 processes booted. It broke.", CommandResult(False, "", (fault,)))
    outcome = Scene((ONE,)).outcome(replace(BOTH, expected=(ONE,)), answered)
    assert (outcome.state, outcome.text) == (CommandState.FAILED, answered.text)
    assert results(outcome) == {"df-01": (True, "running"), "process_manager": (False, "")}
