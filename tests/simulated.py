"""Talking to a simulated drunc with nothing but the wire schemas, and listening to what it publishes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import grpc

from wire import WireMessage, load_g1

DRUNC = "dunedaq.druncschema"


def g1(name: str, /, **fields: object) -> WireMessage:
    """Make a message of generation G1."""
    return load_g1().message(f"{DRUNC}.{name}")(**fields)


def text(value: str) -> WireMessage:
    """Make a ``PlainText``."""
    return g1("PlainText", text=value)


def payload(response: WireMessage) -> WireMessage:
    """Return the message inside ``Response.data``."""
    assert response.HasField("data"), f"{response.name} sent no data"
    return load_g1().unpack(response.data)


def said(response: WireMessage) -> str:
    """Return the text of a ``PlainText`` answer."""
    return str(payload(response).text)


def blamed(response: WireMessage) -> str:
    """Return the useful line of a ``Stacktrace``: the last one that is not empty."""
    lines = payload(response).text
    assert lines[0] == "Traceback (most recent call last):"
    return str([line for line in lines if line][-1])


def child(response: WireMessage, *names: str) -> WireMessage:
    """Return a node of an answer tree by its path below the answering node."""
    for name in names:
        (response,) = [known for known in response.children if known.name == name]
    return response


class RawClient:
    """Sends requests to one service in the name of one user."""

    def __init__(self, channel: grpc.Channel, service: str, user: str, token: str | None = None) -> None:
        self._channel = channel
        self._methods = load_g1().methods(f"{DRUNC}.{service}")
        self._token = g1("Token", user_name=user, token=f"{user}-token" if token is None else token)

    def call(self, rpc: str, data: WireMessage | None = None, timeout_s: float = 10.0) -> WireMessage:
        """Send a request; returns the ``Response``, or the list of them for a stream."""
        method = self._methods[rpc]
        connect = self._channel.unary_stream if method.server_streaming else self._channel.unary_unary
        stub: Callable[..., WireMessage] = connect(
            method.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString,
        )
        packed = None if data is None else load_g1().pack(data)
        answer = stub(g1("Request", token=self._token, data=packed), timeout=timeout_s)
        return list(answer) if method.server_streaming else answer

    def execute(self, transition: str, **arguments: WireMessage) -> WireMessage:
        """Execute a transition; arguments are ``*_msg`` messages."""
        packed = {name: load_g1().pack(value) for name, value in arguments.items()}
        return self.call("execute_fsm_command", g1("FSMCommand", command_name=transition, arguments=packed))

    def status(self) -> WireMessage:
        """Return the node's own ``Status``."""
        return payload(self.call("get_status"))

    def children_status(self) -> dict[str, WireMessage]:
        """Return the ``Status`` of the direct children by name."""
        return {status.name: status for status in payload(self.call("get_children_status")).children_status}


@contextmanager
def connected(address: str, service: str, user: str = "alice", token: str | None = None) -> Iterator[RawClient]:
    """Connect to a service of an installation."""
    with grpc.insecure_channel(address) as channel:
        yield RawClient(channel, service, user, token)


class Record(NamedTuple):
    """One record as a publisher got it."""

    topic: str
    value: bytes
    key: str | None


class RecordingPublisher:
    """Keeps what is published, instead of Kafka."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record] = []

    def publish(self, topic: str, value: bytes, key: str | None = None) -> None:
        """Keep a record."""
        with self._lock:
            self._records.append(Record(topic, value, key))

    @property
    def records(self) -> list[Record]:
        """What was published so far."""
        with self._lock:
            return list(self._records)

    def clear(self) -> None:
        """Forget what was published so far."""
        with self._lock:
            self._records.clear()

    def broadcasts(self, topic: str) -> list[tuple[str, str]]:
        """Return type name and text of the broadcasts on a topic."""
        names = load_g1().enum_names(f"{DRUNC}.BroadcastType")
        messages = [
            load_g1().message(f"{DRUNC}.BroadcastMessage").FromString(record.value)
            for record in self.records
            if record.topic == topic
        ]
        return [(names[message.type], load_g1().unpack(message.data).text) for message in messages]
