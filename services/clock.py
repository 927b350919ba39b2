"""Time as a collaborator, so that tests decide what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

# Returns the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def nanoseconds(moment: datetime) -> int:
    """Return a moment as nanoseconds since 1970 UTC, exact to the microsecond."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
