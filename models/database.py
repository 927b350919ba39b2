"""The one way to the database: engines, units of work, and the check of the schema."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from models.filesystem import network_kind

MIGRATIONS = Path(__file__).parent / "migrations"

# A writer waits this long for its turn. Batches are short (design: 50 ms), so longer means something is wrong.
BUSY_TIMEOUT_MS = 5_000
# SQLite looks again after 1, 2, 5, 10 … up to 100 ms: who waits so long between two looks is overtaken again and again
# by a collector in a flood. So it may only do so for a moment, and then begins anew.
LOOK_MS = 8
SQLITE_PRIMARY_CODE = 0xFF
WRITER_CACHE_KIB = 32 * 1024
# Each thread that reads may have so much.
READER_CACHE_KIB = 8 * 1024
# Of 4 KiB. A commit that finds more than that in the write-ahead log carries it into the database itself, which may
# take a second of the disk: a back-stop only, for programs that run without the collector, whose own thread does it.
WAL_PAGES = 32_000
STATEMENT_TIMEOUT_MS = 10_000
# An option of a connection for reading: how long a statement may take there, milliseconds.
STATEMENT_TIMEOUT = "statement_timeout_ms"
# A connection that was used so short a while ago is taken to be good: to ask it costs as much as a small query.
TRUSTED_S = 1.0
_USED_AT = "used_at"


class SchemaError(Exception):
    """The database's schema is not the one this version needs; ``str()`` says what to do."""


class NetworkFileSystemError(SchemaError):
    """SQLite's file is on a network file system; ``str()`` says what to do."""


@dataclass(frozen=True, slots=True)
class WalReading:
    """SQLite's write-ahead log after a checkpoint, in pages of 4 KiB: what it holds, what is left to carry over."""

    pages: int
    left: int


class Database:
    """Units of work on SQLite or PostgreSQL.

    Engines are made on first use, so that an object made before gunicorn forks shares no connection.
    """

    def __init__(self, url: str) -> None:
        """Remember the SQLAlchemy URL, e.g. ``sqlite:////var/lib/console.db`` or ``postgresql+psycopg://…``."""
        self.url = make_url(url)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where one writer at a time is the rule."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that cannot write; it is closed at the end."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session for one unit of work: committed at the end, rolled back on any error.

        On SQLite the write lock is taken at the first statement (``BEGIN IMMEDIATE``), so that a unit of work never
        fails half-way for want of it.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def require_head(self) -> None:
        """Check that the schema is the newest.

        Raises:
            SchemaError: It is older or newer, or there is none.
            NetworkFileSystemError: SQLite's file is where its locks cannot be trusted.
        """
        self._require_local_file()
        head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        with self._reader.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current != head:
            raise SchemaError(
                f"The database is at schema {current or 'none'}, this program needs {head}. Run 'make migrate' first."
            )

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema to ``revision``, up or down (``base``: no tables at all).

        Raises:
            NetworkFileSystemError: SQLite's file is where its locks cannot be trusted.
        """
        self._require_local_file()
        with self._migrator.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            if revision == "head":
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)
            connection.commit()

    def checkpoint(self, *, restart: bool = False) -> WalReading:
        """Carry what commits left in SQLite's write-ahead log into the database; nothing waits for it.

        Args:
            restart: Also make writers begin at the log's front again, so that it does not grow. They wait until the
                rest is carried over: first without, so that the rest is little.

        Raises:
            RuntimeError: This is PostgreSQL, which does it by itself.
        """
        if not self.is_sqlite:
            raise RuntimeError("Only SQLite's write-ahead log is for us to carry over")
        mode = "RESTART" if restart else "PASSIVE"
        with self._checkpointer.connect() as connection:
            _busy, pages, carried = connection.exec_driver_sql(f"PRAGMA wal_checkpoint({mode})").one()
        return WalReading(pages=max(pages, 0), left=max(pages - carried, 0))

    def close(self) -> None:
        """Close all pooled connections."""
        for name in ("_reader", "_writer", "_migrator", "_checkpointer"):
            engine = self.__dict__.pop(name, None)
            if engine is not None:
                engine.dispose()

    def _require_local_file(self) -> None:
        kind = network_kind(Path(self.url.database)) if self.is_sqlite and self.url.database else None
        if kind is not None:
            raise NetworkFileSystemError(
                f"{self.url.database} is on a network file system ({kind}), where SQLite's locks cannot be trusted. "
                "Set CONSOLE_DATA_DIR to a local directory, or CONSOLE_DATABASE_URL to PostgreSQL."
            )

    @cached_property
    def _reader(self) -> Engine:
        if self.is_sqlite:
            return self._sqlite_reader()
        return self._postgresql_reader()

    @cached_property
    def _writer(self) -> Engine:
        if self.is_sqlite:
            return self._sqlite_writer()
        return self._postgresql_engine(pool_pre_ping=True)

    @cached_property
    def _migrator(self) -> Engine:
        # Foreign keys stay off while tables are rebuilt, and no statement has a time limit.
        engine = create_engine(self.url)
        if self.is_sqlite:
            event.listen(engine, "connect", _sqlite_pragmas(query_only=False, foreign_keys=False))
        return engine

    @cached_property
    def _checkpointer(self) -> Engine:
        # Without a transaction of its own, which would be in its way.
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=0)
        event.listen(engine, "connect", _sqlite_pragmas(query_only=False, foreign_keys=False))
        return engine

    def _sqlite_reader(self) -> Engine:
        engine = self._sqlite_engine(query_only=True)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    def _sqlite_writer(self) -> Engine:
        engine = self._sqlite_engine(query_only=False)
        event.listen(engine, "connect", lambda driver, _record: driver.execute(f"PRAGMA busy_timeout = {LOOK_MS}"))
        event.listen(engine, "begin", _begin_to_write)
        return engine

    def _sqlite_engine(self, *, query_only: bool) -> Engine:
        engine = create_engine(self.url, pool_size=16, max_overflow=16)
        event.listen(engine, "connect", _sqlite_pragmas(query_only=query_only, foreign_keys=True))
        return engine

    def _postgresql_reader(self) -> Engine:
        # Each way to the server and back counts: no BEGIN and no ROLLBACK, which give a reader nothing here (a
        # transaction, too, would see in each statement what was committed by then). Statements stay prepared so, and
        # must still be planned for their values: for any value the planner would walk through all messages.
        settings = ("default_transaction_read_only=on", "plan_cache_mode=force_custom_plan")
        engine = self._postgresql_engine(*settings, isolation_level="AUTOCOMMIT")
        event.listen(engine, "checkin", _remember_use)
        event.listen(engine, "checkout", _require_life)
        event.listen(engine, "begin", _set_statement_timeout)
        return engine

    def _postgresql_engine(self, *settings: str, **options: Any) -> Engine:
        settings = (f"statement_timeout={STATEMENT_TIMEOUT_MS}", "timezone=UTC", *settings)
        connect_args = {"options": " ".join(f"-c {setting}" for setting in settings), "connect_timeout": 5}
        return create_engine(self.url, connect_args=connect_args, **options)


def cause_of(error: SQLAlchemyError) -> str:
    """Return what the driver said, in one line: the rest repeats the statement and its values."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _begin_to_write(connection: Connection) -> None:
    """Take SQLite's write lock as soon as it is free; wait for it no longer than `BUSY_TIMEOUT_MS`."""
    driver = connection.connection.dbapi_connection
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1_000
    while driver is not None and time.monotonic() < deadline:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & SQLITE_PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                break
        else:
            return
    # What still stands against it is told as SQLAlchemy tells errors.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _remember_use(_driver: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _require_life(driver: psycopg.Connection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that was not used of late whether it is good.

    Raises:
        InvalidatePoolError: It is not: the pool makes a new one, and asks no other of that age.
    """
    if time.monotonic() - record.info.get(_USED_AT, time.monotonic()) < TRUSTED_S:
        return
    try:
        driver.execute("")
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _set_statement_timeout(connection: Connection) -> None:
    """Tell the server how long statements may take here, unless it knows from the last use of the connection."""
    wanted = connection.get_execution_options().get(STATEMENT_TIMEOUT, STATEMENT_TIMEOUT_MS)
    if connection.info.get(STATEMENT_TIMEOUT, STATEMENT_TIMEOUT_MS) != wanted:
        connection.exec_driver_sql(f"SET statement_timeout = {wanted:d}")
        connection.info[STATEMENT_TIMEOUT] = wanted


def _sqlite_pragmas(*, query_only: bool, foreign_keys: bool) -> Any:
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not begin transactions of its own: ours begin with the statement they need.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            # Safe here: a commit lost in a power failure also loses the offset written with it.
            "synchronous = NORMAL",
            f"foreign_keys = {int(foreign_keys)}",
            f"query_only = {int(query_only)}",
            # Writers touch the ends of every index again and again: these pages are to stay, and to be written once. A
            # search looks at a thousand messages, each on a page of its own, and reads a part of them again to show.
            f"cache_size = -{READER_CACHE_KIB if query_only else WRITER_CACHE_KIB}",
            *(() if query_only else (f"wal_autocheckpoint = {WAL_PAGES}",)),
        ):
            connection.execute(f"PRAGMA {pragma}")

    return configure
