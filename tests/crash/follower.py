"""A client that follows the feed with ``after=<id>`` all the while, as pages do."""

import threading

from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from services.clock import utc_now
from services.errors import ConsoleError
from services.messages.queries import MessageQueries
from services.messages.types import MessageFilter

LIMIT = 500
PAUSE_S = 0.01
STOP_S = 10.0


class Follower:
    """Takes every page from the last id on, in a thread; the database may be away meanwhile."""

    def __init__(self, url: str, wanted: MessageFilter | None = None) -> None:
        """Open connections of its own to the database at ``url``; without a filter it wants all messages."""
        self._database = Database(url)
        self._queries = MessageQueries(self._database, utc_now)
        self._wanted = wanted or MessageFilter()
        self._seen: list[int] = []
        self._reached = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def finish(self) -> list[int]:
        """Take what is still new and end; return the ids in the order in which they were seen."""
        self._stopping.set()
        self._thread.join(STOP_S)
        while self._take():
            pass
        self._database.close()
        return self._seen

    def discard(self) -> None:
        """Let the thread end; nothing happens when it has ended."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                found_some = self._take()
            except (SQLAlchemyError, ConsoleError):
                found_some = False
            if not found_some:
                self._stopping.wait(PAUSE_S)

    def _take(self) -> bool:
        """Take one page; return whether there is more to look at now."""
        page = self._queries.page(self._wanted, after=self._reached, limit=LIMIT)
        self._seen += [item.id for item in reversed(page.items)]
        self._reached = max([self._reached, *(item.id for item in page.items), page.scanned_to or 0])
        return page.next_after is not None
