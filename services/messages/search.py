"""The full-text index: FTS5 on SQLite, trigrams on PostgreSQL where pg_trgm is there.

`candidates` names messages for queries; `add` and `remove` keep the index true in the transactions that store and prune
messages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from models.messages import Message
from models.search import BLOCK, BLOCK_IDS, INDEX, SOURCE, TRIGRAM_INDEX
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
    """Tell whether pg_trgm's index is there; each connection looks once a minute, not for each search."""
    info, now = session.connection().info, monotonic()
    seen_at, is_there = info.get(TRIGRAM_INDEX, (-KEEP_S, False))
    if now - seen_at >= KEEP_S:
        is_there = session.scalar(select(func.to_regclass(TRIGRAM_INDEX))) is not None
        info[TRIGRAM_INDEX] = now, is_there
    return bool(is_there)


def candidates(
    wanted: Search, dialect: str, *, has_after: bool, has_before: bool, ascending: bool, in_blocks: bool = False
) -> Select[int]:
    """Return the statement of ids by the full-text index, newest first: all that fit, and perhaps some that do not.

    Its column is ``id``. Its parameters are ``rows``, at most so many, and where there are such bounds ``after``, only
    ids above it, ``before``, only ids below it, and ``blocks``, only ids in these, `blocks_of`.

    Args:
        wanted: What to look for; the index can find it (`can_find`).
        dialect: SQLAlchemy's name of it.
        has_after: Whether there is a lower bound.
        has_before: Whether there is an upper bound.
        ascending: The oldest first instead.
        in_blocks: Whether there are blocks, which help PostgreSQL to look at no others.
    """
    id_, named = _by_trigrams(wanted) if dialect == "postgresql" else _by_words(wanted)
    if in_blocks:
        named = named.where(_BLOCK.bool_op("&&")(bindparam("blocks", type_=ARRAY(Integer))))
        # Not by the primary key: PostgreSQL thinks comparing words cheap, and might read the blocks instead.
        id_ = id_ + literal_column("0", Integer)
    if has_after:
        named = named.where(id_ > bindparam("after", type_=BigInteger))
    if has_before:
        named = named.where(id_ < bindparam("before", type_=BigInteger))
    return named.order_by(id_.asc() if ascending else id_.desc()).limit(bindparam("rows", type_=Integer))


def blocks_of(first: int, last: int) -> range:
    """Return the blocks in which there are ids from the first to the last."""
    return range(first // BLOCK_IDS, last // BLOCK_IDS + 1)


def _by_words(wanted: Search) -> tuple[ColumnElement[int], Select[int]]:
    rowid: ColumnElement[int] = literal_column("rowid", Integer)
    named = select(rowid.label("id")).select_from(table(INDEX))
    return rowid, named.where(literal_column(INDEX).op("MATCH")(_match(wanted)))


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


def _by_trigrams(wanted: Search) -> tuple[ColumnElement[int], Select[int]]:
    return _MESSAGE.id, select(_MESSAGE.id).where(*map(_has_trigrams_of, wanted.indexed), *of_filters(wanted))


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
