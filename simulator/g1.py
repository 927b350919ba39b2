"""Making and reading messages of generation G1."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import grpc

from wire import WireMessage, load_g1

PACKAGE = "dunedaq.druncschema"
CONTROLLER = f"{PACKAGE}.Controller"
PROCESS_MANAGER = f"{PACKAGE}.ProcessManager"


class DruncError(Exception):
    """What drunc itself raises: the client sees ``DRUNC_EXCEPTION_THROWN`` and a stack trace (contract 7.2)."""


class BadPayloadError(Exception):
    """The payload of a request is missing or of the wrong type; ``str()`` is for people (contract 7.2)."""


class BadQueryError(DruncError):
    """A process query selects no process, or several where one is wanted (contract 9.4)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a controller. Both strings count (contract 8.1)."""

    user_name: str
    token: str


# A controller started itself; after the surrender it belongs to nobody (contract 8.1, 8.3).
INITIAL_OWNER = Owner("controller_init_token", "")
NOBODY = Owner("", "")


def owner_of(user: str) -> Owner:
    """Return the token that every known client sends for a user (contract 3)."""
    return Owner(user, f"{user}-token")


def make(name: str, /, **fields: object) -> WireMessage:
    """Make a message of the package ``dunedaq.druncschema``."""
    return load_g1().message(f"{PACKAGE}.{name}")(**fields)


def pack(message: WireMessage) -> WireMessage:
    """Wrap a message into an ``Any``."""
    return load_g1().pack(message)


def unpack(packed: WireMessage) -> WireMessage:
    """Return the message inside an ``Any``."""
    return load_g1().unpack(packed)


def plain_text(text: str) -> WireMessage:
    """Make a ``PlainText``."""
    return make("PlainText", text=text)


def token_message(owner: Owner) -> WireMessage:
    """Make the ``Token`` of somebody."""
    return make("Token", user_name=owner.user_name, token=owner.token)


def request(token: WireMessage, data: WireMessage | None = None) -> WireMessage:
    """Make a ``Request``; ``data`` is packed."""
    return make("Request", token=token, data=None if data is None else pack(data))


def stacktrace(error: BaseException) -> WireMessage:
    """Make the ``Stacktrace`` of an exception: one element a line, the last one empty (contract 3)."""
    frames = [
        f'  File "{PurePath(frame.filename).name}", line {frame.lineno}, in {frame.name}'
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return make("Stacktrace", text=["Traceback (most recent call last):", *frames, last_line(error), ""])


def last_line(error: BaseException) -> str:
    """Return the line that tells people what went wrong: ``<Python class>: <text>`` (contract 3)."""
    if isinstance(error, DruncError):
        return f"drunc.exceptions.DruncCommandException: {error}"
    return "".join(traceback.format_exception_only(error)).rstrip("\n")


class Stub:
    """Calls the RPCs of one service over a channel: ``Stub(channel, CONTROLLER).call("ls", request)``."""

    def __init__(self, channel: grpc.Channel, service: str) -> None:
        """Prepare one callable for each RPC of the service."""
        self._calls: dict[str, Callable[..., WireMessage]] = {}
        for name, method in load_g1().methods(service).items():
            connect = channel.unary_stream if method.server_streaming else channel.unary_unary
            self._calls[name] = connect(
                method.path,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=method.response.FromString,
            )

    def call(self, rpc: str, message: WireMessage, timeout_s: float | None = None) -> WireMessage:
        """Send a request and return the answer, or an iterator of answers for a stream.

        Raises:
            grpc.RpcError: The server did not answer, or refused the RPC.
        """
        return self._calls[rpc](message, timeout=timeout_s)


def service_handler(
    service: str, answers: Mapping[str, Callable[..., WireMessage]]
) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
    """Return the gRPC handler of a service; RPCs without an answer stay UNIMPLEMENTED."""
    handlers = {}
    for name, method in load_g1().methods(service).items():
        if name in answers:
            bind = (
                grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
            )
            handlers[name] = bind(
                answers[name],
                # Every RPC of G1 takes the same envelope.
                request_deserializer=load_g1().message(f"{PACKAGE}.Request").FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
    return grpc.method_handlers_generic_handler(service, handlers)
