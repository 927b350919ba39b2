"""The statements by which messages are found, each built once: shapes without values, and values for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Subquery,
    and_,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from models.messages import Message
from services.messages import search
from services.messages.filters import begins_word
from services.messages.search import Search, Within
from services.messages.selection import NO_REST, Branch, Rest
from services.messages.upsert import table_of

# Statements of each sort that are kept.
KEPT = 128
# Above every id.
MAX_ID = 2**63 - 1

Statement = Select[Any] | CompoundSelect[Any]
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
    def index_numbers(self) -> Sequence[int]:
        """Which of PostgreSQL's full-text indexes have ids within."""
        if self.before is None:
            return search.ALL_INDEXES
        return search.index_numbers((self.after or 0) + 1, max(self.before - 1, 0))

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
class Seen:
    """So many rows were looked at, from the first id to the last in the order of reading; these fit.

    ``having``: how many have each of the words that were asked for beside.
    """

    rows: int
    first: int
    last: int
    fitting: list[int]
    having: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of a page, and whether there may be more; ``scanned_to`` and ``timed_out`` as in `MessagePage`."""

    ids: list[int]
    has_more: bool
    scanned_to: int | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement looks like, without its values: columns of each branch, how many branches, which bounds.

    For PostgreSQL the number of branches does not matter; it is 1.
    """

    columns: tuple[str, ...]
    branches: int
    has_after: bool
    has_before: bool
    ascending: bool
    is_postgresql: bool

    @classmethod
    def of(cls, branches: Sequence[Branch], bounds: Bounds, dialect: str) -> "Shape":
        """Return the shape for some branches within bounds; ``dialect`` is SQLAlchemy's name of it."""
        is_postgresql = dialect == "postgresql"
        return cls(
            columns=tuple(column.name for column, _ in branches[0]),
            branches=1 if is_postgresql else len(branches),
            has_after=bounds.after is not None,
            has_before=bounds.before is not None,
            ascending=bounds.ascending,
            is_postgresql=is_postgresql,
        )

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


def _name(branch: int, place: int) -> str:
    return f"value_{branch}_{place}"


# The same few statements are asked for all the time, and to build one costs more than to run it. Whole ones are kept,
# not conditions: where one stands in a statement as it is and negated, SQLAlchemy takes their parameters for the same
# ones when it fills other values into the form that it keeps itself.


@lru_cache(maxsize=KEPT)
def near(shape: Shape, rest: Rest, words: tuple[str, ...], *, at_once: bool) -> Statement:
    """Return the statement of the first ids, whether they fit, and whether they have each of ``words``.

    From PostgreSQL one row, `_put_together`. ``at_once``: there are not many more than those, so that PostgreSQL may
    look at each as it walks along the branches.
    """
    if shape.by_rows and at_once:
        return _put_together(shape, _lateral(shape, lambda walk: walk.add_columns(*_seen(rest, shape, words))))
    if shape.by_rows:
        return _put_together(shape, _looked_at(first_ids(shape, NO_REST).subquery("near"), rest, shape, words))
    # SQLite walks along all branches side by side: it looks at no more rows than it is asked for.
    branches = (_by_values(shape, number) for number in range(shape.branches))
    found = _united(shape, [branch.add_columns(*_seen(rest, shape, words)) for branch in branches])
    return _put_together(shape, found) if shape.is_postgresql else found


def _seen(rest: Rest, shape: Shape, words: Sequence[str] = ()) -> list[ColumnElement[bool]]:
    """Return what is to be known of a row: ``fits``, and for each word whether it has it."""
    having = (begins_word(word, shape.dialect).label(f"has_{place}") for place, word in enumerate(words))
    return [rest.condition(shape.dialect).label("fits"), *having]


def _put_together(shape: Shape, found: Statement) -> Select[Any]:
    """Return how many ids there are, the least, the greatest, in the order of reading those that fit, then word counts.

    To bring a thousand rows from PostgreSQL costs more than to find them.
    """
    seen = found.subquery("seen")
    id_, fits, *having = seen.c
    fitting = func.array_agg(aggregate_order_by(id_, id_.asc() if shape.ascending else id_.desc()))
    parts: tuple[ColumnElement[Any], ...] = (func.count(), func.min(id_), func.max(id_), fitting.filter(fits))
    return select(*parts, *(func.count().filter(has_word) for has_word in having))


@lru_cache(maxsize=KEPT)
def named(shape: Shape, rest: Rest, sought: Search, within: Within) -> Select[Any]:
    """Return the statement of ids that the full-text index names, in the order of reading, and whether they fit.

    From PostgreSQL one row, `_put_together`, only of those that do.
    """
    if shape.is_postgresql:
        # It fetches all rows that the index names before it puts them in order: what else must fit is seen at once.
        fitting = rest.condition(shape.dialect, sought.indexed)
        return _put_together(shape, _candidates(shape, sought, within, where=[fitting], columns=[true().label("fits")]))
    return _looked_at(_candidates(shape, sought, within).subquery("named"), rest, shape)


@lru_cache(maxsize=KEPT)
def sampled(shape: Shape, rest: Rest, sought: Search) -> Select[Any]:
    """Return the statement of all ids that PostgreSQL's index names for the words in some blocks, and which fit.

    One row, `_put_together`.
    """
    words = replace(sought, severities=(), session_ids=(), application_ids=())
    fits = and_(*search.of_filters(sought), rest.condition(shape.dialect, sought.indexed))
    return _put_together(shape, _candidates(shape, words, Within(1, in_blocks=True), columns=[fits.label("fits")]))


def _candidates(
    shape: Shape,
    sought: Search,
    within: Within,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    columns: Sequence[ColumnElement[Any]] = (),
) -> Statement:
    return search.candidates(
        sought,
        shape.dialect,
        has_after=shape.has_after,
        has_before=shape.has_before,
        ascending=shape.ascending,
        within=within,
        where=where,
        columns=columns,
    )


def _looked_at(ids: Subquery, rest: Rest, shape: Shape, words: Sequence[str] = ()) -> Select[Any]:
    """Return the statement of some ids, in the order of reading, and what is known of them, `_seen`."""
    id_ = _MESSAGE.c.id
    wanted = select(ids.c.id)
    # As an array, or PostgreSQL walks down the primary key for each.
    is_wanted = id_ == any_(func.array(wanted.scalar_subquery())) if shape.is_postgresql else id_.in_(wanted)
    seen = select(id_, *_seen(rest, shape, words)).where(is_wanted)
    return seen.order_by(id_ if shape.ascending else id_.desc())


@lru_cache(maxsize=KEPT)
def first_ids(shape: Shape, rest: Rest) -> Statement:
    """Return the statement of the first ids."""
    if shape.by_rows:
        return _lateral(shape, lambda walk: walk.where(*_if_any(rest, shape)))
    branches = (_by_values(shape, number) for number in range(shape.branches))
    return _united(shape, [branch.where(*_if_any(rest, shape)) for branch in branches])


def _united(shape: Shape, branches: Sequence[Select[Any]]) -> Statement:
    """Return the branches in one order: without one of their own SQLite merges them, and stops when it has enough."""
    rows = bindparam("rows", type_=Integer)
    if len(branches) == 1:
        return branches[0].order_by(_MESSAGE.c.id.asc() if shape.ascending else _MESSAGE.c.id.desc()).limit(rows)
    id_: ColumnElement[int] = literal_column("id", Integer)
    return union_all(*branches).order_by(id_.asc() if shape.ascending else id_.desc()).limit(rows)


def _bounded(shape: Shape) -> Select[int]:
    id_ = _MESSAGE.c.id
    return search.keep_within(select(id_), id_, has_after=shape.has_after, has_before=shape.has_before)


def _by_values(shape: Shape, number: int) -> Select[int]:
    columns = [_MESSAGE.c[name] for name in shape.columns]
    fits = [column == bindparam(_name(number, place), type_=column.type) for place, column in enumerate(columns)]
    return _bounded(shape).where(*fits)


def _if_any(rest: Rest, shape: Shape) -> tuple[ColumnElement[bool], ...]:
    return (rest.condition(shape.dialect),) if rest else ()


def _lateral(shape: Shape, looking: Callable[[Select[int]], Select[Any]]) -> Select[Any]:
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


def _walk(shape: Shape, values: Sequence[ColumnElement[int]]) -> Select[int]:
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
