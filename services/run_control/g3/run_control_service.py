"""The run control service of G3, under construction upstream (contract 6.5)."""

from dataclasses import dataclass

from services.errors import UnknownCallError
from services.run_control import decode
from services.run_control.command_types import CommandResult
from services.run_control.g3.call import RUN_CONTROL, TypedCaller, message, token
from services.run_control.session_types import SessionOrder
from services.run_control.support import Deadlines, not_supported
from wire.schema import WireMessage

GENERATION = "G3"
# To connect takes no longer where somebody listens.
CONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class G3RunControlService:
    """Adapter of the service (see `services.run_control.adapter.RunControlServiceAdapter`)."""

    call: TypedCaller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    def check(self) -> None:
        """Find out whether somebody listens (see the protocol)."""
        self.call.channels.reach(self.call.address, self.call.what, min(CONNECT_S, self.deadlines.read_s))

    def start_session(self, user: str, order: SessionOrder) -> CommandResult:
        """Boot a whole session (``start_session``)."""
        request = message(RUN_CONTROL + "StartSessionRequest")(
            token=token(user),
            process_manager=order.process_manager,
            path_to_configuration_file=order.configuration.file,
            session_id=order.configuration.id,
            session_name=order.name,
        )
        return self._result("start_session", request, f"{order.name} was started.")

    def end_session(self, user: str, order: SessionOrder) -> CommandResult:
        """End a whole session (``end_session``, whose declared answer is that of ``start_session``)."""
        request = message(RUN_CONTROL + "EndSessionRequest")(
            token=token(user),
            process_manager=order.process_manager,
            path_to_configuration_file=order.configuration.file,
            ssesion_id=order.configuration.id,
            session_name=order.name,
        )
        return self._result("end_session", request, f"{order.name} was ended.")

    def _result(self, rpc: str, request: WireMessage, done: str) -> CommandResult:
        try:
            answer = self.call(rpc, request, RUN_CONTROL + "StartSessionResponse", self.deadlines.command_s)
        except UnknownCallError as error:
            raise not_supported("start and end sessions: its run control service is another version", GENERATION) from (
                error
            )
        status = decode.enum_name(answer.result, "status")
        if status == "SUCCESS":
            return CommandResult(succeeded=True, text=done)
        reason = status.removeprefix("FAILURE_").replace("_", " ").lower()
        return CommandResult(succeeded=False, text=f"The run control service refused: {reason}.")
