"""From a filter to the ids of one page of messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sqlalchemy import ColumnElement, Select, func, select, tuple_, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.messages import Message, MessageApplication, MessageRollup, MessageSession
from services.messages import rollups
from services.messages.filters import condition, conjuncts
from services.messages.texts import storable
from services.messages.time_limit import TimeLimit
from services.messages.types import (
    Contains,
    Expression,
    Kind,
    MessageFilter,
    Name,
    NameIn,
    Severity,
    SeverityIn,
    Since,
    Until,
)

# One statement looks at so many ids of a search, so that none takes long.
CHUNK_IDS = 20_000
# More branches than this cost more than they save; the engines have limits too.
MAX_BRANCHES = 120
# Above every id.
MAX_ID = 2**63 - 1
_NS = 1_000_000_000

Conditions = tuple[ColumnElement[bool], ...]
# Columns and the values they must have: the leading columns of an index that ends with the id.
Branch = tuple[tuple[InstrumentedAttribute[int], int], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, ready to run.

    Attributes:
        branches: What an index covers; their results are united. None at all: nothing can match.
        rest: Conditions that no index covers; they make a search that looks at a bounded stretch of ids.
        since_ns: No message before this moment is wanted; None if the filter says nothing of it.
        until_ns: No message at or after this moment is wanted; None as above.
    """

    branches: tuple[Branch, ...]
    rest: Conditions = ()
    since_ns: int | None = None
    until_ns: int | None = None

    @classmethod
    def build(cls, session: Session, wanted: MessageFilter) -> "Selection":
        """Look up names, and choose the index: by session, by application, by severity, or by id alone.

        Severities, sessions and applications that must fit count wherever they stand in the filter.
        """
        asked = _Asked.of(wanted)
        if asked.is_impossible:
            return cls(())
        session_ids = _ids(session, MessageSession, asked.sessions)
        application_ids = _ids(session, MessageApplication, asked.applications)
        if session_ids == [] or application_ids == []:
            return cls(())
        severities = sorted(asked.severities) if len(asked.severities) < len(Severity) else []
        rest: list[ColumnElement[bool]] = []
        if application_ids is not None:
            branches = _branches(Message.application_id, application_ids, severities)
            if session_ids is not None:
                rest.append(Message.session_id.in_(session_ids))
        elif session_ids is not None:
            branches = _branches_with_kind([((Message.session_id, id_),) for id_ in session_ids], severities)
        else:
            branches = _branches_with_kind([()], severities) if severities else [()]
        if len(branches) > MAX_BRANCHES:
            rest += _as_rest(session_ids, application_ids, severities)
            branches = [()]
        rest += [condition(part, session.get_bind().dialect.name) for part in asked.rest]
        since = [part.time_ns for part in asked.rest if isinstance(part, Since)]
        until = [part.time_ns for part in asked.rest if isinstance(part, Until)]
        return cls(tuple(branches), tuple(rest), max(since, default=None), min(until, default=None))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter taken apart; names are None where none is asked for, ``rest`` are the parts that no index knows."""

    severities: frozenset[Severity]
    sessions: frozenset[str] | None
    applications: frozenset[str] | None
    rest: tuple[Expression, ...]

    @classmethod
    def of(cls, wanted: MessageFilter) -> "_Asked":
        severities = wanted.severities or frozenset(Severity)
        names: dict[Name, frozenset[str] | None] = {
            Name.SESSION: _stored(wanted.sessions) or None,
            Name.APPLICATION: _stored(wanted.applications) or None,
        }
        rest: list[Expression] = [Contains(wanted.text)] if wanted.text else []
        for part in conjuncts(wanted.where):
            match part:
                case SeverityIn(wanted_too):
                    severities &= wanted_too
                case NameIn(Name.SESSION | Name.APPLICATION as of, names_too):
                    before = names[of]
                    names[of] = _stored(names_too) if before is None else before & _stored(names_too)
                case _:
                    rest.append(part)
        return cls(severities, names[Name.SESSION], names[Name.APPLICATION], tuple(rest))

    @property
    def is_impossible(self) -> bool:
        return not self.severities or self.sessions == frozenset() or self.applications == frozenset()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Ids above ``after`` and below ``before``; ``ascending``: take the smallest first."""

    after: int | None
    before: int | None
    ascending: bool

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the bounds as conditions."""
        given: list[ColumnElement[bool]] = []
        if self.after is not None:
            given.append(Message.id > self.after)
        if self.before is not None:
            given.append(Message.id < self.before)
        return given


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of a page, and whether there may be more; ``scanned_to`` and ``timed_out`` as in `MessagePage`."""

    ids: list[int]
    has_more: bool
    scanned_to: int | None = None
    timed_out: bool = False


def find_ids(
    session: Session, selection: Selection, bounds: Bounds, limit: int, *, scan_ids: int, time_limit: TimeLimit
) -> Found:
    """Return the ids of one page; a search looks at ``scan_ids`` ids at most."""
    if not selection.branches:
        return Found([], has_more=False)
    if selection.since_ns is not None:
        narrowed = narrow(session, bounds, selection.since_ns, selection.until_ns)
        if narrowed is None:
            return Found([], has_more=False)
        bounds = narrowed
    if selection.rest:
        return _scan(session, selection, bounds, limit, scan_ids=scan_ids, time_limit=time_limit)
    ids = _run(session, selection, bounds, limit + 1)
    return Found(ids[:limit], has_more=len(ids) > limit)


def _scan(
    session: Session, selection: Selection, bounds: Bounds, limit: int, *, scan_ids: int, time_limit: TimeLimit
) -> Found:
    lowest, highest = _extent(session, bounds)
    found: list[int] = []
    scanned_to: int | None = None
    for low, high in _chunks(lowest, highest, scan_ids, ascending=bounds.ascending):
        if scanned_to is not None and time_limit.is_over:
            return Found(found, has_more=True, scanned_to=scanned_to, timed_out=True)
        chunk = Bounds(after=low - 1, before=high + 1, ascending=bounds.ascending)
        try:
            found += _run(session, selection, chunk, limit + 1 - len(found))
        except DBAPIError as error:
            # Without any progress there is nothing to go on from: that is for the caller to say.
            if scanned_to is None or not time_limit.has_stopped(error):
                raise
            return Found(found, has_more=True, scanned_to=scanned_to, timed_out=True)
        if len(found) > limit:
            return Found(found[:limit], has_more=True)
        scanned_to = high if bounds.ascending else low
    if highest - lowest < scan_ids:
        return Found(found, has_more=False)
    return Found(found, has_more=True, scanned_to=scanned_to)


def narrow(session: Session, bounds: Bounds, since_ns: int, until_ns: int | None) -> Bounds | None:
    """Return the ids that a stretch of time can have, from the roll-ups; None if there are none at all.

    Old roll-ups are removed before young ones. So if one is left that begins at or before the stretch, none of the
    stretch is missing; otherwise the bounds stay as they are.
    """
    width_s = rollups.RESOLUTIONS_S[-1]
    all_sessions = (MessageRollup.resolution_s == width_s, MessageRollup.session_id == rollups.ALL_SESSIONS)
    first_s = since_ns // _NS // width_s * width_s
    inside = [*all_sessions, MessageRollup.bucket_s >= first_s]
    if until_ns is not None:
        inside.append(MessageRollup.bucket_s * _NS < until_ns)
    oldest = session.scalar(select(func.min(MessageRollup.bucket_s)).where(*all_sessions))
    if oldest is None or oldest > first_s:
        return bounds
    least, greatest = session.execute(
        select(func.min(MessageRollup.min_id), func.max(MessageRollup.max_id)).where(*inside)
    ).one()
    if least is None:
        return None
    after = least - 1 if bounds.after is None else max(bounds.after, least - 1)
    before = greatest + 1 if bounds.before is None else min(bounds.before, greatest + 1)
    return Bounds(after, before, ascending=bounds.ascending)


def _extent(session: Session, bounds: Bounds) -> tuple[int, int]:
    """Return the least and the greatest id there can be within the bounds."""
    least = session.scalar(select(func.min(Message.id))) or 1
    greatest = session.scalar(select(func.max(Message.id))) or 0
    lowest = least if bounds.after is None else max(least, bounds.after + 1)
    highest = greatest if bounds.before is None else min(greatest, bounds.before - 1)
    return lowest, highest


def _chunks(lowest: int, highest: int, scan_ids: int, *, ascending: bool) -> list[tuple[int, int]]:
    """Return first and last id of each stretch to look at, in the order of looking."""
    if ascending:
        end = min(highest, lowest + scan_ids - 1)
        return [(low, min(low + CHUNK_IDS - 1, end)) for low in range(lowest, end + 1, CHUNK_IDS)]
    end = max(lowest, highest - scan_ids + 1)
    return [(max(high - CHUNK_IDS + 1, end), high) for high in range(highest, end - 1, -CHUNK_IDS)]


def _run(session: Session, selection: Selection, bounds: Bounds, limit: int) -> list[int]:
    by_rows = session.get_bind().dialect.name == "postgresql"
    selects = [
        (_by_rows(branch, bounds) if branch and by_rows else _by_values(branch, bounds))
        .where(*selection.rest)
        .limit(limit)
        for branch in selection.branches
    ]
    if len(selects) == 1:
        return list(session.scalars(selects[0]))
    # SQLite takes ORDER BY and LIMIT in a branch only when the branch is a subquery of its own.
    united = union_all(*(select(one.subquery().c.id) for one in selects)).subquery()
    outer = united.c.id.asc() if bounds.ascending else united.c.id.desc()
    return list(session.scalars(select(united.c.id).order_by(outer).limit(limit)))


def _by_values(branch: Branch, bounds: Bounds) -> Select[int]:
    fits = [column == value for column, value in branch]
    order = Message.id.asc() if bounds.ascending else Message.id.desc()
    return select(Message.id).where(*fits, *bounds.conditions()).order_by(order)


def _by_rows(branch: Branch, bounds: Bounds) -> Select[int]:
    """Compare whole rows of the index.

    With plain equality PostgreSQL may walk down the primary key instead, expecting to meet the wanted severity soon:
    after a quiet day that is a walk through millions of rows. This order only the right index can give.
    """
    columns = [column for column, _ in branch]
    row = tuple_(*columns, Message.id)
    group = tuple_(*columns)
    values = [value for _, value in branch]
    if bounds.ascending:
        inside = (row > (*values, bounds.after or 0), group <= tuple(values))
        order = [column.asc() for column in (*columns, Message.id)]
    else:
        inside = (row < (*values, MAX_ID if bounds.before is None else bounds.before), group >= tuple(values))
        order = [column.desc() for column in (*columns, Message.id)]
    return select(Message.id).where(*inside, *bounds.conditions()).order_by(*order)


def _ids(
    session: Session, table: type[MessageSession] | type[MessageApplication], names: frozenset[str] | None
) -> list[int] | None:
    """Return the ids of names, sorted; None where no name is asked for."""
    if names is None:
        return None
    return sorted(session.scalars(select(table.id).where(table.name.in_(sorted(names)))))


def _stored(names: frozenset[str]) -> frozenset[str]:
    return frozenset(storable(name) for name in names)


def _branches(column: InstrumentedAttribute[int], ids: Sequence[int], severities: Sequence[Severity]) -> list[Branch]:
    pairs = product(ids, severities or tuple(Severity))
    return [((column, id_), (Message.severity, severity.value)) for id_, severity in pairs]


def _branches_with_kind(firsts: Sequence[Branch], severities: Sequence[Severity]) -> list[Branch]:
    """Return a branch for each first part, kind and severity."""
    return [
        (*first, (Message.kind, kind.value), (Message.severity, severity.value))
        for first, kind, severity in product(firsts, Kind, severities or tuple(Severity))
    ]


def _as_rest(
    session_ids: list[int] | None, application_ids: list[int] | None, severities: Sequence[Severity]
) -> list[ColumnElement[bool]]:
    rest: list[ColumnElement[bool]] = []
    if session_ids is not None:
        rest.append(Message.session_id.in_(session_ids))
    if application_ids is not None:
        rest.append(Message.application_id.in_(application_ids))
    if severities:
        rest.append(Message.severity.in_(severities))
    return rest
