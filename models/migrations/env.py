"""Alembic environment: runs migrations on the connection that `models.database.Database.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from models import accounts, alarms, audit, commands, control, coordination, history, messages, run_control
from models.base import Base, JsonValue, UtcDateTime
from models.undeclared import is_declared

# Each module registers its tables on the base when imported.
TABLES = (accounts, alarms, audit, commands, control, coordination, history, messages, run_control)


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our column types as plain SQLAlchemy, so that old migrations do not depend on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is JsonValue:
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def run() -> None:
    """Migrate in one transaction; batch mode, because SQLite cannot alter a table in place."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        include_object=is_declared,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
