"""What every page asks all the time: has anything changed?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.coordination import Revision
from models.database import Database
from models.messages import Message
from models.run_control import Backend, DaqSession
from services.clock import Clock
from services.revisions import LiveTopic
from services.timed import Timed

# Hundreds of browsers then cost a handful of queries a second.
KEEP_S = 0.15


@dataclass(frozen=True, slots=True)
class LiveState:
    """Revisions by topic name, a short tag that changes when one of them does, and when each source last answered.

    ``polled`` is a query string of ``session:<name>`` and kinds of backends to milliseconds since 1970 UTC: made once
    for all who ask. It changes with every poll, so it is no part of the tag: pages take the age of their data from it
    without fetching anything.
    """

    revisions: Mapping[str, int]
    tag: str
    polled: str


class LiveService:
    """The revisions of all topics (table ``revision``); that of ``messages`` is the newest message's id."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock
        self._state = Timed(self._read, KEEP_S, monotonic)

    def state(self) -> LiveState:
        """Return the revisions, at most 150 ms old."""
        return self._state.get()

    def now(self) -> datetime:
        """Return the server's time, UTC."""
        return self._clock()

    def now_ms(self) -> int:
        """Return the server's time, milliseconds since 1970 UTC, by which pages tell the age of their data."""
        return int(self._clock().timestamp() * 1000)

    def _read(self) -> LiveState:
        # Plain columns, no objects: this is the one query that runs all day.
        with self._database.read() as session:
            found: dict[str, int] = dict(session.execute(select(Revision.topic, Revision.value)).all())
            found[LiveTopic.MESSAGES.value] = session.execute(select(func.max(Message.id))).scalar() or 0
            polled = urlencode(_polled_ms(session))
        revisions = {topic.value: found.get(topic.value, 0) for topic in LiveTopic}
        return LiveState(revisions=revisions, tag="-".join(map(str, revisions.values())), polled=polled)


def _polled_ms(session: Session) -> Mapping[str, int]:
    sessions = session.execute(select(DaqSession.name, DaqSession.polled_at).where(DaqSession.present)).all()
    backends = session.execute(select(Backend.kind, func.max(Backend.answered_at)).group_by(Backend.kind)).all()
    moments = {f"session:{name}": moment for name, moment in sessions} | dict(backends)
    return {name: int(moment.timestamp() * 1000) for name, moment in moments.items() if moment is not None}
