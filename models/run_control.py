"""Last known state of the drunc installation, as the collector saw it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class DaqSession(Base):
    """One run-control session: its root controller's state, its holder of control, its run.

    ``state`` never carries the sub-state in brackets that G1 adds (contract 10.3). ``holder`` is null while unknown
    and empty when nobody holds control (contract 8.3). ``sources`` is who knows of it (``types.SessionSource``). A
    session that is gone stays, with ``present`` off and ``vanished_at``.
    """

    __tablename__ = "daq_session"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    root_name: Mapped[str | None] = mapped_column(Text)
    root_address: Mapped[str | None] = mapped_column(String(255))
    generation: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str | None] = mapped_column(String(64))
    sub_state: Mapped[str | None] = mapped_column(String(128))
    state_since: Mapped[datetime | None]
    in_error: Mapped[bool | None]
    included: Mapped[bool | None]
    holder: Mapped[str | None] = mapped_column(String(255))
    holder_since: Mapped[datetime | None]
    transitions: Mapped[list[Any]]
    possible: Mapped[list[Any]]
    sequences: Mapped[list[Any] | None]
    run_number: Mapped[int | None] = mapped_column(BigId)
    run_type: Mapped[str | None] = mapped_column(String(16))
    trigger_rate_hz: Mapped[float | None]
    storage_disabled: Mapped[bool | None]
    run_started_at: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_since: Mapped[datetime | None]
    present: Mapped[bool]
    owner: Mapped[str | None] = mapped_column(String(255))
    configuration_file: Mapped[str | None] = mapped_column(Text)
    configuration_id: Mapped[str | None] = mapped_column(String(255))
    sources: Mapped[list[Any] | None]
    first_seen_at: Mapped[datetime | None]
    vanished_at: Mapped[datetime | None]


class BootConfiguration(Base):
    """A configuration from which a session can be booted, as the session manager lists it (contract 5.3)."""

    __tablename__ = "boot_configuration"

    file: Mapped[str] = mapped_column(String(1024), primary_key=True)
    configuration_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int]


class Process(Base):
    """One process that the process manager lists (contract 4.3, ``ProcessInstance``).

    drunc tells no times: ``first_seen_at`` and ``ended_at`` are when the collector first saw it, and saw it dead.
    """

    __tablename__ = "process"
    __table_args__ = (Index(None, "session"),)

    uuid: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    session: Mapped[str] = mapped_column(String(255))
    user: Mapped[str] = mapped_column(String(255))
    hostname: Mapped[str] = mapped_column(String(255))
    tree_id: Mapped[str | None] = mapped_column(String(64))
    status_code: Mapped[str] = mapped_column(String(16))
    return_code: Mapped[int | None]
    first_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class Node(Base):
    """One node of a session's application tree: a controller or a DAQ application.

    ``holder`` is who holds control of a controller below the root: null while unknown and for applications, which
    nobody owns; empty when nobody holds it (contract 8). ``detector`` is what the node tells of itself (10.2).
    """

    __tablename__ = "node"

    session: Mapped[str] = mapped_column(String(255), primary_key=True)
    path: Mapped[str] = mapped_column(String(1024), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    depth: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str | None] = mapped_column(String(64))
    sub_state: Mapped[str | None] = mapped_column(String(128))
    state_since: Mapped[datetime | None]
    in_error: Mapped[bool | None]
    included: Mapped[bool | None]
    endpoint: Mapped[str | None] = mapped_column(String(255))
    seen_at: Mapped[datetime | None]
    holder: Mapped[str | None] = mapped_column(String(255))
    holder_since: Mapped[datetime | None]
    detector: Mapped[str | None] = mapped_column(String(255))


class Backend(Base):
    """One outside address the collector talks to: what it is, since when it answers or not, and the last error."""

    __tablename__ = "backend"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    address: Mapped[str] = mapped_column(String(255), primary_key=True)
    generation: Mapped[str | None] = mapped_column(String(8))
    reachable: Mapped[bool]
    since: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    tried_at: Mapped[datetime]
    latency_ms: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_at: Mapped[datetime | None]
