"""What is drawn of shared data is drawn once for everybody who looks, until something of it changes."""

import threading
import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from models.database import Database
from services.revisions import LiveTopic, current

# So many are kept in each process; those of a tree of 500 nodes take about half a megabyte each.
MOST = 32
# What changes without a revision (when a silent node was heard of again) is at most so old.
KEEP_S = 10.0


@dataclass(slots=True)
class _Kept:
    """One drawing; its lock is held while it is made, so that a crowd waits for one."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    revisions: tuple[int, ...] = ()
    made_at: float = 0.0
    drawing: str = ""


class Drawings:
    """Keeps drawings by name, each with the revisions of what it shows (`services.revisions`).

    Only for what everybody sees alike who may see it at all: nothing of the person who asks may go into one.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators; ``monotonic`` returns seconds that only grow."""
        self._database = database
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}

    def get(self, name: Hashable, topics: Collection[LiveTopic], draw: Callable[[], str]) -> str:
        """Return a drawing: the one that is kept, unless one of ``topics`` has changed since or it is too old.

        An error of ``draw`` is not kept: the next caller tries again.
        """
        # Read before what is drawn, and not from what `/live` keeps: a drawing may be newer than it says, never older.
        revisions = self._revisions(topics)
        kept = self._place(name)
        with kept.lock:
            now = self._monotonic()
            if not _covers(kept.revisions, revisions) or now - kept.made_at >= KEEP_S:
                kept.drawing = draw()
                kept.revisions, kept.made_at = revisions, now
            return kept.drawing

    def _revisions(self, topics: Collection[LiveTopic]) -> tuple[int, ...]:
        with self._database.read() as tx:
            found = current(tx)
        return tuple(found[topic] for topic in sorted(topics))

    def _place(self, name: Hashable) -> _Kept:
        """Return the place of a drawing; the one that nobody asked for the longest time gives way."""
        with self._lock:
            kept = self._kept.pop(name, None) or _Kept()
            self._kept[name] = kept
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
            return kept


def _covers(kept: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Tell whether nothing has changed since; who read revisions earlier may come later than who read newer ones."""
    return len(kept) == len(wanted) and all(one >= other for one, other in zip(kept, wanted, strict=True))
