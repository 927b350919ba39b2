"""What pages and the API read of the history."""

from collections.abc import Iterable

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from models import history as rows
from models.database import Database
from services.errors import InvalidInputError
from services.history.types import (
    Aspect,
    Change,
    ChangePage,
    HistoryFilter,
    NodeTransition,
    Source,
    Subject,
    TransitionOutcome,
    TransitionRun,
)
from services.texts import is_storable

MAX_CHANGES = 500
MAX_RUNS = 100


class HistoryQueries:
    """Reads by index whatever the size of the history; every method takes a constant number of queries."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    def changes(self, wanted: HistoryFilter, *, before: int | None = None, limit: int = 200) -> ChangePage:
        """Return changes, newest first by their best known time.

        Args:
            wanted: What they are filtered by.
            before: Go on with the page that begins after this id: ``next_before`` of the page before.
            limit: How many at most, up to `MAX_CHANGES`.

        Raises:
            InvalidInputError: The limit is no such number.
        """
        _check_limit(limit, MAX_CHANGES)
        if not all(is_storable(text or "") for text in (wanted.session, wanted.name)):
            # What cannot be stored never changed.
            return ChangePage((), None)
        with self._database.read() as tx:
            statement = _filtered(wanted)
            if before is not None:
                mark = tx.get(rows.HistoryEntry, before)
                if mark is None:
                    # Pruned meanwhile, and everything older with it.
                    return ChangePage((), None)
                statement = statement.where(tuple_(mark.at, mark.id) > _POSITION)
            found = tx.scalars(statement.limit(limit + 1)).all()
        changes = tuple(_change(row) for row in found[:limit])
        return ChangePage(changes, changes[-1].id if len(found) > limit else None)

    def transitions(self, session: str, limit: int = 20) -> tuple[TransitionRun, ...]:
        """Return the last transitions of a session, newest first, each with its nodes by path.

        Raises:
            InvalidInputError: The limit is not from 1 to `MAX_RUNS`.
        """
        _check_limit(limit, MAX_RUNS)
        if not is_storable(session):
            return ()
        statement = (
            select(rows.TransitionRun)
            .where(rows.TransitionRun.session == session)
            .order_by(rows.TransitionRun.began_at.desc(), rows.TransitionRun.id.desc())
            .limit(limit)
        )
        with self._database.read() as tx:
            runs = tx.scalars(statement).all()
            nodes = _nodes(tx, [run.id for run in runs])
        return tuple(_run(run, nodes[run.id]) for run in runs)


_POSITION = tuple_(rows.HistoryEntry.at, rows.HistoryEntry.id)


def _filtered(wanted: HistoryFilter) -> Select[rows.HistoryEntry]:
    entry = rows.HistoryEntry
    statement = select(entry).order_by(entry.at.desc(), entry.id.desc())
    if wanted.session is not None:
        statement = statement.where(entry.session == wanted.session)
    if wanted.start is not None:
        statement = statement.where(entry.at >= wanted.start)
    if wanted.end is not None:
        statement = statement.where(entry.at < wanted.end)
    if wanted.subjects:
        statement = statement.where(entry.subject.in_(sorted(wanted.subjects)))
    if wanted.aspects:
        statement = statement.where(entry.aspect.in_(sorted(wanted.aspects)))
    if wanted.name is not None:
        statement = statement.where(entry.name == wanted.name)
    return statement


def _nodes(tx: Session, runs: Iterable[int]) -> dict[int, list[rows.NodeTransition]]:
    found: dict[int, list[rows.NodeTransition]] = {run: [] for run in runs}
    statement = (
        select(rows.NodeTransition).where(rows.NodeTransition.run_id.in_(found)).order_by(rows.NodeTransition.path)
    )
    for row in tx.scalars(statement):
        found[row.run_id].append(row)
    return found


def _change(row: rows.HistoryEntry) -> Change:
    return Change(
        id=row.id,
        at=row.at,
        noted_at=row.noted_at,
        source=Source(row.source),
        session=row.session,
        subject=Subject(row.subject),
        name=row.name,
        aspect=Aspect(row.aspect),
        old=row.old,
        new=row.new,
        uuid=row.uuid,
        command_id=row.command_id,
    )


def _run(row: rows.TransitionRun, nodes: Iterable[rows.NodeTransition]) -> TransitionRun:
    return TransitionRun(
        id=row.id,
        session=row.session,
        transition=row.transition,
        state_before=row.state_before,
        state_after=row.state_after,
        began_at=row.began_at,
        ended_at=row.ended_at,
        outcome=TransitionOutcome(row.outcome),
        source=Source(row.source),
        command_id=row.command_id,
        nodes=tuple(_node(node) for node in nodes),
    )


def _node(row: rows.NodeTransition) -> NodeTransition:
    return NodeTransition(
        path=row.path,
        began_at=row.began_at,
        ended_at=row.ended_at,
        outcome=TransitionOutcome(row.outcome),
        source=Source(row.source),
        text=row.text,
    )


def _check_limit(limit: int, most: int) -> None:
    if not 1 <= limit <= most:
        raise InvalidInputError(f"A limit is from 1 to {most}.", field="limit")
