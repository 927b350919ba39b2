"""Remove what is too old or too much, a little at a time, apart from the consumer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Row, Select, delete, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.database import Database, cause_of
from models.messages import MeasurementRollup, Message, MessageRollup, MessageSession, Quarantined
from services.clock import Clock
from services.loop import LoopWorker
from services.messages import rollups, search
from services.messages.store import count
from services.messages.types import Kind, Severity
from services.messages.upsert import is_postgresql, table_of
from services.messages.volume import occupied_bytes

# One transaction removes so many rows: larger ones would hold SQLite's write lock too long.
CHUNK_ROWS = 1_000
# Between two chunks others may write.
PAUSE_S = 0.02
INTERVAL_S = 60.0
RETRY_S = 5.0

# How long buckets of each width outlive their messages.
ROLLUPS_KEPT = {1: timedelta(hours=2), 60: timedelta(days=90), 600: timedelta(days=90)}


class Retention(LoopWorker):
    """Prunes messages and quarantined records by the age since they arrived, and roll-ups by their own ages.

    Where messages take more room than they may, the oldest of the severities that are kept shortest go first.
    Details of its health: rows removed since the start of this process.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        expire_s: int,
        expire_by_severity_s: Mapping[Severity, int] | None = None,
        max_bytes: int = 0,
    ) -> None:
        """Keep the collaborators.

        Args:
            database: Where the messages are.
            clock: The present time.
            expire_s: Seconds that messages and quarantined records are kept.
            expire_by_severity_s: The same for some severities, where it is another time.
            max_bytes: Messages are removed beyond this (see `volume.occupied_bytes`); 0: there is no such limit.
        """
        super().__init__("retention", clock)
        self._database = database
        self._clock = clock
        self._expire_s = expire_s
        self._severities = _by_expiry(expire_s, expire_by_severity_s or {})
        self._max_bytes = max_bytes
        self._removed = {"messages": 0, "quarantined": 0, "rollups": 0, "measurements": 0}

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
            self._board.erred(f"Old messages could not be removed: {cause_of(error)}.")
            return RETRY_S
        for name, number in removed.items():
            self._removed[name] += number
        self._board.turned("ok", self._removed)
        return PAUSE_S if max(removed.values()) >= CHUNK_ROWS else INTERVAL_S

    def _cutoff_ns(self, expire_s: int) -> int:
        return int((self._clock() - timedelta(seconds=expire_s)).timestamp()) * 1_000_000_000

    def _prune_messages(self) -> int:
        removed = 0
        for expire_s, severities in self._severities.items():
            removed += self._prune_oldest(severities, self._cutoff_ns(expire_s))
            if removed >= CHUNK_ROWS:
                return removed
        return removed + self._prune_excess()

    def _prune_excess(self) -> int:
        """Remove one chunk if messages take too much room, whatever their age."""
        if not self._max_bytes:
            return 0
        with self._database.read() as session:
            if occupied_bytes(session) <= self._max_bytes:
                return 0
        removed = 0
        for severities in self._severities.values():
            removed += self._prune_oldest(severities, None)
            if removed >= CHUNK_ROWS:
                break
        return removed

    def _prune_oldest(self, severities: Sequence[Severity], cutoff_ns: int | None) -> int:
        """Remove one chunk of the oldest messages of some severities; with a cutoff only what arrived before it."""
        with self._database.read() as session:
            oldest = sorted(tuple(row) for row in _oldest(session, severities))[:CHUNK_ROWS]
        ids = [id_ for id_, received_ns in oldest if cutoff_ns is None or received_ns < cutoff_ns]
        if not ids:
            return 0
        with self._database.write() as session:
            # Again, and kept: the index wants to hear of exactly those rows that go.
            present = session.scalars(select(Message.id).where(Message.id.in_(ids)).with_for_update()).all()
            search.remove(session, present)
            removed = session.connection().execute(delete(Message).where(Message.id.in_(present))).rowcount
            count(session, {"pruned": removed})
        return removed

    def _prune_quarantined(self) -> int:
        with self._database.read() as session:
            oldest = session.execute(
                select(Quarantined.id, Quarantined.received_ns).order_by(Quarantined.id).limit(CHUNK_ROWS)
            )
            last = _last_expired(oldest.all(), self._cutoff_ns(self._expire_s))
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


def _by_expiry(expire_s: int, by_severity_s: Mapping[Severity, int]) -> dict[int, tuple[Severity, ...]]:
    """Return the severities that are kept equally long, by that time, seconds, the shortest first."""
    kept = {severity: by_severity_s.get(severity, expire_s) for severity in Severity}
    return {
        seconds: tuple(severity for severity in Severity if kept[severity] == seconds)
        for seconds in sorted(set(kept.values()))
    }


def _oldest(session: Session, severities: Sequence[Severity]) -> Iterable[Row[int, int]]:
    """Return id and arrival of the oldest messages of some severities, at least a chunk of them if there are so many.

    Ids grow with arrival, so they stand at the beginning: of the table, or of each kind and severity in its index.
    """
    if len(severities) == len(Severity):
        return session.execute(select(Message.id, Message.received_ns).order_by(Message.id).limit(CHUNK_ROWS))
    by_rows = is_postgresql(session)
    return [
        row for kind in Kind for severity in severities for row in session.execute(_branch(kind, severity, by_rows))
    ]


def _branch(kind: Kind, severity: Severity, by_rows: bool) -> Select[int, int]:  # noqa: FBT001
    """``by_rows``: compare whole rows of the index, else PostgreSQL may walk through the table (see `selection`)."""
    columns = (Message.kind, Message.severity)
    values = (kind.value, severity.value)
    chosen = select(Message.id, Message.received_ns).limit(CHUNK_ROWS)
    if by_rows:
        inside = (tuple_(*columns, Message.id) >= (*values, 0), tuple_(*columns) <= values)
        return chosen.where(*inside).order_by(*columns, Message.id)
    return chosen.where(Message.kind == kind.value, Message.severity == severity.value).order_by(Message.id)


def _last_expired(oldest: Sequence[Row[int, int]], cutoff_ns: int) -> int | None:
    """Return the id of the last row (id, received_ns) before the first one that is young enough."""
    last: int | None = None
    for id_, received_ns in oldest:
        if received_ns >= cutoff_ns:
            break
        last = id_
    return last
