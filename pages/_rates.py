"""Message rates of one session, for pages that show them as a small line."""

from datetime import datetime

from components.session_card import RATE_SPAN
from components.sparkline import RateSummary, summarise
from pages._context import services

# One bucket a second; the roll-up's own resolution for so short a time.
RATE_POINTS = int(RATE_SPAN.total_seconds()) + 1


def message_rate(session: str, end: datetime) -> RateSummary:
    """Return the messages of a session in the five minutes before ``end``."""
    start = end - RATE_SPAN
    return summarise(services().messages.rates(start, end, session=session, max_points=RATE_POINTS), start, end)
