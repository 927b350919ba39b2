"""All messages that fit a filter, page by page, with an end that says whether these are all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from services.errors import BusyError
from services.messages.queries import MAX_LIMIT, MessageQueries
from services.messages.statements import MAX_ID
from services.messages.types import MessageFilter, MessageView, NotShown

# One file holds so many messages at most, and takes so long: a reader who wants more goes on with the next.
MAX_ROWS = 100_000
TIME_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class ExportEnd:
    """What stands at the end of an export.

    Attributes:
        rows: How many messages there are before it.
        next_before: None if these are all that fit; else the cursor to go on with.
        reason: Why these are not all, in words; empty if they are.
        not_shown: What no query can show.
        muted: How many messages fit but are left out because they are muted.
    """

    rows: int
    next_before: int | None
    reason: str
    not_shown: NotShown
    muted: int = 0


class Export:
    """Messages newest first. Iterate once: first come pages of messages, then one `ExportEnd`."""

    def __init__(
        self,
        queries: MessageQueries,
        wanted: MessageFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = MAX_ROWS,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        """Read the first page, so that what goes wrong at once is raised here.

        Raises:
            BusyError: The time of a page was up before anything was found out.
        """
        self._queries = queries
        self._wanted = wanted
        self._after = after
        self._limit = limit
        self._deadline = monotonic() + time_limit_s
        # With an upper bound pages lead downwards, also where the lower one is given.
        self._first = queries.page(
            wanted, before=MAX_ID if before is None else before, after=after, limit=min(limit, MAX_LIMIT)
        )

    def __iter__(self) -> Iterator[Sequence[MessageView] | ExportEnd]:
        """Give pages as they are read."""
        page, rows, muted = self._first, 0, 0
        while True:
            rows += len(page.items)
            muted += page.muted
            yield page.items
            reason = self._reason(rows) if page.next_before is not None else ""
            if page.next_before is not None and not reason:
                left = min(self._limit - rows, MAX_LIMIT)
                try:
                    page = self._queries.page(self._wanted, before=page.next_before, after=self._after, limit=left)
                except BusyError as error:
                    reason = error.message
                else:
                    continue
            yield ExportEnd(rows, page.next_before, reason, page.not_shown, muted)
            return

    def _reason(self, rows: int) -> str:
        if rows >= self._limit:
            return f"the limit of {self._limit} rows is reached"
        return "the time for one export is up" if monotonic() > self._deadline else ""
