"""From a selection to the ids of one page of messages: by indexes, by words, or through a bounded stretch of ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Row,
    Select,
    Subquery,
    any_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, array
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message, MessageRollup
from services.messages import rollups, search
from services.messages.filters import begins_word
from services.messages.search import Search
from services.messages.selection import NO_REST, Branch, Rest, Selection
from services.messages.time_limit import TimeLimit
from services.messages.upsert import table_of

# One statement looks at so many ids of a search, so that none takes long.
CHUNK_IDS = 20_000
# Before the full-text index is asked, rows of the filter are looked at as they lie: a common word fills a page from
# them, and a beginning that a tenth of all messages have costs the index much more. A few rows tell whether it is one,
# and how many more it takes to fill the page, of so many at most.
NEAR_ROWS = 200
NEAR_MOST = 10_000
# Common is what one in so many rows has.
NEAR_FEW = 50
# A quarter more than what fills the page on the average: words do not lie evenly.
MORE = 1.25
# Of several words the index is asked only for those that are rare among so many rows.
SAMPLE_ROWS = 200
# One in so many rows is rare.
FEW = 20
# Then it is asked for as many as probably fill the page, judging by those that it named so far, but for no more than
# so many at a time, and so many altogether.
INDEX_STEP = 4_000
INDEX_MOST = 16_000
# Statements of each sort that are kept.
KEPT = 128
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

    def beyond(self, reached: int) -> "Bounds":
        """Return what is left behind an id, in the direction of reading."""
        return replace(self, after=reached) if self.ascending else replace(self, before=reached)

    def parameters(self) -> dict[str, int]:
        """Return the values of those that there are."""
        return {name: id_ for name, id_ in (("after", self.after), ("before", self.before)) if id_ is not None}

    @property
    def begin(self) -> int | None:
        """The id behind which reading begins; None: the first there is."""
        return self.after if self.ascending else self.before

    def split(self, ids: int) -> tuple["Bounds", "Bounds | None"]:
        """Return the first so many ids, and what is left, None if nothing is; it must be known where reading begins."""
        if self.ascending:
            cut = (self.after or 0) + ids
            end = MAX_ID if self.before is None else self.before
            return (self, None) if cut + 1 >= end else (replace(self, before=cut + 1), replace(self, after=cut))
        cut = (MAX_ID if self.before is None else self.before) - ids
        end = self.after or 0
        return (self, None) if cut - 1 <= end else (replace(self, after=cut - 1), replace(self, before=cut))


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
    found, rest = _look_near(session, selection, bounds, limit)
    if rest is None or len(found) > limit:
        return Found(found[:limit], has_more=len(found) > limit)
    sought = _rarest(session, selection, sought, bounds)
    looked_at = fitting = 0
    while looked_at < INDEX_MOST:
        if time_limit.is_over:
            return Found(found, has_more=True, scanned_to=rest.begin, timed_out=True)
        step = min(_enough(limit + 1 - len(found), fitting, looked_at), INDEX_STEP, INDEX_MOST - looked_at)
        try:
            named = _named(session, selection, sought, rest, step)
        except DBAPIError as error:
            if not time_limit.has_stopped(error):
                raise
            return Found(found, has_more=True, scanned_to=rest.begin, timed_out=True)
        fits = _fitting(named)
        found += fits
        if len(found) > limit or len(named) < step:
            return Found(found[:limit], has_more=len(found) > limit)
        looked_at, fitting = looked_at + step, fitting + len(fits)
        rest = rest.beyond(named[-1][0])
    return Found(found, has_more=True, scanned_to=rest.begin)


def _enough(wanted: int, fitting: int, looked_at: int) -> int:
    """Return how many to look at next to find so many, when among those looked at so many fitted."""
    rate = max(fitting, 1) / looked_at if looked_at else 1.0
    return ceil(wanted / rate * MORE)


def _look_near(session: Session, selection: Selection, bounds: Bounds, limit: int) -> tuple[list[int], Bounds | None]:
    """Look at the first rows as they lie: a few, and then so many as probably fill the page if the words are common.

    Return the ids that fit, perhaps more than ``limit``, and what was not looked at; None: nothing is left.
    """
    near = _near(session, selection, bounds, NEAR_ROWS, at_once=False)
    found, looked_at = near.fitting, NEAR_ROWS
    if near.rows < NEAR_ROWS:
        return found, None
    ids_a_row = (abs(near.first - near.last) + 1) / NEAR_ROWS
    rest: Bounds | None = bounds.beyond(near.last)
    while rest is not None and len(found) <= limit and looked_at < NEAR_MOST and len(found) >= looked_at // NEAR_FEW:
        step = min(_enough(limit + 1 - len(found), len(found), looked_at), NEAR_MOST - looked_at)
        stretch, rest_of_all = rest.split(ceil(step * ids_a_row))
        near = _near(session, selection, stretch, step, at_once=True)
        found += near.fitting
        looked_at += step
        rest = rest.beyond(near.last) if near.rows == step else rest_of_all
    return found, rest


@dataclass(frozen=True, slots=True)
class _Near:
    """So many rows were looked at, from the first id to the last in the order of reading; these fit."""

    rows: int
    first: int
    last: int
    fitting: list[int]


def _near(session: Session, selection: Selection, bounds: Bounds, step: int, *, at_once: bool) -> _Near:
    """Look at the first rows whatever their text says.

    ``at_once``: there are not many more than those, so that PostgreSQL may look at each as it walks along the branches.
    """
    shape = _shape(session, selection, bounds)
    parameters = shape.parameters(selection.branches, bounds, step)
    found = session.execute(_near_statement(shape, selection.rest, at_once=at_once), parameters)
    if shape.is_postgresql:
        rows, least, greatest, fitting = tuple(found.one())
        first, last = (least, greatest) if bounds.ascending else (greatest, least)
        return _Near(rows, first or 0, last or 0, fitting or [])
    seen = found.all()
    return _Near(len(seen), seen[0][0], seen[-1][0], _fitting(seen)) if seen else _Near(0, 0, 0, [])


def _fitting(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[int]:
    return [id_ for id_, is_fitting in rows if is_fitting]


def _rarest(session: Session, selection: Selection, sought: Search, near: Bounds) -> Search:
    """Leave out words that many rows near have: to put their places together costs the index more than the rest."""
    if len(sought.indexed) == 1:
        return sought
    shape = _shape(session, selection, near)
    parameters = shape.parameters(selection.branches, near, SAMPLE_ROWS)
    counts = session.execute(_sample_statement(shape, sought.indexed), parameters).one()
    few = max(min(counts), SAMPLE_ROWS // FEW)
    return replace(
        sought, words=tuple(word for word, count in zip(sought.indexed, counts, strict=True) if count <= few)
    )


def _named(
    session: Session, selection: Selection, sought: Search, bounds: Bounds, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return ids that the full-text index names, in the order of reading, and whether they fit altogether.

    On PostgreSQL only those that do.
    """
    shape = _shape(session, selection, bounds)
    parameters = {"rows": limit} | bounds.parameters()
    return session.execute(_named_statement(shape, selection.rest, sought), parameters).all()


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
    return list(session.scalars(*_asked(session, selection, bounds, limit)).all())


_Statement = Select[Any] | CompoundSelect[Any]


def _asked(session: Session, selection: Selection, bounds: Bounds, limit: int) -> tuple[_Statement, dict[str, Any]]:
    """Return the statement of the first ids of a selection, and its parameters."""
    shape = _shape(session, selection, bounds)
    return _statement(shape, selection.rest), shape.parameters(selection.branches, bounds, limit)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement looks like, without its values: columns of each branch, how many branches, which bounds.

    For PostgreSQL the number of branches does not matter; it is 1.
    """

    columns: tuple[str, ...]
    branches: int
    has_after: bool
    has_before: bool
    ascending: bool
    is_postgresql: bool

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of it."""
        return "postgresql" if self.is_postgresql else "sqlite"

    @property
    def by_rows(self) -> bool:
        """Whether branches are rows of parameters (`_lateral`)."""
        return self.is_postgresql and bool(self.columns)

    def parameters(self, branches: Sequence[Branch], bounds: Bounds, limit: int) -> dict[str, Any]:
        """Return the values for the names that the statement has."""
        values: dict[str, Any] = {"rows": limit}
        if self.by_rows:
            values |= {name: [branch[place][1] for branch in branches] for place, name in enumerate(self.columns)}
        else:
            for number, branch in enumerate(branches):
                values |= {_name(number, place): value for place, (_, value) in enumerate(branch)}
        if self.has_after or (self.by_rows and self.ascending):
            values["after"] = bounds.after or 0
        if self.has_before or (self.by_rows and not self.ascending):
            values["before"] = MAX_ID if bounds.before is None else bounds.before
        return values


def _shape(session: Session, selection: Selection, bounds: Bounds) -> _Shape:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return _Shape(
        columns=tuple(column.name for column, _ in selection.branches[0]),
        branches=1 if is_postgresql else len(selection.branches),
        has_after=bounds.after is not None,
        has_before=bounds.before is not None,
        ascending=bounds.ascending,
        is_postgresql=is_postgresql,
    )


def _name(branch: int, place: int) -> str:
    return f"value_{branch}_{place}"


# The same few statements are asked for all the time, and to build one costs more than to run it. Whole ones are kept,
# not conditions: where one stands in a statement as it is and negated, SQLAlchemy takes their parameters for the same
# ones when it fills other values into the form that it keeps itself.


@lru_cache(maxsize=KEPT)
def _near_statement(shape: _Shape, rest: Rest, *, at_once: bool) -> _Statement:
    """Return the statement of `_near`: ids and whether they fit; from PostgreSQL one row, `_put_together`."""
    if shape.by_rows and at_once:
        return _put_together(shape, _lateral(shape, lambda walk: walk.add_columns(_fits(rest, shape))))
    if shape.by_rows:
        return _put_together(shape, _looked_at(_statement(shape, NO_REST).subquery("near"), rest, shape))
    # SQLite walks along all branches side by side: it looks at no more rows than it is asked for.
    branches = (_by_values(shape, number) for number in range(shape.branches))
    found = _united(shape, [branch.add_columns(_fits(rest, shape)) for branch in branches])
    return _put_together(shape, found) if shape.is_postgresql else found


def _fits(rest: Rest, shape: _Shape) -> ColumnElement[bool]:
    return rest.condition(shape.dialect).label("fits")


def _put_together(shape: _Shape, found: _Statement) -> Select[Any]:
    """Return how many ids there are, the least, the greatest, and in the order of reading those that fit.

    To bring a thousand rows from PostgreSQL costs more than to find them.
    """
    seen = found.subquery("seen")
    id_ = seen.c.id
    fitting = func.array_agg(aggregate_order_by(id_, id_.asc() if shape.ascending else id_.desc()))
    parts: tuple[ColumnElement[Any], ...] = (func.count(), func.min(id_), func.max(id_), fitting.filter(seen.c.fits))
    return select(*parts)


@lru_cache(maxsize=KEPT)
def _sample_statement(shape: _Shape, words: tuple[str, ...]) -> Select[*tuple[int, ...]]:
    """Return the statement that counts, for each word, how many of the first rows have it."""
    first = _statement(shape, NO_REST).subquery()
    hits = [func.sum(case((begins_word(word, shape.dialect), 1), else_=0)) for word in words]
    return select(*hits).where(_MESSAGE.c.id.in_(select(first.c.id)))


@lru_cache(maxsize=KEPT)
def _named_statement(shape: _Shape, rest: Rest, sought: Search) -> Select[Any]:
    """Return the statement of `_named`."""
    named = search.candidates(
        sought, shape.dialect, has_after=shape.has_after, has_before=shape.has_before, ascending=shape.ascending
    )
    if shape.is_postgresql:
        # It fetches all rows that the index names before it puts them in order: what else must fit is seen at once.
        return named.add_columns(true()).where(rest.condition(shape.dialect))
    return _looked_at(named.subquery("named"), rest, shape)


def _looked_at(ids: Subquery, rest: Rest, shape: _Shape) -> Select[Any]:
    """Return the statement of some ids, in the order of reading, and whether they fit."""
    id_ = _MESSAGE.c.id
    named = select(ids.c.id)
    # As an array, or PostgreSQL walks down the primary key for each.
    is_named = id_ == any_(func.array(named.scalar_subquery())) if shape.is_postgresql else id_.in_(named)
    wanted = select(id_, _fits(rest, shape)).where(is_named)
    return wanted.order_by(id_ if shape.ascending else id_.desc())


@lru_cache(maxsize=KEPT)
def _statement(shape: _Shape, rest: Rest) -> _Statement:
    """Return the statement of the first ids."""
    if shape.by_rows:
        return _lateral(shape, lambda walk: walk.where(*_if_any(rest, shape)))
    branches = (_by_values(shape, number) for number in range(shape.branches))
    return _united(shape, [branch.where(*_if_any(rest, shape)) for branch in branches])


def _united(shape: _Shape, branches: Sequence[Select[Any]]) -> _Statement:
    """Return the branches in one order: without one of their own SQLite merges them, and stops when it has enough."""
    rows = bindparam("rows", type_=Integer)
    if len(branches) == 1:
        return branches[0].order_by(_MESSAGE.c.id.asc() if shape.ascending else _MESSAGE.c.id.desc()).limit(rows)
    id_: ColumnElement[int] = literal_column("id", Integer)
    return union_all(*branches).order_by(id_.asc() if shape.ascending else id_.desc()).limit(rows)


def _bounded(shape: _Shape) -> Select[int]:
    wanted = select(_MESSAGE.c.id)
    if shape.has_after:
        wanted = wanted.where(_MESSAGE.c.id > bindparam("after", type_=BigInteger))
    if shape.has_before:
        wanted = wanted.where(_MESSAGE.c.id < bindparam("before", type_=BigInteger))
    return wanted


def _by_values(shape: _Shape, number: int) -> Select[int]:
    columns = [_MESSAGE.c[name] for name in shape.columns]
    fits = [column == bindparam(_name(number, place), type_=column.type) for place, column in enumerate(columns)]
    return _bounded(shape).where(*fits)


def _if_any(rest: Rest, shape: _Shape) -> tuple[ColumnElement[bool], ...]:
    return (rest.condition(shape.dialect),) if rest else ()


def _lateral(shape: _Shape, looking: Callable[[Select[int]], Select[Any]]) -> Select[Any]:
    """Return the branches as rows of parameters: PostgreSQL plans one walk for all of them, however many there are.

    ``looking`` adds to the walk what is to be looked at on the way.
    """
    rows = bindparam("rows", type_=Integer)
    columns = [_MESSAGE.c[name] for name in shape.columns]
    values = [bindparam(wanted.name, type_=ARRAY(wanted.type)) for wanted in columns]
    named = [column(wanted.name, wanted.type) for wanted in columns]
    branch = func.unnest(*values).table_valued(*named).render_derived(name="branch")
    walk = _walk(shape, [branch.c[name] for name in shape.columns])
    found = looking(walk).limit(rows).lateral("found")
    outer = found.c.id.asc() if shape.ascending else found.c.id.desc()
    return select(*found.c).select_from(branch.join(found, true())).order_by(outer).limit(rows)


def _walk(shape: _Shape, values: Sequence[ColumnElement[int]]) -> Select[int]:
    """Have PostgreSQL walk along the branch's own index from the bound on, and only as far as the branch goes.

    With plain equality it may walk down the primary key instead, or an index of fewer columns, expecting to meet what
    is wanted soon: after a quiet day that is a walk through millions of rows. So the order names the first column,
    which is a constant that PostgreSQL does not know to be one: only the right index has that order. The last column
    and the id are compared as a row, where the walk begins; the last column alone is bounded too, where it ends.

    Between two bounds equality serves: a second row to end at would not end the walk.
    """
    first, *others, last = (_MESSAGE.c[name] for name in shape.columns)
    wanted = _bounded(shape).where(
        first == any_(array([values[0]], type_=first.type)),
        *(one == given for one, given in zip(others, values[1:-1], strict=True)),
    )
    value, row = values[-1], tuple_(last, _MESSAGE.c.id)
    if shape.ascending:
        order = wanted.order_by(first, last, _MESSAGE.c.id)
        begin = row > tuple_(value, bindparam("after", type_=BigInteger))
        return order.where(last == value) if shape.has_before else order.where(begin, last <= value)
    order = wanted.order_by(first.desc(), last.desc(), _MESSAGE.c.id.desc())
    begin = row < tuple_(value, bindparam("before", type_=BigInteger))
    return order.where(last == value) if shape.has_after else order.where(begin, last >= value)
