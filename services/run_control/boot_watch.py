"""Watches what was booted: neither the answer nor the first look tells how it fares (contract 9.3, 22.24)."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.errors import ConsoleError
from services.run_control.command_types import CommandResult, CommandState, NodeResult
from services.run_control.execution import Booted, Outcome, ProcessesAfter
from services.run_control.process_results import in_words, lives, process_result
from services.run_control.process_types import Process, ProcessStatus

LOOK_EVERY_S: Final = 1.0
# So many processes that do not live are named in the text; the results have all.
NAMED: Final = 5
STOPPED: Final = "The collector stopped."
NEVER_LISTED: Final = "never listed"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of processes that were booted.

    Attributes:
        processes: Each by its UUID, as it was last listed, or as the answer to its boot told it.
        appeared: Those that were ever listed.
        listed: Those that the last look found.
        problem: Why that look tells nothing; empty if it does.
    """

    processes: Mapping[str, Process] = field(default_factory=dict)
    appeared: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    problem: str = ""

    def looked(self, found: Iterable[Process]) -> "Watched":
        """Return what is known after another look."""
        listed = {process.uuid: process for process in found}
        return Watched({**self.processes, **listed}, self.appeared | listed.keys(), frozenset(listed))

    @property
    def has_ended(self) -> bool:
        """Whether all of them were listed once and none runs any more."""
        if self.problem or self.appeared != self.processes.keys():
            return False
        return all(self.processes[uuid].status is ProcessStatus.DEAD for uuid in self.listed)

    @property
    def after(self) -> ProcessesAfter | None:
        """What the rows of processes are to be; None where the last look tells nothing."""
        if self.problem:
            return None
        return ProcessesAfter(frozenset(self.processes), tuple(self.processes[uuid] for uuid in self.listed))


@dataclass(frozen=True, slots=True)
class BootWatch:
    """What a watch needs of the runner.

    Attributes:
        grace_s: Watch for so long; 0 for a single look.
        look: Returns what is listed of it now; raises ConsoleError where nobody tells.
        note: Is told what the first look found.
        pause: Waits so many seconds; returns whether the collector stops.
        now: Seconds that only grow.
    """

    grace_s: float
    look: Callable[[], Collection[Process]]
    note: Callable[[Watched], None]
    pause: Callable[[float], bool]
    now: Callable[[], float] = time.monotonic

    def watch(self, booted: Booted) -> Watched:
        """Look until the time is over; of expected processes only as long as one of them runs."""
        ends_at = self.now() + self.grace_s
        watched = self._look(Watched({process.uuid: process for process in booted.expected}))
        self.note(watched)
        while (rest_s := ends_at - self.now()) > 0 and not (booted.expected and watched.has_ended):
            if self.pause(min(rest_s, LOOK_EVERY_S)):
                return replace(watched, problem=STOPPED)
            watched = self._look(watched)
        return watched

    def _look(self, watched: Watched) -> Watched:
        try:
            return watched.looked(self.look())
        except ConsoleError as error:
            return replace(watched, problem=error.message)


def judged(outcome: Outcome, booted: Booted, watched: Watched) -> Outcome:
    """Return what came of a boot: ``outcome`` is what its answers said, ``watched`` what is there afterwards."""
    nodes = tuple(_result(process, watched) for process in watched.processes.values())
    # What ended the sending early, with its stack trace.
    others = tuple(node for node in _nodes(outcome) if node.detail not in watched.processes)
    failed = [node for node in nodes if not node.succeeded]
    sentences = [outcome.text]
    if not booted.expected:
        sentences.append(f"Processes listed: {len(watched.listed)}.")
    if watched.problem:
        sentences.append(f"Whether they live is not known: {watched.problem}")
    elif failed:
        sentences.append(f"Not alive: {_named(failed)}.")
    elif not nodes:
        sentences.append(f"The process manager at {booted.address} does not know it.")
    state = _state(outcome, watched, alive=bool(nodes) and not failed)
    text = " ".join(sentences)
    result = CommandResult(succeeded=state is CommandState.SUCCEEDED, text=text, nodes=nodes + others)
    return Outcome(state, text, result, processes=watched.after)


def _nodes(outcome: Outcome) -> tuple[NodeResult, ...]:
    return outcome.result.nodes if outcome.result else ()


def _result(process: Process, watched: Watched) -> NodeResult:
    gone = not watched.problem and process.uuid not in watched.listed
    never = not watched.problem and process.uuid not in watched.appeared
    text = NEVER_LISTED if never else in_words(process, gone=gone)
    return process_result(process, text, succeeded=lives(process, gone=gone))


def _named(failed: list[NodeResult]) -> str:
    rest = len(failed) - NAMED
    named = [f"{node.name}: {node.text}" for node in failed[:NAMED]]
    return "; ".join([*named, *([f"{rest} more"] if rest > 0 else [])])


def _state(outcome: Outcome, watched: Watched, *, alive: bool) -> CommandState:
    if watched.problem:
        return CommandState.UNKNOWN
    if outcome.state is not CommandState.SUCCEEDED:
        return outcome.state
    return CommandState.SUCCEEDED if alive else CommandState.FAILED
