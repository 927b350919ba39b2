"""The audit trail: rows are added, never changed or removed (triggers in the migration refuse it)."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class AuditRecord(Base):
    """One step of what a person did: ``intent``, ``outcome`` or ``refusal`` of an action."""

    __tablename__ = "audit_record"
    __table_args__ = (
        CheckConstraint("kind in ('intent', 'outcome', 'refusal')", name="kind"),
        # Audit of one session, newest first.
        Index(None, "session", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    user_name: Mapped[str] = mapped_column(String(64))
    remote_address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    session: Mapped[str | None] = mapped_column(String(255))
    target: Mapped[str | None] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)
    command_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("command.id"))
