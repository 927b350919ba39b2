"""What pages and the API read of the history."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from models import history as rows
from models.database import Database
from services.errors import InvalidInputError, NotFoundError
from services.history.board import LATEST, run_numbers, usual_durations
from services.history.types import (
    Aspect,
    Board,
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

_RUN_NUMBER = frozenset({Aspect.RUN_NUMBER})


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
        with self._database.read() as tx:
            return _with_nodes(tx, _last_runs(session, limit))

    def board(self, session: str, columns: int, run_number: int | None) -> Board:
        """Return the last transitions of a session with what they are judged by: the last `MAX_RUNS` of them.

        Args:
            session: Its name.
            columns: How many transitions, up to `MAX_RUNS`.
            run_number: The session's present one; None while no run is on.

        Raises:
            InvalidInputError: The number of columns is not from 1 to `MAX_RUNS`.
        """
        runs = self.transitions(session, columns)
        if not runs:
            return Board(())
        with self._database.read() as tx:
            timed = _with_nodes(tx, _last_runs(session, MAX_RUNS), _HAS_OWN_TIME)
        wanted = HistoryFilter(session=session, start=runs[-1].began_at, aspects=_RUN_NUMBER)
        changes = self.changes(wanted, limit=MAX_CHANGES).changes
        return Board(runs, usual_durations(timed), run_numbers(runs, changes, run_number))

    def of_node(self, run_id: int, path: str) -> tuple[TransitionRun, ...]:
        """Return one transition with all its nodes, then the last times that ``path`` went through the same before it.

        Those have that node alone, newest first; they are as many as tell what is usual.

        Raises:
            NotFoundError: The transition is not known (any more), or the node took no part in it.
        """
        run = rows.TransitionRun
        with self._database.read() as tx:
            asked = next(iter(_with_nodes(tx, select(run).where(run.id == run_id))), None)
            if asked is None or asked.node(path) is None:
                raise NotFoundError("This transition of this node is not known any more.")
            same = _last_runs(asked.session, LATEST).where(
                run.transition == asked.transition,
                tuple_(run.began_at, run.id) < tuple_(asked.began_at, asked.id),
            )
            earlier = _with_nodes(tx, same, rows.NodeTransition.path == path)
            return (asked, *(found for found in earlier if found.nodes))


_POSITION = tuple_(rows.HistoryEntry.at, rows.HistoryEntry.id)
# In SQL what `is_own_time` says.
_HAS_OWN_TIME = or_(
    rows.NodeTransition.source == Source.BROADCAST.value,
    and_(rows.NodeTransition.source == Source.COMMAND.value, rows.NodeTransition.path.not_like("%/%")),
)


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


def _last_runs(session: str, limit: int) -> Select[rows.TransitionRun]:
    run = rows.TransitionRun
    newest_first = run.began_at.desc(), run.id.desc()
    return select(run).where(run.session == session).order_by(*newest_first).limit(limit)


def _with_nodes(
    tx: Session, statement: Select[rows.TransitionRun], *wanted: ColumnElement[bool]
) -> tuple[TransitionRun, ...]:
    """Return transitions, each with its nodes that are wanted, by path."""
    runs = tx.scalars(statement).all()
    found: dict[int, list[NodeTransition]] = {run.id: [] for run in runs}
    node = rows.NodeTransition
    # Plain columns: thousands of objects would cost more than all the rest.
    columns = select(node.run_id, node.path, node.began_at, node.ended_at, node.outcome, node.source, node.text)
    for run_id, path, began_at, ended_at, outcome, source, text in tx.execute(
        columns.where(node.run_id.in_(found), *wanted).order_by(node.path)
    ):
        cell = NodeTransition(path, began_at, ended_at, TransitionOutcome(outcome), Source(source), text)
        found[run_id].append(cell)
    return tuple(_run(run, found[run.id]) for run in runs)


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


def _run(row: rows.TransitionRun, nodes: Iterable[NodeTransition]) -> TransitionRun:
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
        nodes=tuple(nodes),
    )


def _check_limit(limit: int, most: int) -> None:
    if not 1 <= limit <= most:
        raise InvalidInputError(f"A limit is from 1 to {most}.", field="limit")
