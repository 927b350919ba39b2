"""Time as a collaborator, so that tests decide what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

# Returns the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)
