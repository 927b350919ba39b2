"""What changed and when: the memory behind timelines and the transition board."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, JsonValue


class HistoryEntry(Base):
    """One observed change; the words are those of ``services.history.types``.

    Rows are added, never rewritten: only ``at`` and ``source`` give way to a better time, when a broadcast tells it.
    ``at`` is the best known time of the change, ``noted_at`` when the console learnt of it. ``name`` is a node's path,
    a process's name, a backend's ``kind address``; ``uuid`` tells processes of one name apart. ``old`` and ``new``
    are JSON scalars, null for unknown or none.
    """

    __tablename__ = "history_entry"
    __table_args__ = (
        CheckConstraint("source in ('poll', 'broadcast', 'command')", name="source"),
        # The timeline of one session, newest first.
        Index(None, "session", "at", "id"),
        # The same of everything; and what is too old.
        Index(None, "at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    noted_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(16))
    session: Mapped[str | None] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(1024))
    aspect: Mapped[str] = mapped_column(String(32))
    old: Mapped[Any | None] = mapped_column(JsonValue)
    new: Mapped[Any | None] = mapped_column(JsonValue)
    uuid: Mapped[str | None] = mapped_column(String(64))
    command_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("command.id"))


class TransitionRun(Base):
    """One time that a session went through a transition: a column of the transition board.

    ``transition`` is null where more than one happened between two polls. ``began_at`` and ``ended_at`` are the root
    controller's; ``ended_at`` is null while ``outcome`` is ``running``. Of a transition that only the poll noticed
    ``began_at`` is the last moment before which it cannot have begun.
    """

    __tablename__ = "transition_run"
    __table_args__ = (
        CheckConstraint("outcome in ('running', 'succeeded', 'failed', 'unknown')", name="outcome"),
        # The last transitions of one session.
        Index(None, "session", "began_at", "id"),
        # What is too old.
        Index(None, "began_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    session: Mapped[str] = mapped_column(String(255))
    transition: Mapped[str | None] = mapped_column(String(255))
    state_before: Mapped[str | None] = mapped_column(String(64))
    state_after: Mapped[str | None] = mapped_column(String(64))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    command_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("command.id"))


class NodeTransition(Base):
    """What one node did in a transition: a cell of the transition board.

    Times are the node's own where a broadcast told them (``source``), else bounds from the command or the poll.
    """

    __tablename__ = "node_transition"

    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("transition_run.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(1024), primary_key=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)


class HistoryPosition(Base):
    """How far a reader of the messages is: the last id that it has taken into the history."""

    __tablename__ = "history_position"

    reader: Mapped[str] = mapped_column(String(32), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId)
