"""Find messages by their words: FTS5 on SQLite, trigrams on PostgreSQL where pg_trgm is there, else a bounded scan.

`find` is for queries; `add` and `remove` keep the index true in the transactions that store and prune messages.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from models.messages import Message
from models.search import INDEX, SOURCE, TRIGRAM_INDEX
from services.messages.bulk import MessageRow
from services.messages.types import Kind, Severity
from services.messages.upsert import is_postgresql

# A trigram is of three letters, and the beginnings of shorter words are in most messages.
MIN_LETTERS = 3

_ADD = text(
    f"INSERT INTO {INDEX} (rowid, text, tokens) SELECT id, text, tokens FROM {SOURCE} "  # noqa: S608 - own names
    "WHERE id BETWEEN :first AND :last ORDER BY id"
)
_REMOVE = text(
    f"INSERT INTO {INDEX} ({INDEX}, rowid, text, tokens) "  # noqa: S608 - own names
    f"SELECT 'delete', id, text, tokens FROM {SOURCE} WHERE id IN (SELECT value FROM json_each(:ids))"
)


@dataclass(frozen=True, slots=True)
class Words:
    """Messages with words that begin like each of ``words``, in any case; empty sets restrict nothing.

    A word is a run of letters and digits, so ``root-controller`` is two. Sessions and applications are given by id.
    """

    words: tuple[str, ...]
    severities: frozenset[Severity] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    session_ids: frozenset[int] = frozenset()
    application_ids: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        given: str,
        *,
        severities: Collection[Severity] = (),
        kinds: Collection[Kind] = (),
        session_ids: Collection[int] = (),
        application_ids: Collection[int] = (),
    ) -> "Words":
        """Take a text of a person apart."""
        words = tuple(re.findall(r"[^\W_]+", given))
        return cls(words, frozenset(severities), frozenset(kinds), frozenset(session_ids), frozenset(application_ids))

    @property
    def is_indexed(self) -> bool:
        """Whether one word is long enough for the index."""
        return any(len(word) >= MIN_LETTERS for word in self.words)


def find(
    session: Session,
    wanted: Words,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    ascending: bool = False,
) -> list[int] | None:
    """Return ids of messages by the full-text index, newest first, or None: no index helps, look at a bounded stretch.

    Args:
        session: Of a unit of work that reads.
        wanted: What to look for.
        limit: At most so many.
        after: Only ids above this one.
        before: Only ids below this one.
        ascending: The oldest first instead.
    """
    if not wanted.is_indexed:
        return None
    if not is_postgresql(session):
        return _find_by_words(session, wanted, limit, (after, before), ascending=ascending)
    if session.scalar(select(func.to_regclass(TRIGRAM_INDEX))) is None:
        return None
    return _find_by_trigrams(session, wanted, limit, (after, before), ascending=ascending)


def _find_by_words(
    session: Session, wanted: Words, limit: int, bounds: tuple[int | None, int | None], *, ascending: bool
) -> list[int]:
    rowid: ColumnElement[int] = literal_column("rowid", Integer)
    after, before = bounds
    query = select(rowid).select_from(table(INDEX)).where(literal_column(INDEX).op("MATCH")(_match(wanted)))
    if after is not None:
        query = query.where(rowid > after)
    if before is not None:
        query = query.where(rowid < before)
    return list(session.scalars(query.order_by(rowid.asc() if ascending else rowid.desc()).limit(limit)))


def _match(wanted: Words) -> str:
    """Return the expression in FTS5's language: beginnings of words, and one of the tokens of each filter."""
    parts = [f'text : "{word}" *' for word in wanted.words]
    filters: dict[str, Collection[int]] = {
        "s": wanted.severities,
        "k": wanted.kinds,
        "n": wanted.session_ids,
        "a": wanted.application_ids,
    }
    for letter, values in filters.items():
        if values:
            tokens = " OR ".join(f"{letter}{int(value)}" for value in sorted(values))
            parts.append(f"tokens : ({tokens})")
    return " AND ".join(parts)


def _find_by_trigrams(
    session: Session, wanted: Words, limit: int, bounds: tuple[int | None, int | None], *, ascending: bool
) -> list[int]:
    after, before = bounds
    # Letters and digits only, so nothing in a word means anything in a regular expression.
    conditions: list[ColumnElement[bool]] = [Message.text.bool_op("~*")(f"(^|[^[:alnum:]]){word}") for word in wanted.words]
    for column, values in (
        (Message.severity, wanted.severities),
        (Message.kind, wanted.kinds),
        (Message.session_id, wanted.session_ids),
        (Message.application_id, wanted.application_ids),
    ):
        if values:
            conditions.append(column.in_([int(value) for value in sorted(values)]))
    if after is not None:
        conditions.append(Message.id > after)
    if before is not None:
        conditions.append(Message.id < before)
    order = Message.id.asc() if ascending else Message.id.desc()
    return list(session.scalars(select(Message.id).where(*conditions).order_by(order).limit(limit)))


def add(session: Session, rows: Sequence[MessageRow]) -> None:
    """Index new rows of ``message`` (consecutive ids, the greatest there are) in the transaction that stores them."""
    if rows and not is_postgresql(session):
        session.connection().execute(_ADD, {"first": rows[0].id, "last": rows[-1].id})


def remove(session: Session, ids: Sequence[int]) -> None:
    """Take messages out of the index in the transaction that removes them, before it does."""
    if ids and not is_postgresql(session):
        session.connection().execute(_REMOVE, {"ids": f"[{','.join(map(str, ids))}]"})
