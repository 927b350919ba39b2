"""Plain data of sessions: who knows them, what they are booted from, how they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.run_control.command_types import CommandView
from services.run_control.fsm_types import Sequence, Transition

# A freshly booted controller belongs to itself (contract 8.1).
INITIAL_HOLDER = "controller_init_token"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration from which a session can be booted (contract 5.3 ``ConfigKey``)."""

    file: str
    id: str


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session as the session manager lists it (contract 5.3)."""

    name: str
    user: str
    configuration: Configuration


class SessionSource(StrEnum):
    """Who knows of a session."""

    PROCESS_MANAGER = "process_manager"
    SESSION_MANAGER = "session_manager"
    CONNECTIVITY = "connectivity_service"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A session to boot or to end through the run control service (contract 6.5)."""

    name: str
    configuration: Configuration
    process_manager: str = ""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of the current run. drunc G1 does not tell: then it is what this console started."""

    number: int | None = None
    type: str | None = None
    trigger_rate_hz: float | None = None
    storage_disabled: bool | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session at a glance.

    ``holder`` is None while unknown, empty when nobody holds control. ``polled_at`` is the last time the root
    controller answered; ``error`` says why it does not, since ``error_since``. ``processes_ended`` are those of
    ``processes_dead`` that ended with exit code 0. ``owner`` is who booted it, ``configuration`` what from, where
    somebody tells. ``vanished_at`` is None while anybody knows of the session.
    """

    name: str
    state: str | None
    sub_state: str | None
    state_since: datetime | None
    in_error: bool | None
    included: bool | None
    holder: str | None
    holder_since: datetime | None
    transitions: tuple[Transition, ...]
    possible: tuple[str, ...]
    run: RunInfo
    root_name: str | None
    root_address: str | None
    generation: str | None
    polled_at: datetime | None
    error: str | None
    error_since: datetime | None
    processes_running: int = 0
    processes_dead: int = 0
    processes_ended: int = 0
    nodes_total: int = 0
    nodes_in_error: int = 0
    nodes_excluded: int = 0
    executing: CommandView | None = None
    sequences: tuple[Sequence, ...] = ()
    owner: str | None = None
    configuration: Configuration | None = None
    sources: frozenset[SessionSource] = frozenset()
    first_seen_at: datetime | None = None
    vanished_at: datetime | None = None

    @property
    def held_by_nobody(self) -> bool:
        """Whether control is free to take: nobody's, or still the controller's own."""
        return self.holder in ("", INITIAL_HOLDER)
