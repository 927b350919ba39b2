"""Alarms: what needs somebody, from when until when, and who answered."""

from datetime import datetime

from sqlalchemy import Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId

KEY_LENGTH = 512
RULE_LENGTH = 64


class Alarm(Base):
    """One alarm, from when it was raised until it ended: the condition is gone and somebody has acknowledged it.

    ``key`` says what it is about, e.g. ``process:<uuid>``; there is one alarm at most of a key that has not ended.
    ``priority``: 1 low, 2 medium, 3 high. ``cleared_at`` is when the condition went, null while it stands; what only
    happens (a message) is cleared at once. ``occurrences`` counts how often it came since it was raised. ``rule``
    is the name of the site's rule for messages that raised it, null for a built-in one.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "uq_alarm_key_open",
            "key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "raised_at"),
        Index(None, "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    kind: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column(SmallInteger)
    session: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    rule: Mapped[str | None] = mapped_column(String(RULE_LENGTH))
    occurrences: Mapped[int] = mapped_column(BigId)
    raised_at: Mapped[datetime]
    last_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(BigId)
    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]


class AlarmShelf(Base):
    """An alarm that is put aside until a moment: it is kept up to date, but neither counted nor announced."""

    __tablename__ = "alarm_shelf"

    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    shelved_at: Mapped[datetime]
    shelved_by: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)


class AlarmGuidance(Base):
    """What alarms of a kind (of one ``subject``, or of all where it is empty) mean, what to do, whom to call."""

    __tablename__ = "alarm_guidance"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    meaning: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    contact: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(64))


class AlarmCursor(Base):
    """Up to which message id rules have looked at messages; one row."""

    __tablename__ = "alarm_cursor"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId)
