"""messages have no foreign keys

PostgreSQL looked four ids up for each row. The writer looks all names of a batch up in the transaction that stores it,
and nothing ever removes one (ADR 0012).

SQLite's table is changed by its text in the schema, as SQLite's documentation has it for constraints that say nothing
about how rows are stored: at once, however many messages there are.

Revision ID: 0019
Revises: 0018
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLES_BY_COLUMN = {
    "application_id": "message_application",
    "incarnation_id": "incarnation",
    "session_id": "message_session",
    "topic_id": "topic",
}
_KEY_IN_TEXT = re.compile(r"CONSTRAINT fk_message_\w+ FOREIGN KEY\(\w+\) REFERENCES \w+ \(id\),\s*")
_NEXT_IN_TEXT = "CONSTRAINT uq_message_"


def upgrade() -> None:
    if _is_sqlite():
        _write_sqlite_text(_KEY_IN_TEXT.sub("", _sqlite_text()))
        return
    for column, table in _TABLES_BY_COLUMN.items():
        op.drop_constraint(_name(column, table), "message", type_="foreignkey")


def downgrade() -> None:
    if _is_sqlite():
        keys = (
            f"CONSTRAINT {_name(column, table)} FOREIGN KEY({column}) REFERENCES {table} (id), \n\t"
            for column, table in _TABLES_BY_COLUMN.items()
        )
        _write_sqlite_text(_sqlite_text().replace(_NEXT_IN_TEXT, "".join(keys) + _NEXT_IN_TEXT))
        return
    for column, table in _TABLES_BY_COLUMN.items():
        op.create_foreign_key(_name(column, table), "message", table, [column], ["id"])


def _name(column: str, table: str) -> str:
    return f"fk_message_{column}_{table}"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _sqlite_text() -> str:
    return str(op.get_bind().scalar(sa.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'message'")))


def _write_sqlite_text(sql: str) -> None:
    connection = op.get_bind()
    version = int(connection.scalar(sa.text("PRAGMA schema_version")) or 0)
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    statement = sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = 'message'")
    connection.execute(statement, {"sql": sql})
    # All connections read the schema again.
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
