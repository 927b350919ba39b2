"""The children of a controller: other controllers over gRPC, and stand-ins for DAQ applications."""

from typing import Protocol

import grpc

from simulator import g1
from simulator.application import Application
from simulator.flags import ResponseFlag
from simulator.g1 import DruncError
from simulator.pipeline import exception_response
from simulator.stand_in import StandIn
from wire import WireMessage


class ForwardingError(Exception):
    """A child could not be asked; ``response`` is the element it becomes, ``str()`` the text for the broadcast."""

    def __init__(self, text: str, response: WireMessage) -> None:
        """Keep both."""
        super().__init__(text)
        self.response = response


class Addressee(Protocol):
    """What commands can be passed on to."""

    name: str

    def forward(self, rpc: str, request: WireMessage) -> WireMessage:
        """Pass a request on and return the child's answer; ForwardingError when that fails."""

    def close(self) -> None:
        """Free what the child holds."""


class Child(Addressee, Protocol):
    """What a G1 controller does with a child."""

    def status(self, request: WireMessage) -> WireMessage:
        """Return the child's ``Status``."""


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
    """An application as a G1 controller answers for it."""

    def __init__(self, application: Application) -> None:
        """Stand for one incarnation of the application."""
        self.name = application.name
        self._stand_in = StandIn(application)

    def close(self) -> None:
        """Nothing is held."""

    def status(self, request: WireMessage) -> WireMessage:  # noqa: ARG002 - applications have no ownership
        """Return what the parent assumes."""
        stand_in = self._stand_in
        return g1.make(
            "Status",
            name=self.name,
            state=stand_in.state,
            sub_state=stand_in.sub_state,
            in_error=stand_in.in_error,
            included=stand_in.included,
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
        if not self._stand_in.included:
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
        if self._stand_in.included == included:
            raise DruncError(f"'{self.name}' is already {word}")
        self._stand_in.included = included
        text = g1.plain_text(f"'{self.name}' {word}")
        return g1.make("Response", name=self.name, token=request.token, data=g1.pack(text))

    def _execute(self, request: WireMessage) -> WireMessage:
        command = g1.unpack(request.data)
        flag, reply = self._stand_in.execute(command.command_name, command.data)
        data = g1.make(
            "FSMCommandResponse",
            flag=int(flag),
            command_name=command.command_name,
            data=None if reply is None else g1.pack(g1.plain_text(reply)),
        )
        return g1.make("Response", name=self.name, token=request.token, data=g1.pack(data))
