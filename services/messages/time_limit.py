"""A limit to the time that the statements of one query may take, on both engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.database import STATEMENT_TIMEOUT
from services.errors import BusyError

# SQLite asks whether to go on after so many steps of its machine: about every millisecond.
_STEPS = 10_000
_SQLITE_INTERRUPT = 9
_POSTGRESQL_CANCELED = "57014"


class TimeLimit:
    """The limit of one query: asked between statements, and enforced within each."""

    def __init__(self, session: Session, limit_s: float) -> None:
        """Begin to count now."""
        self._limit_s = limit_s
        self._deadline = monotonic() + limit_s
        # PostgreSQL counts for each statement anew; 0 would be no limit.
        self._connection = session.connection(execution_options={STATEMENT_TIMEOUT: max(int(limit_s * 1000), 1)})
        self._is_sqlite = self._connection.dialect.name == "sqlite"
        self._driver = self._connection.connection.driver_connection

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return monotonic() > self._deadline

    def start(self) -> None:
        """Have SQLite stop statements that take too long; PostgreSQL knows from its connection."""
        if self._is_sqlite:
            self._set_handler(lambda: self.is_over)

    def lift(self) -> None:
        """Let what is left to do (the rows of one page) take the time it takes."""
        if self._is_sqlite:
            self._set_handler(None)

    def has_stopped(self, error: DBAPIError) -> bool:
        """Tell whether an error is this limit. If so, the session can be used again."""
        if self._is_sqlite:
            return getattr(error.orig, "sqlite_errorcode", None) == _SQLITE_INTERRUPT
        return getattr(error.orig, "sqlstate", None) == _POSTGRESQL_CANCELED

    def error(self) -> BusyError:
        """Return what to tell people."""
        return BusyError(
            f"The search took longer than {self._limit_s:g} s and was stopped.",
            not_done="Nothing was found yet.",
            next_step="Narrow the filter: a session, fewer severities, a time range.",
        )

    def _set_handler(self, handler: object) -> None:
        self._driver.set_progress_handler(handler, _STEPS)  # type: ignore[union-attr]  # sqlite3's connection


@contextmanager
def limited(session: Session, limit_s: float) -> Iterator[TimeLimit]:
    """Limit what is done with a session.

    Raises:
        BusyError: A statement was stopped because the time was up.
    """
    limit = TimeLimit(session, limit_s)
    limit.start()
    try:
        yield limit
    except DBAPIError as error:
        if limit.has_stopped(error):
            raise limit.error() from error
        raise
    finally:
        # The connection goes back to the pool: others must not inherit the limit.
        limit.lift()
