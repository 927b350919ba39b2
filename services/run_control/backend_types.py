"""Plain data of outside addresses: what they are, and how they answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BackendKind(StrEnum):
    """What an outside address is."""

    PROCESS_MANAGER = "process_manager"
    CONTROLLER = "controller"
    SESSION_MANAGER = "session_manager"
    RUN_CONTROL_SERVICE = "run_control_service"
    CONNECTIVITY = "connectivity_service"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class BackendView:
    """Health of one outside address."""

    kind: BackendKind
    address: str
    generation: str | None
    reachable: bool
    since: datetime
    answered_at: datetime | None
    tried_at: datetime
    latency_ms: float | None
    error: str | None
    error_at: datetime | None
