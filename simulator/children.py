"""The children of a controller: other controllers over gRPC, and stand-ins for DAQ applications."""

from typing import Protocol

import grpc

from simulator import g1
from simulator.application import Application
from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import INITIAL_STATE, destination_of
from simulator.g1 import DruncError
from simulator.pipeline import exception_response
from wire import WireMessage


class ForwardingError(Exception):
    """A child could not be asked; ``response`` is the element it becomes, ``str()`` the text for the broadcast."""

    def __init__(self, text: str, response: WireMessage) -> None:
        """Keep both."""
        super().__init__(text)
        self.response = response


class Child(Protocol):
    """What a controller does with a child."""

    name: str

    def forward(self, rpc: str, request: WireMessage) -> WireMessage:
        """Pass a request on and return the child's ``Response``; ForwardingError when that fails."""

    def status(self, request: WireMessage) -> WireMessage:
        """Return the child's ``Status``."""

    def close(self) -> None:
        """Free what the child holds."""


class ControllerChild:
    """A segment controller, asked over gRPC with the operator's token and without a deadline (contract 10.1)."""

    def __init__(self, name: str, address: str) -> None:
        """Remember the address; it stays the same for life, even if the child boots again elsewhere."""
        self.name = name
        self._channel = grpc.insecure_channel(address)
        self._stub = g1.Stub(self._channel, g1.CONTROLLER)

    def forward(self, rpc: str, request: WireMessage) -> WireMessage:
        """Pass a request on; an unreachable child is a drunc exception, another gRPC error an unhandled one."""
        try:
            return self._stub.call(rpc, request)
        except grpc.RpcError as error:
            raise self._failure(error, request.token) from error

    def status(self, request: WireMessage) -> WireMessage:
        """Ask ``get_status``; an unreachable child is ``unknown`` (contract 10.3)."""
        try:
            return g1.unpack(self._stub.call("get_status", request).data)
        except grpc.RpcError:
            return g1.make("Status", name=self.name, state="unknown", sub_state="unknown", in_error=True)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _failure(self, error: grpc.RpcError, token: WireMessage) -> ForwardingError:
        text = str((error.details(), error.code().value[0]))
        unreachable = error.code() is grpc.StatusCode.UNAVAILABLE
        shown = DruncError(text) if unreachable else RuntimeError(text)
        return ForwardingError(text, exception_response(self.name, token, shown))


class ApplicationChild:
    """A controller's stand-in for an application: it keeps the state that it assumes the application to be in."""

    def __init__(self, application: Application) -> None:
        """Stand for one incarnation of the application."""
        self.name = application.name
        self._application = application
        self._state = INITIAL_STATE
        self._sub_state = "idle"
        self._in_error = False
        self._included = True

    def close(self) -> None:
        """Nothing is held."""

    def status(self, request: WireMessage) -> WireMessage:  # noqa: ARG002 - applications have no ownership
        """Return what the parent assumes; in error as well when the port does not answer."""
        return g1.make(
            "Status",
            name=self.name,
            state=self._state,
            sub_state=self._sub_state,
            in_error=self._in_error or not self._application.alive,
            included=self._included,
        )

    def forward(self, rpc: str, request: WireMessage) -> WireMessage:
        """Answer for the application; it knows transitions, include and exclude only (contract 8.1)."""
        try:
            return self._answer(rpc, request)
        except Exception as error:
            raise ForwardingError(str(error), exception_response(self.name, request.token, error)) from error

    def _answer(self, rpc: str, request: WireMessage) -> WireMessage:
        if rpc == "execute_fsm_command":
            return self._execute(request)
        if rpc in ("include", "exclude"):
            return self._include(request, included=rpc == "include")
        if not self._included:
            # G1 trips over an excluded application (contract 10.6); the text is not known.
            raise AttributeError("'NoneType' object has no attribute 'flag'")
        return g1.make(
            "Response",
            name=self.name,
            token=None if rpc == "describe" else request.token,
            flag=int(ResponseFlag.NOT_EXECUTED_NOT_IMPLEMENTED),
        )

    def _include(self, request: WireMessage, *, included: bool) -> WireMessage:
        word = "included" if included else "excluded"
        if self._included == included:
            raise DruncError(f"'{self.name}' is already {word}")
        self._included = included
        text = g1.plain_text(f"'{self.name}' {word}")
        return g1.make("Response", name=self.name, token=request.token, data=g1.pack(text))

    def _execute(self, request: WireMessage) -> WireMessage:
        command = g1.unpack(request.data)
        if self._in_error:
            return self._fsm_response(request, command, FsmFlag.FSM_NOT_EXECUTED_IN_ERROR)
        if not self._included:
            return self._fsm_response(request, command, FsmFlag.FSM_NOT_EXECUTED_EXCLUDED)
        self._sub_state = "executing_cmd"
        try:
            reply = self._application.execute(command.command_name, command.data)
        except Exception:
            self._in_error = True
            raise
        if not reply.success:
            # The sub-state stays ``executing_cmd`` after a failure (contract 10.3).
            self._in_error = True
            return self._fsm_response(request, command, FsmFlag.FSM_FAILED, reply.as_json())
        self._sub_state = "idle"
        self._state = destination_of(command.command_name, self._state)
        return self._fsm_response(request, command, FsmFlag.FSM_EXECUTED_SUCCESSFULLY, reply.as_json())

    def _fsm_response(
        self, request: WireMessage, command: WireMessage, flag: FsmFlag, reply: str | None = None
    ) -> WireMessage:
        data = g1.make(
            "FSMCommandResponse",
            flag=int(flag),
            command_name=command.command_name,
            data=None if reply is None else g1.pack(g1.plain_text(reply)),
        )
        return g1.make("Response", name=self.name, token=request.token, data=g1.pack(data))
