"""``INSERT ... ON CONFLICT``, which both engines have under their own dialects, and the writers' lock."""

from sqlalchemy import FromClause, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.base import Base

# Any number, the same for all collectors of one database: ASCII of "msgs".
_WRITERS_LOCK = 0x6D736773


def is_postgresql(session: Session) -> bool:
    """Whether the session speaks to PostgreSQL; otherwise to SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def insert_into(session: Session, table: type[Base]) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT of the session's dialect, with ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    target = table_of(table)
    return postgresql.insert(target) if is_postgresql(session) else sqlite.insert(target)


def table_of(model: type[Base]) -> Table:
    """Return the table behind a model, for core statements."""
    table: FromClause = model.__table__
    if not isinstance(table, Table):  # pragma: no cover - no model here maps anything else
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table


def writers_turn(session: Session) -> None:
    """Wait until no other transaction writes messages, and keep it so until this one ends.

    On PostgreSQL an advisory lock: ids are allocated and committed under it, so that they grow in the order of
    commits, and a reader that follows ``after`` misses nothing. SQLite has one writer anyway.
    """
    if is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})
    else:
        session.execute(select(1))  # BEGIN IMMEDIATE comes with the first statement
