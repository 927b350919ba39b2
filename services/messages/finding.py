"""From a selection to the ids of one page of messages: by indexes, by words, or through a bounded stretch of ids."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    any_,
    case,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message, MessageRollup
from services.messages import rollups, search
from services.messages.filters import begins_word
from services.messages.search import Search
from services.messages.selection import Branch, Selection
from services.messages.time_limit import TimeLimit
from services.messages.upsert import table_of

# One statement looks at so many ids of a search, so that none takes long.
CHUNK_IDS = 20_000
# Before the full-text index is asked, so many rows of the filter are looked at: a common word fills a page from them,
# and a beginning that a tenth of all messages have costs the index much more.
NEAR_ROWS = 1_000
# Then it is asked for so many at a time: the first are enough unless something else is asked for too.
INDEX_STEPS = (500, 5_000, 5_000, 5_000)
# Above every id.
MAX_ID = 2**63 - 1
_NS = 1_000_000_000

# The table, not the model: building a statement of many branches costs more than running it.
_MESSAGE = table_of(Message)


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
            given.append(_MESSAGE.c.id > self.after)
        if self.before is not None:
            given.append(_MESSAGE.c.id < self.before)
        return given

    def beyond(self, reached: int) -> "Bounds":
        """Return what is left behind an id, in the direction of reading."""
        return replace(self, after=reached) if self.ascending else replace(self, before=reached)

    def up_to(self, reached: int) -> "Bounds":
        """Return what comes until an id, and with it, in the direction of reading."""
        return replace(self, before=reached + 1) if self.ascending else replace(self, after=reached - 1)


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
    """Return the ids of one page; a search that no index helps looks at ``scan_ids`` ids at most."""
    if not selection.branches:
        return Found([], has_more=False)
    if selection.since_ns is not None:
        narrowed = narrow(session, bounds, selection.since_ns, selection.until_ns)
        if narrowed is None:
            return Found([], has_more=False)
        bounds = narrowed
    if selection.search is not None:
        return _look_up(session, selection, selection.search, bounds, limit, time_limit=time_limit)
    if selection.rest:
        return _scan(session, selection, bounds, limit, scan_ids=scan_ids, time_limit=time_limit)
    ids = _run(session, selection, bounds, limit + 1)
    return Found(ids[:limit], has_more=len(ids) > limit)


def _look_up(
    session: Session, selection: Selection, sought: Search, bounds: Bounds, limit: int, *, time_limit: TimeLimit
) -> Found:
    rows, reached = _near(session, selection, bounds)
    found = _run(session, selection, bounds.up_to(reached), limit + 1) if rows else []
    if rows < NEAR_ROWS or len(found) > limit:
        return Found(found[:limit], has_more=len(found) > limit)
    sought = _rarest(session, selection, sought, bounds.up_to(reached))
    for step in INDEX_STEPS:
        if time_limit.is_over:
            return Found(found, has_more=True, scanned_to=reached, timed_out=True)
        rest = bounds.beyond(reached)
        try:
            ids = search.find(
                session, sought, limit=step, after=rest.after, before=rest.before, ascending=rest.ascending
            )
            found += _fitting(session, selection, ids)
        except DBAPIError as error:
            if not time_limit.has_stopped(error):
                raise
            return Found(found, has_more=True, scanned_to=reached, timed_out=True)
        if len(found) > limit or len(ids) < step:
            return Found(found[:limit], has_more=len(found) > limit)
        reached = ids[-1]
    return Found(found, has_more=True, scanned_to=reached)


def _near(session: Session, selection: Selection, bounds: Bounds) -> tuple[int, int]:
    """Return how many of the first rows there are, whatever their text says, and the id of the last of them."""
    first = _statement(session, replace(selection, rest=()), bounds, NEAR_ROWS).subquery()
    last = func.max(first.c.id) if bounds.ascending else func.min(first.c.id)
    rows, reached = session.execute(select(func.count(), last)).one()
    return rows, reached or 0


def _rarest(session: Session, selection: Selection, sought: Search, near: Bounds) -> Search:
    """Leave out words that many rows near have: to put their places together costs the index more than the rest."""
    if len(sought.indexed) == 1:
        return sought
    dialect = session.get_bind().dialect.name
    first = _statement(session, replace(selection, rest=()), near, NEAR_ROWS).subquery()
    hits = [func.sum(case((begins_word(word, dialect), 1), else_=0)) for word in sought.indexed]
    counts = session.execute(select(*hits).where(_MESSAGE.c.id.in_(select(first.c.id)))).one()
    few = max(min(counts), NEAR_ROWS // 20)
    return replace(
        sought, words=tuple(word for word, count in zip(sought.indexed, counts, strict=True) if count <= few)
    )


def _fitting(session: Session, selection: Selection, ids: Sequence[int]) -> list[int]:
    """Return those of the ids that fit altogether, in their order."""
    fitting = set(session.scalars(select(Message.id).where(Message.id.in_(ids), *selection.rest)))
    return [id_ for id_ in ids if id_ in fitting]


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
    return list(session.scalars(_statement(session, selection, bounds, limit)))


def _statement(session: Session, selection: Selection, bounds: Bounds, limit: int) -> Select[int]:
    by_rows = session.get_bind().dialect.name == "postgresql"
    selects = [
        (_by_rows(branch, bounds) if branch and by_rows else _by_values(branch, bounds))
        .where(*selection.rest)
        .limit(limit)
        for branch in selection.branches
    ]
    if len(selects) == 1:
        return selects[0]
    # SQLite takes ORDER BY and LIMIT in a branch only when the branch is a subquery of its own.
    united = union_all(
        *(select(literal_column("id", Integer)).select_from(one.subquery()) for one in selects)
    ).subquery()
    outer = united.c.id.asc() if bounds.ascending else united.c.id.desc()
    return select(united.c.id).order_by(outer).limit(limit)


def _by_values(branch: Branch, bounds: Bounds) -> Select[int]:
    fits = [column == value for column, value in branch]
    order = _MESSAGE.c.id.asc() if bounds.ascending else _MESSAGE.c.id.desc()
    return select(_MESSAGE.c.id).where(*fits, *bounds.conditions()).order_by(order)


def _by_rows(branch: Branch, bounds: Bounds) -> Select[int]:
    """Have PostgreSQL walk along the branch's own index from the bound on, and only as far as the branch goes.

    With plain equality it may walk down the primary key instead, or an index of fewer columns, expecting to meet what
    is wanted soon: after a quiet day that is a walk through millions of rows. So the order names the first column,
    which is a constant that PostgreSQL does not know to be one: only the right index has that order. The last column
    and the id are compared as a row, where the walk begins; the last column alone is bounded too, where it ends.
    """
    (first, first_value), *middle, (last, value) = branch
    fits = [first == any_(literal([first_value], ARRAY(first.type))), *(column == given for column, given in middle)]
    row = tuple_(last, _MESSAGE.c.id)
    wanted = select(_MESSAGE.c.id).where(*fits, *bounds.conditions())
    if bounds.ascending:
        return wanted.where(row > (value, bounds.after or 0), last <= value).order_by(first, last, _MESSAGE.c.id)
    before = MAX_ID if bounds.before is None else bounds.before
    bounded = wanted.where(row < (value, before), last >= value)
    return bounded.order_by(first.desc(), last.desc(), _MESSAGE.c.id.desc())
