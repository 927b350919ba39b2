"""What readers may do, and what they leave behind on a connection that others use after them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError

from models import database as database_module
from models.database import STATEMENT_TIMEOUT, Database


@pytest.fixture
def postgres(migrated_postgres: Database) -> Database:
    """The same server and tables, with connections of its own."""
    return Database(migrated_postgres.url.render_as_string(hide_password=False))


def test_readers_cannot_write(database: Database) -> None:
    with (
        pytest.raises((InternalError, OperationalError), match=r"read-only|readonly"),
        database.read() as session,
    ):
        session.execute(text("DELETE FROM message_counter"))


def timeout(database: Database, limit_ms: int | None = None) -> str:
    options = {} if limit_ms is None else {STATEMENT_TIMEOUT: limit_ms}
    with database.read() as session:
        session.connection(execution_options=options)
        return str(session.execute(text("SHOW statement_timeout")).scalar_one())


def test_a_limit_is_not_inherited_with_the_connection(postgres: Database) -> None:
    assert [timeout(postgres, limit) for limit in (None, 250, 250, None, 50, 250, None)] == [
        *("10s", "250ms", "250ms"),
        *("10s", "50ms", "250ms", "10s"),
    ]


def backend(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


def end(database: Database, process_id: int) -> None:
    with database.write() as session:
        session.execute(text("SELECT pg_terminate_backend(:process_id, 5000)"), {"process_id": process_id})


def test_a_connection_that_died_while_nobody_used_it_is_replaced(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "TRUSTED_S", 0.0)
    first = backend(postgres)
    assert backend(postgres) == first
    end(postgres, first)
    assert backend(postgres) != first


def test_one_that_died_a_moment_after_its_use_costs_one_reader_an_error(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "TRUSTED_S", 60.0)
    first = backend(postgres)
    end(postgres, first)
    with pytest.raises(DBAPIError):
        backend(postgres)
    assert backend(postgres) != first
