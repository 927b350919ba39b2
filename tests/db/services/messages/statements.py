"""What readers of a database ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from models.database import Database


@contextmanager
def noted(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Note the statements that readers run, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, *call: Any) -> None:
        statements.append((call[0], call[1]))

    event.listen(database._reader, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database._reader, "before_cursor_execute", note)
