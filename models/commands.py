"""Commands: what people asked for, how far it is, and what each node answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Command(Base):
    """One command of one person. The row is the order; the collector claims and executes it once.

    ``state`` goes ``pending`` → ``executing`` → ``succeeded``, ``failed`` or ``unknown``. ``unknown`` is what a
    takeover or a lost connection leaves behind: it was sent, nobody saw the answer, and it is never sent again.
    ``target`` is what it is for in words: a node's path, or names of processes. ``transition`` is the transition or
    sequence to execute, null for other actions. ``payload`` is what the action needs beside arguments, in the form of
    the module that executes it. ``steps`` is how far a sequence is, ``aborted_by`` who asked that it goes no further.
    """

    __tablename__ = "command"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'executing', 'succeeded', 'failed', 'unknown')", name="state"),
        # The collector looks for pending rows ten times a second.
        Index(None, "state", "id"),
        # The last commands of one session, newest first.
        Index(None, "session", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    created_at: Mapped[datetime]
    user_name: Mapped[str] = mapped_column(String(64))
    remote_address: Mapped[str] = mapped_column(String(64))
    session: Mapped[str | None] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(Text)
    transition: Mapped[str | None] = mapped_column(String(255))
    arguments: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(255))
    finished_at: Mapped[datetime | None]
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any] | None]
    steps: Mapped[list[Any] | None]
    aborted_by: Mapped[str | None] = mapped_column(String(64))


class CommandResult(Base):
    """What one node answered to a command: both flags of the wire, by their contract names.

    For a process ``flag`` is its status.
    """

    __tablename__ = "command_result"
    __table_args__ = (Index(None, "command_id", "position"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    command_id: Mapped[int] = mapped_column(BigId, ForeignKey("command.id"))
    position: Mapped[int]
    path: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    succeeded: Mapped[bool]
    flag: Mapped[str] = mapped_column(String(64))
    fsm_flag: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
