"""The schema: migrations and models say the same, on both engines, and the way down is open."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from models.accounts import User
from models.base import Base
from models.database import MIGRATIONS, Database, SchemaError
from models.messages import Message, MessageRollup
from models.undeclared import is_declared
from services.clock import utc_now
from services.messages.rollups import RESOLUTIONS_S
from tests.db.services.messages.builders import message, store_all


def test_migrations_create_what_the_models_declare(database: Database) -> None:
    with database._migrator.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_declared})
        assert compare_metadata(context, Base.metadata) == []


def test_down_to_nothing_and_up_again(database: Database) -> None:
    database.migrate("base")
    with database._migrator.connect() as connection:
        assert inspect(connection).get_table_names() in ([], ["alembic_version"])
    with pytest.raises(SchemaError, match="make migrate"):
        database.require_head()
    database.migrate()
    database.require_head()


def test_accounts_live_through_the_migration_of_their_roles(database: Database) -> None:
    with database.write() as session:
        for name, role in (("alice", "operator"), ("wall-1", "wall")):
            session.add(User(name=name, password_hash="a hash", role=role, active=True, created_at=utc_now()))
    database.migrate("0010")
    assert _roles(database) == {"alice": "operator", "wall-1": "viewer"}
    database.migrate()
    assert _roles(database) == {"alice": "operator", "wall-1": "viewer"}
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(update(User).values(role="captain"))


def test_rollups_live_through_being_put_where_they_are_read(database: Database) -> None:
    store_all(database, [message("one"), message("two", session="np02")])
    kept = _rows(database, MessageRollup)
    assert len(kept) == 9
    database.migrate("0014")
    assert _rows(database, MessageRollup) == kept
    database.migrate()
    assert _rows(database, MessageRollup) == kept
    if database.is_sqlite:
        with database.read() as session:
            in_order = text("SELECT name FROM sqlite_master WHERE name LIKE '%rollup' AND sql LIKE '%WITHOUT ROWID%'")
            assert {*session.scalars(in_order)} == {"measurement_rollup", "message_rollup"}
    else:
        with database.read() as session:
            where = text("SELECT resolution_s, tableoid::regclass::text FROM message_rollup GROUP BY 1, 2")
            together = {(width_s, f"message_rollup_{width_s}") for width_s in RESOLUTIONS_S}
            assert {tuple(row) for row in session.execute(where)} == together


def test_messages_live_through_losing_their_foreign_keys(database: Database) -> None:
    store_all(database, [message("one"), message("two", session="np02")])
    kept = _rows(database, Message)
    assert _keys_of_messages(database) == set()
    database.migrate("0018")
    assert _keys_of_messages(database) == {"application_id", "incarnation_id", "session_id", "topic_id"}
    assert _rows(database, Message) == kept
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(update(Message).values(session_id=1_000))
    database.migrate()
    assert _keys_of_messages(database) == set()
    assert _rows(database, Message) == kept
    with database.write() as session:
        session.execute(update(Message).values(session_id=1_000))


def _keys_of_messages(database: Database) -> set[str]:
    with database._migrator.connect() as connection:
        return {key["constrained_columns"][0] for key in inspect(connection).get_foreign_keys("message")}


def _rows(database: Database, table: type[Base]) -> list[tuple[object, ...]]:
    with database.read() as session:
        columns = table.__table__.c
        return [tuple(row) for row in session.execute(select(*columns).order_by(*columns))]


def _roles(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {user.name: user.role for user in session.scalars(select(User))}


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1
