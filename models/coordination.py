"""What lets several processes share one database: leases, revisions, and what the collectors report of themselves."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Lease(Base):
    """The right to be the only one that does a job, e.g. polling.

    ``fence`` grows with each change of holder and is checked in every transaction of the job, so that a holder that
    was thought dead and wakes up cannot write any more.
    """

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(255))
    fence: Mapped[int] = mapped_column(BigId)
    expires_at: Mapped[datetime]


class Revision(Base):
    """A counter per topic (``processes``, ``tree``, ...), raised in the transaction that changes what it stands for."""

    __tablename__ = "revision"

    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(BigId)
    changed_at: Mapped[datetime]


class Worker(Base):
    """One worker of one collector (``host:pid``), as it last reported.

    ``state`` is a word of `services.health.WorkerState`, ``turned_at`` when its loop last turned. ``lag_s`` and
    ``lag_messages`` say how far reading is behind Kafka; null where they have no meaning or are not known.
    ``memory_peak_bytes`` is the most memory that the collector has taken since its start.
    """

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    collector: Mapped[str] = mapped_column(String(255), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
    reported_at: Mapped[datetime]
    turned_at: Mapped[datetime | None]
    lag_s: Mapped[float | None]
    lag_messages: Mapped[int | None] = mapped_column(BigId)
    memory_peak_bytes: Mapped[int | None] = mapped_column(BigId)
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]
