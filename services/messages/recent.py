"""The newest messages, read once for everybody who follows the feed.

Hundreds of open feeds ask the same thing every second, and each would cost a query. What one of them has read serves
all others of this process for a moment, unless they know of something newer.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from models.database import Database
from services.messages.names import Names
from services.messages.types import MessageFilter, MessageView
from services.messages.views import messages_between, newest_id

# So many ids are kept: who is further behind has a query of its own.
MOST = 2_000
# And so many characters of texts, however few messages those are.
MOST_CHARACTERS = 4_000_000
# What is kept is at most so old: a message is not to wait for the next tick of a feed.
KEEP_S = 0.02

_by_id = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Stretch:
    """All messages with ids above ``after``, up to ``reached`` and with it, oldest first, without their details."""

    after: int
    reached: int
    messages: tuple[MessageView, ...] = ()

    def beyond(self, after: int) -> Sequence[MessageView]:
        """Return the messages above an id."""
        return self.messages[bisect_right(self.messages, after, key=_by_id) :]


class RecentMessages:
    """Keeps the last stretch of ids (table ``message``) for all threads of this process."""

    def __init__(self, database: Database, names: Names, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators; nothing is read yet. ``monotonic`` returns seconds that only grow."""
        self._database = database
        self._names = names
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, Stretch] = (-KEEP_S, Stretch(0, 0))

    def up_to(self, known: int) -> Stretch:
        """Return what is kept if it is new and reaches as far as an id that the asker knows of, else what there is now.

        One thread reads while the others wait for its answer.
        """
        kept = self._good_for(known)
        if kept is not None:
            return kept
        with self._lock:
            kept = self._good_for(known)
            if kept is None:
                now = self._monotonic()
                kept = self._read(self._kept[1])
                self._kept = (now, kept)
            return kept

    def _good_for(self, known: int) -> Stretch | None:
        read_at, kept = self._kept
        return kept if kept.reached >= known and self._monotonic() - read_at < KEEP_S else None

    def _read(self, kept: Stretch) -> Stretch:
        with self._database.read() as session:
            newest = newest_id(session)
            if newest == kept.reached:
                return kept
            after = max(kept.reached, newest - MOST) if newest > kept.reached else max(newest - MOST, 0)
            came = messages_between(session, self._names, MessageFilter(), after, newest, limit=MOST)
        before = kept.messages if after == kept.reached else ()
        return _trimmed(Stretch(kept.after if before else after, newest, (*before, *reversed(came))))


def _trimmed(stretch: Stretch) -> Stretch:
    """Leave out the oldest where there are too many, or their texts too long."""
    room = MOST_CHARACTERS
    for place in range(len(stretch.messages) - 1, -1, -1):
        message = stretch.messages[place]
        room -= len(message.text)
        if room < 0 or len(stretch.messages) - place > MOST:
            return Stretch(message.id, stretch.reached, stretch.messages[place + 1 :])
    return stretch
