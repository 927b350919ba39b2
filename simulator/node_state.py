"""State, error latch and inclusion of a controller, broadcast when they change (contract 10.3, 12.4, 16.2)."""

from collections.abc import Callable

from simulator.broadcast import Broadcaster
from simulator.flags import BroadcastType
from simulator.fsm import INITIAL_STATE


class NodeState:
    """The operational state of one controller."""

    def __init__(self, broadcaster: Broadcaster, changed: Callable[[], None] = lambda: None) -> None:
        """Start as a freshly booted node: initial, no error, included; ``changed`` is called after every change."""
        self._broadcaster = broadcaster
        self._changed = changed
        self.state = INITIAL_STATE
        self.sub_state = INITIAL_STATE
        self.in_error = False
        self.included = True

    @property
    def busy(self) -> bool:
        """Whether a transition runs, or stopped half-way."""
        return self.sub_state != self.state

    @property
    def shown(self) -> str:
        """``state`` as G1 reports it: with the sub-state in brackets during a transition."""
        return f"{self.state} ({self.sub_state})" if self.busy else self.state

    def advance(self, sub_state: str) -> None:
        """Change the sub-state."""
        self._tell(BroadcastType.FSM_STATUS_UPDATE, "operational_state", self.sub_state, sub_state)
        self.sub_state = sub_state
        self._changed()

    def enter(self, state: str) -> None:
        """Change the state; the sub-state stays what it is."""
        self._tell(BroadcastType.FSM_STATUS_UPDATE, "operational_state", self.state, state)
        self.state = state
        self._changed()

    def latch_error(self) -> None:
        """Go in error; G1 has no way back but a reboot."""
        self._set_error(in_error=True)

    def recover(self, state: str, sub_state: str) -> None:
        """Take over the state of the children and leave the error (contract 10.7)."""
        self._set_error(in_error=False)
        if state != self.state:
            self.enter(state)
        if sub_state != self.sub_state:
            self.advance(sub_state)

    def include(self, *, included: bool) -> None:
        """Change the inclusion."""
        self._tell(BroadcastType.STATUS_UPDATE, "inclusion_state", self.included, included)
        self.included = included
        self._changed()

    def _set_error(self, *, in_error: bool) -> None:
        if self.in_error != in_error:
            self._tell(BroadcastType.STATUS_UPDATE, "error_state", self.in_error, in_error)
            self.in_error = in_error
            self._changed()

    def _tell(self, kind: BroadcastType, what: str, before: object, to: object) -> None:
        self._broadcaster.send(kind, f"Changing {what} from {before} to {to}")
