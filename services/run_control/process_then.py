"""Which process had a name at an earlier moment: who boots a session anew gives the same names to others. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.history.types import Aspect, Change
from services.run_control.process_types import Process, ProcessStatus

# What history must tell to go back in time. A restart keeps the UUID (contract 9.4).
LIVES = frozenset({Aspect.APPEARED, Aspect.VANISHED, Aspect.DIED, Aspect.RESTARTED})


@dataclass(frozen=True, slots=True)
class ProcessThen:
    """The process of an earlier moment; ``is_listed`` tells whether the process manager still knows it."""

    uuid: str
    is_listed: bool


def process_then(listed: Iterable[Process], changes: Iterable[Change]) -> ProcessThen | None:
    """Return the process that had a name at a moment, the one that was alive where a dead one had it too.

    Args:
        listed: The processes of that name in that session now.
        changes: All of theirs since that moment with an aspect of `LIVES`, newest first.

    Returns:
        None where no process had the name as far as is known, or several had it alike.
    """
    now = {process.uuid: process.status is ProcessStatus.RUNNING for process in listed}
    alive = dict(now)
    for change in changes:
        if change.uuid is not None:
            _undo(alive, change.uuid, change)
    running = [uuid for uuid, is_running in alive.items() if is_running]
    found = running or list(alive)
    return ProcessThen(found[0], found[0] in now) if len(found) == 1 else None


def _undo(alive: dict[str, bool], uuid: str, change: Change) -> None:
    match change.aspect:
        case Aspect.APPEARED:
            alive.pop(uuid, None)
        case Aspect.VANISHED:
            alive[uuid] = change.old == ProcessStatus.RUNNING.value
        case Aspect.DIED:
            alive[uuid] = True
        case Aspect.RESTARTED:
            alive[uuid] = False
