"""Writers of SQLite wait for each other: for as long as is bearable, and no look comes late."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from models import database as database_module
from models.accounts import User
from models.database import Database
from services.accounts.service import AccountService
from services.accounts.types import Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from tests.waiting import wait_until


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """A SQLite database at head."""
    database = Database(f"sqlite:///{tmp_path / 'console.db'}")
    database.migrate()
    return database


@contextmanager
def write_lock(database: Database) -> Iterator[sqlite3.Connection]:
    """Hold the write lock, as another program would."""
    assert database.url.database is not None
    with closing(sqlite3.connect(database.url.database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def number_of_users(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def create(database: Database) -> None:
    AccountService(database, AuditTrail(database, utc_now), utc_now).create("alice", "correct horse", Role.OPERATOR)


def test_a_writer_looks_again_and_again_until_the_lock_is_free(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "BEGIN IMMEDIATE":
                looks.append(sql)
            return super().execute(sql, *parameters)

    connect = sqlite3.connect
    with write_lock(sqlite) as other:
        monkeypatch.setattr("sqlite3.dbapi2.connect", lambda *given, **kept: connect(*given, **kept, factory=Watched))
        writer = threading.Thread(target=create, args=(sqlite,))
        writer.start()
        # SQLite by itself would wait inside of the first.
        wait_until(lambda: len(looks) > 5, 4, "more looks at the lock")
        other.rollback()
        writer.join(10)
    assert number_of_users(sqlite) == 1


def test_a_lock_that_stays_is_an_error_in_the_end(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 30)
    with write_lock(sqlite), pytest.raises(OperationalError, match="database is locked"):
        create(sqlite)
    assert number_of_users(sqlite) == 0


def test_what_waiting_does_not_help_is_told_at_once(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that the test would fail if it waited.
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 1_000_000)
    read_only = Database(f"sqlite:///file:{sqlite.url.database}?mode=ro&uri=true")
    with pytest.raises(OperationalError, match="readonly database"):
        create(read_only)
