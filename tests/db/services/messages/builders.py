"""Batches as the consumer makes them, without a broker."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from models.database import Database
from models.messages import Incarnation
from services.messages.batch import Accepted, Advance, Batch, Rejected
from services.messages.store import MessageStore, Stored
from services.messages.types import Decoded, Kind, Record, Severity

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000
TOPIC = "control.np04.root-controller"


def message(
    text: str = "ready",
    *,
    severity: Severity = Severity.INFO,
    session: str = "np04",
    application: str = "root-controller",
    time_ns: int = NOW_NS,
    name: str = "STATUS_UPDATE",
) -> Decoded:
    return Decoded(Kind.CONTROLLER, severity, session, application, name, text, time_ns)


def new_incarnation(database: Database, cluster_id: str = "cluster") -> int:
    with database.write() as session:
        row = Incarnation(cluster_id=cluster_id, first_seen_at=NOW)
        session.add(row)
        session.flush()
        return row.id


def batch(
    incarnation_id: int,
    messages: Sequence[Decoded | str],
    *,
    start: int = 0,
    expected: int | None = None,
    topic: str = TOPIC,
    partition: int = 0,
    echo: int = 0,
    key: bytes | None = None,
    value: bytes | None = b"bytes",
    received_ns: int = NOW_NS,
) -> Batch:
    """Consecutive offsets from ``start``; a plain string is a rejected record with that reason."""
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    for offset, item in enumerate(messages, start=start):
        record = Record(topic, partition, offset, None, key, value)
        if isinstance(item, str):
            rejected.append(Rejected(incarnation_id, record, item))
        else:
            accepted.append(Accepted(incarnation_id, record, item))
    advance = Advance(incarnation_id, topic, partition, expected, start + len(messages) + echo)
    return Batch(received_ns, accepted, rejected, echo, [advance])


def store_all(
    database: Database, messages: Iterable[Decoded], *, received_ns: int = NOW_NS, cluster_id: str = "cluster"
) -> Stored:
    """Store messages as one batch of a fresh incarnation."""
    store = MessageStore(database, lambda: NOW)
    return store.write(batch(new_incarnation(database, cluster_id), list(messages), received_ns=received_ns))


def mixed_messages(number: int) -> list[Decoded]:
    """Return so many messages of several severities, sessions, applications and texts."""
    words = ("ready", "timed out", "100% full", "under_score", "back\\slash", "TIMED OUT")
    return [
        message(
            f"{words[i % 6]} {i}",
            severity=Severity(i * 7 % 6),
            session=f"s{i * 5 % 4}",
            application=f"app-{i * 3 % 5}",
        )
        for i in range(number)
    ]
