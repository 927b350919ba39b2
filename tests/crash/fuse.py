"""Break off transactions of messages at any boundary: before and after each statement, before and after the commit."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event

from models.database import Database


class PowerCutError(Exception):
    """The program is no more; what it had in memory is not to be used again."""


class Fuse:
    """Raises an error at one boundary of the writing transactions of a database."""

    def __init__(self, database: Database) -> None:
        """Listen; nothing happens before `arm`."""
        self.reached = 0
        self._left: int | None = None
        self._error: Callable[[], Exception] = PowerCutError
        writer = database._writer
        event.listen(writer, "before_cursor_execute", self._executes)
        event.listen(writer, "after_cursor_execute", self._executes)
        event.listen(writer, "commit", self._commits)

    def arm(self, boundary: int | None, error: Callable[[], Exception]) -> None:
        """Raise what ``error`` makes, once, after so many boundaries from now on (None: never)."""
        self._left = boundary
        self._error = error

    def _executes(self, _connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        # SQLite's BEGIN is ours and no boundary: the first statement after it is.
        if not statement.startswith("BEGIN"):
            self._reached()

    def _reached(self) -> None:
        self.reached += 1
        if self._left is None:
            return
        if self._left > 0:
            self._left -= 1
            return
        self._left = None
        raise self._error()

    def _commits(self, connection: Connection) -> None:
        self._reached()
        if self._left == 0:
            # The database has committed, and the answer does not arrive.
            connection.connection.commit()
        self._reached()
