"""Requests for control: who asked whom, and what became of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class ControlRequest(Base):
    """One person's wish to get control of a session from the one who holds it.

    ``state`` begins as ``open``. ``granted`` and ``declined`` are the holder's answers, ``withdrawn`` is the
    requester's own end; ``expired`` came without an answer in time, ``overtaken`` is what another change of hands
    makes of it. ``command_id`` is the command by which control passed on. ``after_command_id`` is the command after
    which the holder has promised to hand over (no foreign key: SQLite cannot add one to a table that is there).
    """

    __tablename__ = "control_request"
    __table_args__ = (
        CheckConstraint(
            "state in ('open', 'granted', 'declined', 'withdrawn', 'expired', 'overtaken')",
            name="state",
        ),
        # Those of one session, newest first.
        Index(None, "session", "id"),
        # The collector looks for open ones at every poll.
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    session: Mapped[str] = mapped_column(String(255))
    requester: Mapped[str] = mapped_column(String(64))
    requester_address: Mapped[str] = mapped_column(String(64))
    holder: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    command_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("command.id"))
    after_command_id: Mapped[int | None] = mapped_column(BigId)
