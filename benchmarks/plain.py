"""What there is to compare with: poll, objects, insert, remove what is old after every poll.

No offsets of its own, no search, no counts, no index but the key: the least that stores messages at all.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, Text, create_engine, delete
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from services.messages.decode import decode
from services.messages.types import Measurement, Record

_KEPT = timedelta(days=14)


class PlainBase(DeclarativeBase):
    """Base of the one table."""


class PlainMessage(PlainBase):
    """A message with its names written out."""

    __tablename__ = "plain_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    severity: Mapped[str] = mapped_column(Text)
    session: Mapped[str] = mapped_column(Text)
    application: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class PlainConsumer:
    """Stores polls one after the other."""

    def __init__(self, url: str) -> None:
        """Make the table."""
        self._engine = create_engine(url)
        PlainBase.metadata.create_all(self._engine)

    def store(self, polls: Iterable[Sequence[Record]], received_ns: int) -> None:
        """Store what each poll returned, and remove what is too old."""
        for records in polls:
            with Session(self._engine) as session, session.begin():
                session.add_all([_object(record, received_ns) for record in records])
            with Session(self._engine) as session, session.begin():
                session.execute(delete(PlainMessage).where(PlainMessage.at < datetime.now(UTC) - _KEPT))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _object(record: Record, received_ns: int) -> PlainMessage:
    message = decode(record, received_ns)
    if isinstance(message, Measurement):
        raise TypeError("the load that is compared has no OpMon entries")
    return PlainMessage(
        topic=record.topic,
        at=datetime.fromtimestamp(message.time_ns / 1_000_000_000, UTC),
        severity=message.severity.name,
        session=message.session,
        application=message.application,
        text=message.text,
    )
