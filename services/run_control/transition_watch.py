"""Notices transitions that somebody else's command made, from what polls find of the root controller."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models.history import TransitionRun
from models.run_control import DaqSession
from services.history import transitions
from services.history.transitions import Cell
from services.history.types import Source, TransitionOutcome
from services.run_control import fsm
from services.run_control.saving_nodes import Moved


@dataclass(frozen=True, slots=True)
class RootMemory:
    """What a session's row said of its root controller before a poll was written."""

    state: str | None
    sub_state: str | None
    polled_at: datetime | None
    address: str | None

    @classmethod
    def of(cls, row: DaqSession) -> "RootMemory":
        """Remember a row."""
        return cls(row.state, row.sub_state, row.polled_at, row.root_address)


def note_transition(tx: Session, row: DaqSession, before: RootMemory, moved: Iterable[Moved], now: datetime) -> None:
    """Record what a poll shows of a transition. Those of this console's commands are recorded with the command."""
    if (row.state, row.sub_state, row.root_address) == (before.state, before.sub_state, before.address):
        return
    run = transitions.open_run(tx, row.name)
    if row.root_address != before.address:
        if run is not None:
            transitions.end(tx, run, at=now, outcome=TransitionOutcome.UNKNOWN, state=None)
        return
    if run is not None and run.command_id is not None:
        return
    name = fsm.transition_of(row.sub_state)
    if name is not None:
        if run is None or run.transition != name:
            transitions.begin(tx, row.name, name, at=now, state=before.state, source=Source.POLL)
        return
    if run is None:
        run = _missed(tx, row, before, now)
    if run is not None:
        cells = [Cell(node.path, _outcome(failed=node.in_error), began_at=node.since) for node in moved]
        failed = bool(row.in_error) or not _leads(run, row.state)
        transitions.end(tx, run, at=now, outcome=_outcome(failed=failed), state=row.state, cells=cells)


def _missed(tx: Session, row: DaqSession, before: RootMemory, now: datetime) -> TransitionRun | None:
    """Begin a transition that began and ended since the last poll; None if the change of state is not one."""
    if row.state == before.state or row.state not in fsm.STATES or before.state not in fsm.STATES:
        return None
    began_at = before.polled_at or now
    name = _between(before.state, row.state)
    return transitions.begin(tx, row.name, name, at=began_at, state=before.state, source=Source.POLL)


def _between(source: str | None, destination: str | None) -> str | None:
    """Return the one transition that leads from a state to another; None if it takes more."""
    found = [edge.transition for edge in fsm.EDGES if (edge.source, edge.destination) == (source, destination)]
    return found[0] if len(found) == 1 else None


def _leads(run: TransitionRun, state: str | None) -> bool:
    """Tell whether a transition ended where it leads; one that nobody can name ended somewhere."""
    if run.transition is None or not fsm.sources(run.transition):
        return True
    return fsm.destination(run.transition, run.state_before) in (None, state)


def _outcome(*, failed: bool) -> TransitionOutcome:
    return TransitionOutcome.FAILED if failed else TransitionOutcome.SUCCEEDED
