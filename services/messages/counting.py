"""How many messages fit filters, exactly or at least: like a page, counting looks at a bounded number of them."""

from collections.abc import Sequence
from time import monotonic

from models.database import Database
from services.errors import BusyError
from services.messages.finding import find_ids
from services.messages.mute_types import Count
from services.messages.names import Names
from services.messages.queries import SCAN_IDS
from services.messages.selection import Selection
from services.messages.statements import Bounds
from services.messages.time_limit import limited
from services.messages.types import MessageFilter

# Beyond this it is "at least so many": people read the number.
MOST = 10_000
# For all filters together.
TIME_LIMIT_S = 0.5

_NEWEST_FIRST = Bounds(after=None, before=None, ascending=False)


def count_any(database: Database, wanted: Sequence[MessageFilter]) -> Count:
    """Return how many messages fit at least one of some filters.

    Each filter goes by its own indexes; what fits several is counted once.
    """
    deadline = monotonic() + TIME_LIMIT_S
    found: set[int] = set()
    is_complete = True
    for one in wanted:
        ids, is_all = _ids(database, one, deadline - monotonic())
        found.update(ids)
        is_complete = is_complete and is_all
    return Count(len(found), is_complete)


def _ids(database: Database, wanted: MessageFilter, limit_s: float) -> tuple[Sequence[int], bool]:
    """Return ids of messages that fit, and whether these are all."""
    if limit_s <= 0:
        return (), False
    try:
        with database.read() as session, limited(session, limit_s) as time_limit:
            selection = Selection.build(session, Names(), wanted)
            found = find_ids(session, selection, _NEWEST_FIRST, MOST, scan_ids=SCAN_IDS, time_limit=time_limit)
    except BusyError:
        return (), False
    return found.ids, not found.has_more
