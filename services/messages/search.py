"""The full-text index: FTS5 on SQLite, trigrams on PostgreSQL where pg_trgm is there.

`candidates` names messages for queries; `add` and `remove` keep the index true in the transactions that store and prune
messages.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from models.messages import Message
from models.search import BLOCK, BLOCK_IDS, INDEX, INDEX_NUMBER, SECTION_IDS, SOURCE, TRIGRAM_INDEXES
from services.messages.bulk import MessageRow
from services.messages.filters import BEFORE_WORD_POSTGRESQL
from services.messages.types import Severity
from services.messages.upsert import is_postgresql, table_of

# A trigram is of three letters, and the beginnings of shorter words are in most messages.
MIN_LETTERS = 3
# The beginning of a word says more of a short one. Of a longer one it is enough, and quicker, to ask for its letters
# wherever they are.
LONG_LETTERS = 5
KEEP_S = 60.0
# The table, not the model, whose part costs more than the query.
_MESSAGE = table_of(Message).c
_BLOCK: ColumnElement[Sequence[int]] = literal_column(BLOCK, ARRAY(Integer))
# Numbers of PostgreSQL's.
ALL_INDEXES = range(len(TRIGRAM_INDEXES))
_ASCII = re.compile(r"[0-9a-z]*")

_ADD = text(
    f"INSERT INTO {INDEX} (rowid, text, tokens) SELECT id, text, tokens FROM {SOURCE} "  # noqa: S608 - own names
    "WHERE id BETWEEN :first AND :last ORDER BY id"
)
_REMOVE = text(
    f"INSERT INTO {INDEX} ({INDEX}, rowid, text, tokens) "  # noqa: S608 - own names
    f"SELECT 'delete', id, text, tokens FROM {SOURCE} WHERE id IN (SELECT value FROM json_each(:ids))"
)


@dataclass(frozen=True, slots=True)
class Search:
    """Messages with words that begin like each of ``words``; what is empty restricts nothing. It can be a key.

    ``words`` are those of `services.messages.filters.words_of`. Sessions and applications are given by id.
    """

    words: tuple[str, ...]
    severities: tuple[Severity, ...] = ()
    session_ids: tuple[int, ...] = ()
    application_ids: tuple[int, ...] = ()

    @property
    def indexed(self) -> tuple[str, ...]:
        """The beginnings of words, up to what is beyond ASCII, that are long enough for the index.

        Engines do not agree on letters beyond ASCII, so these are not asked for.
        """
        found = (_ASCII.match(word) for word in self.words)
        return tuple(match[0] for match in found if match and len(match[0]) >= MIN_LETTERS)


def can_find(session: Session, wanted: Search) -> bool:
    """Tell whether the database has an index that helps."""
    if not wanted.indexed:
        return False
    return not is_postgresql(session) or _has_trigrams(session)


def _has_trigrams(session: Session) -> bool:
    """Tell whether the indexes of pg_trgm are there; each connection looks once a minute, not for each search."""
    info, now = session.connection().info, monotonic()
    seen_at, is_there = info.get(TRIGRAM_INDEXES, (-KEEP_S, False))
    if now - seen_at >= KEEP_S:
        is_there = None not in session.execute(select(*map(func.to_regclass, TRIGRAM_INDEXES))).one()
        info[TRIGRAM_INDEXES] = now, is_there
    return bool(is_there)


@dataclass(frozen=True, slots=True)
class Within:
    """In how many of PostgreSQL's indexes to look, and whether only in some blocks; SQLite has one index."""

    indexes: int = 0
    in_blocks: bool = False

    @staticmethod
    def parameters(numbers: Sequence[int], blocks: Sequence[int] = ()) -> dict[str, Any]:
        """Return the values by which a statement knows its indexes, `index_numbers`, and blocks, `blocks_of`."""
        values: dict[str, Any] = {f"index_{place}": number for place, number in enumerate(numbers)}
        return values | {"blocks": list(blocks)} if blocks else values


# Keeps what a statement selects within bounds of its ids.
_Bounded = Callable[[Select[Any], ColumnElement[int]], Select[Any]]


def candidates(
    wanted: Search,
    dialect: str,
    *,
    has_after: bool,
    has_before: bool,
    ascending: bool,
    within: Within = Within(),
    where: Sequence[ColumnElement[bool]] = (),
    columns: Sequence[ColumnElement[Any]] = (),
) -> Select[Any] | CompoundSelect[Any]:
    """Return the statement of ids by the full-text index, newest first: all that fit, and perhaps some that do not.

    Its first column is ``id``. Its parameters are ``rows``, at most so many, where there are such bounds ``after``,
    only ids above it, and ``before``, only ids below it, and those of ``within``.

    Args:
        wanted: What to look for; the index can find it (`can_find`).
        dialect: SQLAlchemy's name of it.
        has_after: Whether there is a lower bound.
        has_before: Whether there is an upper bound.
        ascending: The oldest first instead.
        within: Where PostgreSQL may find what is within the bounds.
        where: What else PostgreSQL's messages must be.
        columns: What else to tell of PostgreSQL's messages.
    """
    bounded = partial(keep_within, has_after=has_after, has_before=has_before)
    if dialect == "postgresql":
        id_, named = _named_by_trigrams(wanted, within, bounded, where, columns)
    else:
        id_, named = _named_by_words(wanted, bounded)
    return named.order_by(id_.asc() if ascending else id_.desc()).limit(bindparam("rows", type_=Integer))


def _named_by_words(wanted: Search, bounded: _Bounded) -> tuple[ColumnElement[int], Select[Any]]:
    """Return by what SQLite orders, and what its index names."""
    rowid: ColumnElement[int] = literal_column("rowid", Integer)
    fitting = literal_column(INDEX).op("MATCH")(_match(wanted))
    return rowid, bounded(select(rowid.label("id")).select_from(table(INDEX)).where(fitting), rowid)


def _named_by_trigrams(
    wanted: Search,
    within: Within,
    bounded: _Bounded,
    where: Sequence[ColumnElement[bool]],
    columns: Sequence[ColumnElement[Any]],
) -> tuple[ColumnElement[int], Select[Any] | CompoundSelect[Any]]:
    """Return by what PostgreSQL orders, and what its indexes name."""
    # Not by the primary key: PostgreSQL thinks comparing words cheap, and might read all messages of a section instead.
    id_ = _MESSAGE.id + literal_column("0", Integer)
    named = select(_MESSAGE.id, *columns).where(*where)
    # One part for each index: for all together PostgreSQL would compare the words of a message once for each of them.
    parts = [
        bounded(named.where(*_by_trigrams(wanted, place, in_blocks=within.in_blocks)), id_)
        for place in range(within.indexes)
    ]
    return (id_, parts[0]) if len(parts) == 1 else (literal_column("id", Integer), union_all(*parts))


def keep_within(named: Select[Any], id_: ColumnElement[int], *, has_after: bool, has_before: bool) -> Select[Any]:
    """Return a statement with such bounds of its ids as there are: its parameters ``after`` and ``before``."""
    if has_after:
        named = named.where(id_ > bindparam("after", type_=BigInteger))
    if has_before:
        named = named.where(id_ < bindparam("before", type_=BigInteger))
    return named


def blocks_of(first: int, last: int) -> range:
    """Return the blocks in which there are ids from the first to the last."""
    return range(first // BLOCK_IDS, last // BLOCK_IDS + 1)


def index_numbers(first: int, last: int) -> Sequence[int]:
    """Return which of PostgreSQL's indexes have ids from the first to the last."""
    sections, number = range(first // SECTION_IDS, last // SECTION_IDS + 1), len(ALL_INDEXES)
    return ALL_INDEXES if len(sections) >= number else [section % number for section in sections]


def _match(wanted: Search) -> str:
    """Return the expression in FTS5's language: beginnings of words, and one of the tokens of each filter."""
    severities = [f"s{severity.value}" for severity in wanted.severities]
    sessions = [f"n{id_}" for id_ in wanted.session_ids]
    applications = [f"a{id_}" for id_ in wanted.application_ids]
    # Severities of a session have tokens of their own, which far fewer messages have than either.
    both = [session + severity for session in sessions for severity in severities]
    parts = [f'text : "{word}" *' for word in wanted.indexed]
    parts += [f"tokens : ({' OR '.join(some)})" for some in (both or sessions or severities, applications) if some]
    return " AND ".join(parts)


def _by_trigrams(wanted: Search, place: int, *, in_blocks: bool) -> Iterator[ColumnElement[bool]]:
    # As it stands in the condition of the index, for PostgreSQL to see that it may take it.
    number: ColumnElement[int] = literal_column(INDEX_NUMBER, BigInteger)
    yield number == bindparam(f"index_{place}", type_=BigInteger)
    yield from map(_has_trigrams_of, wanted.indexed)
    yield from of_filters(wanted)
    if in_blocks:
        yield _BLOCK.bool_op("&&")(bindparam("blocks", type_=ARRAY(Integer)))


def of_filters(wanted: Search) -> list[ColumnElement[bool]]:
    """Return what a message must be beside its words, as conditions on the table ``message``."""
    columns = (
        (_MESSAGE.severity, wanted.severities),
        (_MESSAGE.session_id, wanted.session_ids),
        (_MESSAGE.application_id, wanted.application_ids),
    )
    return [column.in_([int(value) for value in sorted(values)]) for column, values in columns if values]


def _has_trigrams_of(word: str) -> ColumnElement[bool]:
    # By the collation of the index, or it would be of no use. As literals, not as parameters: a plan for any word would
    # rather walk through all messages than ask the index for one that few have.
    indexed = _MESSAGE.text.collate("C")
    if len(word) >= LONG_LETTERS:
        return indexed.ilike(literal(f"%{word}%", literal_execute=True))
    return indexed.bool_op("~*")(literal(BEFORE_WORD_POSTGRESQL + word, literal_execute=True))


def add(session: Session, rows: Sequence[MessageRow]) -> None:
    """Index new rows of ``message`` (consecutive ids, the greatest there are) in the transaction that stores them."""
    if rows and not is_postgresql(session):
        session.connection().execute(_ADD, {"first": rows[0].id, "last": rows[-1].id})


def remove(session: Session, ids: Sequence[int]) -> None:
    """Take messages out of the index in the transaction that removes them, before it does."""
    if ids and not is_postgresql(session):
        session.connection().execute(_REMOVE, {"ids": f"[{','.join(map(str, ids))}]"})
