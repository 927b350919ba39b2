"""What a controller keeps of a DAQ application: the state that it assumes the application to be in."""

from simulator.application import Application
from simulator.flags import FsmFlag
from simulator.fsm import INITIAL_STATE, destination_of

IDLE = "idle"


class StandIn:
    """State, error latch and inclusion of one incarnation of an application (contract 10.3)."""

    def __init__(self, application: Application, *, idle_after_failure: bool = False) -> None:
        """Stand for ``application``; its sub-state stays ``executing_cmd`` after a failure unless told otherwise."""
        self.application = application
        self.name = application.name
        self.state = INITIAL_STATE
        self.sub_state = IDLE
        self.included = True
        self.latched = False
        self._idle_after_failure = idle_after_failure

    @property
    def in_error(self) -> bool:
        """In error as well when the port does not answer."""
        return self.latched or not self.application.reachable

    def execute(self, transition: str, data: str) -> tuple[FsmFlag, str | None]:
        """Let the application make a transition; return what is said of it and the reply, None if it was not asked.

        Raises:
            UnreachableError: The application did not reply; it is in error.
        """
        if self.latched:
            return FsmFlag.FSM_NOT_EXECUTED_IN_ERROR, None
        if not self.included:
            return FsmFlag.FSM_NOT_EXECUTED_EXCLUDED, None
        self.sub_state = "executing_cmd"
        try:
            reply = self.application.execute(transition, data)
        except Exception:
            self._fail()
            raise
        if not reply.success:
            self._fail()
            return FsmFlag.FSM_FAILED, reply.as_json()
        self.sub_state = IDLE
        self.state = destination_of(transition, self.state)
        return FsmFlag.FSM_EXECUTED_SUCCESSFULLY, reply.as_json()

    def _fail(self) -> None:
        self.latched = True
        if self._idle_after_failure:
            self.sub_state = IDLE
