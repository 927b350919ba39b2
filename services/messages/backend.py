"""Tell other processes how Kafka is: one row of table ``backend``."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from models.database import Database
from models.run_control import Backend
from services.clock import Clock
from services.messages.texts import cut, storable
from services.revisions import LiveTopic, bump

KIND = "kafka"
ADDRESS_LIMIT_BYTES = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a try to reach the brokers gave: the time it took, or the error."""

    latency_ms: float | None = None
    error: str | None = None


class BackendReport:
    """Writes the row of the brokers at one address; the console reads from one Kafka, so others are removed."""

    def __init__(self, database: Database, clock: Clock, address: str) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock
        self._address = cut(storable(address), ADDRESS_LIMIT_BYTES)

    def write(self, answer: Answer) -> None:
        """Write the outcome of a try; pages learn of it when the brokers come, go, or fail in another way."""
        now = self._clock()
        with self._database.write() as session:
            row = session.get(Backend, (KIND, self._address))
            reachable = answer.error is None
            changed = row is None or row.reachable != reachable or (not reachable and row.error != answer.error)
            if row is None:
                session.execute(delete(Backend).where(Backend.kind == KIND))
                row = Backend(kind=KIND, address=self._address, since=now, reachable=reachable, tried_at=now)
                session.add(row)
            self._update(row, answer, now)
            if changed:
                bump(session, now, LiveTopic.BACKENDS)

    @staticmethod
    def _update(row: Backend, answer: Answer, now: datetime) -> None:
        reachable = answer.error is None
        if row.reachable != reachable:
            row.since = now
        row.reachable = reachable
        row.tried_at = now
        if reachable:
            row.answered_at = now
            row.latency_ms = answer.latency_ms
        else:
            row.error = storable(answer.error or "")
            row.error_at = now
