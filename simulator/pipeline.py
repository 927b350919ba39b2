"""What every server does with a request: announce, authorise, check ownership, unpack, handle (contract 7)."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import grpc

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.flags import BroadcastType, ResponseFlag
from simulator.g1 import BadPayloadError, DruncError, Owner
from wire import WireMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came through: who asks, and the unpacked payload if the RPC wants one."""

    token: WireMessage
    payload: WireMessage | None

    @property
    def owner(self) -> Owner:
        """Who asks, comparable with the owner of a controller."""
        return Owner(self.token.user_name, self.token.token)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler wants to say."""

    data: WireMessage | None = None
    flag: ResponseFlag = ResponseFlag.EXECUTED_SUCCESSFULLY
    children: tuple[WireMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC of a server.

    Attributes:
        name: Name of the RPC.
        handler: Makes the answer; what it raises becomes an in-band error.
        payload: Message that ``Request.data`` must hold; None when the data is not looked at.
        needs_control: Whether the sender must own the controller (contract 8.1).
        echoes_token: Whether a successful answer carries the sender's token (contract 4.1).
    """

    name: str
    handler: Callable[[Call], Answer]
    payload: str | None = None
    needs_control: bool = False
    echoes_token: bool = False


@dataclass(frozen=True, slots=True)
class StreamRpc:
    """One server-streaming RPC: the handler returns the payloads of the stream."""

    name: str
    handler: Callable[[Call], Iterable[WireMessage]]
    payload: str


class Pipeline:
    """The wrappers around the handlers of one server."""

    def __init__(
        self,
        name: str,
        broadcaster: Broadcaster,
        owner: Callable[[], Owner] | None = None,
        *,
        refuses_as: str | None = None,
    ) -> None:
        """Answer in the name of ``name``.

        Args:
            name: Name of the server.
            broadcaster: Tells who asks what.
            owner: Tells who holds the controller; None for a server without ownership.
            refuses_as: Name on the refusal of a bad payload in G2; None for G1, where the refusal fails itself.
        """
        self._name = name
        self._broadcaster = broadcaster
        self._owner = owner
        self._refuses_as = refuses_as

    def unary(self, rpc: Rpc) -> Callable[[WireMessage, grpc.ServicerContext], WireMessage]:
        """Return the gRPC behaviour of an RPC."""

        def behave(request: WireMessage, _context: grpc.ServicerContext) -> WireMessage:
            self._announce(request, rpc.name)
            try:
                response = self._answer(rpc, request)
            except BadPayloadError as error:
                response = self._bad_request(request, error)
            except Exception as error:  # noqa: BLE001 - every exception is an answer (contract 7.2)
                return self._failure(request, error)
            self._announce_end(request, rpc.name)
            return response

        return behave

    def stream(self, rpc: StreamRpc) -> Callable[[WireMessage, grpc.ServicerContext], Iterator[WireMessage]]:
        """Return the gRPC behaviour of a streaming RPC; its end is announced whatever happened (contract 7.1)."""

        def behave(request: WireMessage, _context: grpc.ServicerContext) -> Iterator[WireMessage]:
            self._announce(request, rpc.name)
            try:
                for data in rpc.handler(Call(request.token, self._unpacked(request, rpc.payload))):
                    yield g1.make("Response", name=self._name, data=g1.pack(data))
            except BadPayloadError as error:
                yield self._bad_request(request, error)
            except Exception as error:  # noqa: BLE001 - every exception is an answer (contract 7.2)
                yield self._failure(request, error)
            self._announce_end(request, rpc.name)

        return behave

    def _answer(self, rpc: Rpc, request: WireMessage) -> WireMessage:
        # The authoriser is the dummy one: it allows everything.
        if rpc.needs_control and self._owner is not None and self._owner() != _asker(request):
            return self._not_in_control(request)
        answer = rpc.handler(Call(request.token, self._unpacked(request, rpc.payload)))
        return g1.make(
            "Response",
            name=self._name,
            token=request.token if rpc.echoes_token else None,
            data=None if answer.data is None else g1.pack(answer.data),
            flag=int(answer.flag),
            children=answer.children,
        )

    def _not_in_control(self, request: WireMessage) -> WireMessage:
        text = f"User {request.token.user_name} is not in control of Controller"
        return g1.make(
            "Response",
            name=self._name,
            token=request.token,
            data=g1.pack(g1.plain_text(text)),
            flag=int(ResponseFlag.NOT_EXECUTED_NOT_IN_CONTROL),
        )

    def _failure(self, request: WireMessage, error: Exception) -> WireMessage:
        log.info("request failed node=%s error=%s", self._name, g1.last_line(error))
        return exception_response(self._name, request.token, error)

    def _bad_request(self, request: WireMessage, error: BadPayloadError) -> WireMessage:
        return g1.make(
            "Response",
            name=self._refuses_as,
            token=request.token,
            data=g1.pack(g1.plain_text(str(error))),
            flag=int(ResponseFlag.NOT_EXECUTED_BAD_REQUEST_FORMAT),
        )

    def _unpacked(self, request: WireMessage, payload: str | None) -> WireMessage | None:
        """Return the payload of the declared type, None when the RPC does not look at it.

        Raises:
            NameError: The payload is missing or of another type: G1 means to refuse, and fails at it (contract 7.2).
            BadPayloadError: The same in G2.
        """
        if payload is None:
            return None
        if request.HasField("data") and request.data.type_url == f"type.googleapis.com/{g1.PACKAGE}.{payload}":
            return g1.unpack(request.data)
        if self._refuses_as is None:
            raise NameError("name 'response_flag' is not defined")
        raise BadPayloadError(f"The request does not hold a {payload}")

    def _announce(self, request: WireMessage, rpc: str) -> None:
        # The logs of a G2 process manager keep the text of G1 (contract 7.1).
        verb = "attempting to execute" if self._refuses_as is None or rpc == "logs" else "executing"
        self._broadcaster.announce(BroadcastType.ACK, f"User '{request.token.user_name}' {verb} '{rpc}'")

    def _announce_end(self, request: WireMessage, rpc: str) -> None:
        self._broadcaster.announce(
            BroadcastType.COMMAND_EXECUTION_SUCCESS,
            f"User '{request.token.user_name}' successfully executed '{rpc}'",
        )


def exception_response(name: str, token: WireMessage, error: Exception) -> WireMessage:
    """Return the in-band answer to an exception (contract 7.2)."""
    flag = (
        ResponseFlag.DRUNC_EXCEPTION_THROWN
        if isinstance(error, DruncError)
        else ResponseFlag.UNHANDLED_EXCEPTION_THROWN
    )
    return g1.make("Response", name=name, token=token, data=g1.pack(g1.stacktrace(error)), flag=int(flag))


def _asker(request: WireMessage) -> Owner:
    return Owner(request.token.user_name, request.token.token)
