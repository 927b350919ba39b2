"""Records transitions for the board: a session's, and of each node that took part."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.history import NodeTransition, TransitionRun
from services.history.record import NAME_WIDTH
from services.history.types import Source, TransitionOutcome


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one node at the end; without ``began_at`` it began with the session's."""

    path: str
    outcome: TransitionOutcome
    text: str = ""
    began_at: datetime | None = None


def open_run(tx: Session, session: str) -> TransitionRun | None:
    """Return the transition that a session is going through, as far as anybody knows."""
    statement = (
        select(TransitionRun)
        .where(TransitionRun.session == session)
        .order_by(TransitionRun.began_at.desc(), TransitionRun.id.desc())
        .limit(1)
    )
    newest = tx.scalars(statement).first()
    return newest if newest is not None and newest.ended_at is None else None


def begin(
    tx: Session,
    session: str,
    transition: str | None,
    *,
    at: datetime,
    state: str | None,
    source: Source,
    command_id: int | None = None,
) -> TransitionRun:
    """Record that a session begins a transition in ``state``; what was open before has ended somehow."""
    forgotten = open_run(tx, session)
    if forgotten is not None:
        end(tx, forgotten, at=at, outcome=TransitionOutcome.UNKNOWN, state=state)
    run = TransitionRun(
        session=session,
        transition=transition,
        state_before=state,
        began_at=at,
        outcome=TransitionOutcome.RUNNING.value,
        source=source.value,
        command_id=command_id,
    )
    tx.add(run)
    tx.flush()
    return run


def end(
    tx: Session,
    run: TransitionRun,
    *,
    at: datetime,
    outcome: TransitionOutcome,
    state: str | None,
    cells: Iterable[Cell] = (),
) -> None:
    """Record how a transition ended, and what each node said; times that broadcasts told stay."""
    run.ended_at = max(at, run.began_at)
    run.outcome = outcome.value
    run.state_after = state
    told = tx.scalars(select(NodeTransition).where(NodeTransition.run_id == run.id)).all()
    rows = {row.path: row for row in told}
    for cell in {cell.path: cell for cell in cells}.values():
        row = rows.pop(cell.path[:NAME_WIDTH], None)
        if row is None:
            row = _cell(run, cell.path, cell.began_at or run.began_at, Source(run.source))
            tx.add(row)
        row.outcome, row.text = cell.outcome.value, cell.text
        row.ended_at = row.ended_at or run.ended_at
    for silent in rows.values():
        _close_silent(silent, run.ended_at, outcome)
    for row in told:
        _follow_root(run, row)


def node_began(tx: Session, run: TransitionRun, path: str, at: datetime) -> None:
    """Take over from a broadcast when a node began."""
    row = tx.get(NodeTransition, (run.id, path))
    if row is None:
        row = _cell(run, path, at, Source.BROADCAST)
        tx.add(row)
    row.began_at, row.source = at, Source.BROADCAST.value
    _follow_root(run, row)


def node_ended(tx: Session, run: TransitionRun, path: str, at: datetime) -> None:
    """Take over from a broadcast when a node ended; whether well is told by somebody else."""
    row = tx.get(NodeTransition, (run.id, path))
    if row is None:
        row = _cell(run, path, run.began_at, Source.BROADCAST)
        tx.add(row)
    row.ended_at, row.source = max(at, row.began_at), Source.BROADCAST.value
    _follow_root(run, row)


def run_at(tx: Session, session: str, transition: str, at: datetime) -> TransitionRun | None:
    """Return the newest run of a transition that had begun at a time."""
    statement = (
        select(TransitionRun)
        .where(TransitionRun.session == session, TransitionRun.began_at <= at, TransitionRun.transition == transition)
        .order_by(TransitionRun.began_at.desc(), TransitionRun.id.desc())
        .limit(1)
    )
    return tx.scalars(statement).first()


def _cell(run: TransitionRun, path: str, began_at: datetime, source: Source) -> NodeTransition:
    return NodeTransition(
        run_id=run.id,
        path=path[:NAME_WIDTH],
        began_at=began_at,
        outcome=TransitionOutcome.RUNNING.value,
        source=source.value,
        text="",
    )


def _follow_root(run: TransitionRun, row: NodeTransition) -> None:
    """Give a transition that no command of ours began the times that its root told."""
    if run.command_id is not None or "/" in row.path or row.source != Source.BROADCAST.value:
        return
    run.began_at = row.began_at
    if run.ended_at is not None and row.ended_at is not None:
        run.ended_at = row.ended_at


def _close_silent(row: NodeTransition, at: datetime, outcome: TransitionOutcome) -> None:
    """Close what only broadcasts told of: with an end of its own it has ended as the session's has."""
    row.outcome = (outcome if row.ended_at is not None else TransitionOutcome.UNKNOWN).value
    row.ended_at = row.ended_at or at
