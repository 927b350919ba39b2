"""What lets several processes share one database: leases and revisions."""

from datetime import datetime

from sqlalchemy import String
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
