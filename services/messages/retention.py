"""Remove what is too old, a little at a time, apart from the consumer."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Row, delete, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from models.messages import MeasurementRollup, Message, MessageRollup, MessageSession, Quarantined
from services.clock import Clock
from services.health import WorkerHealth
from services.messages import rollups
from services.messages.store import count
from services.messages.upsert import table_of
from services.messages.worker import Board, Loop

# One transaction removes so many rows: larger ones would hold SQLite's write lock too long.
CHUNK_ROWS = 1_000
# Between two chunks others may write.
PAUSE_S = 0.02
INTERVAL_S = 60.0
RETRY_S = 5.0

# How long buckets of each width outlive their messages.
ROLLUPS_KEPT = {1: timedelta(hours=2), 60: timedelta(days=90), 600: timedelta(days=90)}


class Retention:
    """Prunes messages and quarantined records by the age since they arrived, and roll-ups by their own ages."""

    def __init__(self, database: Database, clock: Clock, expire_s: int) -> None:
        """Keep the collaborators; ``expire_s``: seconds that messages are kept."""
        self._database = database
        self._clock = clock
        self._expire = timedelta(seconds=expire_s)
        self._board = Board("retention", clock)
        self._loop = Loop("message-retention", self.turn, _nothing, self._board)
        self._removed = {"messages": 0, "quarantined": 0, "rollups": 0, "measurements": 0}

    def start(self) -> None:
        """Start the thread.

        Raises:
            AlreadyStartedError: It runs already.
        """
        self._loop.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread after the chunk it is at.

        Raises:
            TimeoutError: It did not end in time.
        """
        self._loop.stop(timeout_s)

    def health(self) -> WorkerHealth:
        """Return how it goes; details: rows removed since the start of this process."""
        return self._board.read()

    def turn(self) -> float:
        """Remove one chunk of each kind. Returns seconds to pause before the next: short while there is more."""
        try:
            removed = {
                "messages": self._prune_messages(),
                "quarantined": self._prune_quarantined(),
                "rollups": self._prune_rollups(),
                "measurements": self._prune_measurements(),
            }
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            self._board.erred(f"Old messages could not be removed: {cause}.")
            return RETRY_S
        for name, number in removed.items():
            self._removed[name] += number
        self._board.turned("ok", self._removed)
        return PAUSE_S if max(removed.values()) >= CHUNK_ROWS else INTERVAL_S

    def _cutoff_ns(self) -> int:
        return int((self._clock() - self._expire).timestamp()) * 1_000_000_000

    def _prune_messages(self) -> int:
        """Remove the oldest messages. Ids grow with arrival, so they stand at the beginning."""
        with self._database.read() as session:
            oldest = session.execute(select(Message.id, Message.received_ns).order_by(Message.id).limit(CHUNK_ROWS))
            last = _last_expired(oldest.all(), self._cutoff_ns())
        if last is None:
            return 0
        with self._database.write() as session:
            removed = session.connection().execute(delete(Message).where(Message.id <= last)).rowcount
            count(session, {"pruned": removed})
        return removed

    def _prune_quarantined(self) -> int:
        with self._database.read() as session:
            oldest = session.execute(
                select(Quarantined.id, Quarantined.received_ns).order_by(Quarantined.id).limit(CHUNK_ROWS)
            )
            last = _last_expired(oldest.all(), self._cutoff_ns())
        if last is None:
            return 0
        with self._database.write() as session:
            return session.connection().execute(delete(Quarantined).where(Quarantined.id <= last)).rowcount

    def _prune_rollups(self) -> int:
        now = self._clock()
        with self._database.read() as session:
            session_ids = [rollups.ALL_SESSIONS, *session.scalars(select(MessageSession.id))]
        removed = 0
        for resolution_s, kept in ROLLUPS_KEPT.items():
            cutoff_s = int((now - kept).timestamp())
            for session_id in session_ids:
                removed += self._prune_buckets(resolution_s, session_id, cutoff_s)
                if removed >= CHUNK_ROWS:
                    return removed
        return removed

    def _prune_buckets(self, resolution_s: int, session_id: int, cutoff_s: int) -> int:
        inside = (
            MessageRollup.resolution_s == resolution_s,
            MessageRollup.session_id == session_id,
            MessageRollup.bucket_s < cutoff_s,
        )
        with self._database.read() as session:
            oldest = select(MessageRollup.bucket_s).where(*inside).order_by(MessageRollup.bucket_s).limit(CHUNK_ROWS)
            last = session.scalar(select(func.max(oldest.subquery().c.bucket_s)))
        if last is None:
            return 0
        with self._database.write() as session:
            statement = delete(MessageRollup).where(*inside, MessageRollup.bucket_s <= last)
            return session.connection().execute(statement).rowcount

    def _prune_measurements(self) -> int:
        """Remove the oldest buckets of all series together."""
        now = self._clock()
        columns = [table_of(MeasurementRollup).c[name] for name in ("resolution_s", "series_id", "bucket_s")]
        removed = 0
        for resolution_s, kept in ROLLUPS_KEPT.items():
            cutoff_s = int((now - kept).timestamp())
            oldest = (
                select(*columns)
                .where(MeasurementRollup.resolution_s == resolution_s, MeasurementRollup.bucket_s < cutoff_s)
                .order_by(MeasurementRollup.bucket_s)
                .limit(CHUNK_ROWS)
            )
            with self._database.read() as session:
                if session.execute(oldest.limit(1)).first() is None:
                    continue
            with self._database.write() as session:
                removed += (
                    session.connection().execute(delete(MeasurementRollup).where(tuple_(*columns).in_(oldest))).rowcount
                )
        return removed


def _last_expired(oldest: Sequence[Row[int, int]], cutoff_ns: int) -> int | None:
    """Return the id of the last row (id, received_ns) before the first one that is young enough."""
    last: int | None = None
    for id_, received_ns in oldest:
        if received_ns >= cutoff_ns:
            break
        last = id_
    return last


def _nothing() -> None:
    """Nothing is open that must be closed."""
