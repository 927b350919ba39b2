"""Many rows of ``message`` at once, the fastest way that each engine has: COPY, or one prepared statement."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.messages.upsert import is_postgresql


class MessageRow(NamedTuple):
    """One row of ``message``, ready for the driver; ``detail`` is JSON. The fields are the columns, in this order."""

    id: int
    incarnation_id: int
    topic_id: int
    partition: int
    offset: int
    time_ns: int
    received_ns: int
    kind: int
    severity: int
    session_id: int
    application_id: int
    name: str
    text: str
    detail: str | None


_NAMES = ", ".join(f'"{name}"' for name in MessageRow._fields)
_INSERT = f"INSERT INTO message ({_NAMES}) VALUES ({', '.join('?' * len(MessageRow._fields))})"  # noqa: S608
_UNLESS_STORED = 'ON CONFLICT (incarnation_id, topic_id, partition, "offset") DO NOTHING'
_STAGE = "CREATE TEMPORARY TABLE message_batch (LIKE message) ON COMMIT DROP"
_UNSTAGE = f"INSERT INTO message ({_NAMES}) SELECT {_NAMES} FROM message_batch ORDER BY id {_UNLESS_STORED}"  # noqa: S608


def nothing() -> None:
    """Do nothing."""


def insert_all(session: Session, rows: Sequence[MessageRow], meanwhile: Callable[[], None] = nothing) -> None:
    """Insert rows in the caller's transaction, all or none.

    Args:
        session: The caller's.
        rows: What to insert.
        meanwhile: Called when the database has them all, and works by itself.

    Raises:
        sqlalchemy.exc.IntegrityError: One of them is stored already. On PostgreSQL the transaction is spoilt.
        sqlalchemy.exc.DBAPIError, OverflowError, UnicodeError: A value is refused, or the database is gone.
    """
    if not rows:
        return
    if is_postgresql(session):
        _copy(session, "message", rows, meanwhile)
    else:
        session.connection().exec_driver_sql(_INSERT, _plain(rows))
        meanwhile()


def insert_missing(session: Session, rows: Sequence[MessageRow]) -> set[int]:
    """Insert rows in the caller's transaction except those that are stored already; return the ids of the new ones.

    Raises: as `insert_all`, but for rows that are stored.
    """
    if not rows:
        return set()
    if is_postgresql(session):
        session.execute(text(_STAGE))
        _copy(session, "message_batch", rows, nothing)
        session.execute(text(_UNSTAGE))
    else:
        session.connection().exec_driver_sql(f"{_INSERT} {_UNLESS_STORED}", _plain(rows))
    ids = {"first": rows[0].id, "last": rows[-1].id}
    return set(session.scalars(text("SELECT id FROM message WHERE id BETWEEN :first AND :last"), ids).all())


def _plain(rows: Sequence[MessageRow]) -> list[tuple[object, ...]]:
    """Return rows as tuples and nothing more: of those with names SQLite's driver takes each value the long way."""
    return [tuple(row) for row in rows]


def _copy(session: Session, table: str, rows: Sequence[MessageRow], meanwhile: Callable[[], None]) -> None:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):  # pragma: no cover - `models.database` knows no other driver
        raise TypeError(f"COPY needs psycopg, not {type(connection).__name__}")
    statement = f"COPY {table} ({_NAMES}) FROM STDIN"
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
            meanwhile()
    except psycopg.Error as error:
        # As SQLAlchemy says it, so that callers need not know the driver.
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error
