"""Asking controllers of G2 and G3 the same questions with nothing but the wire schemas."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import grpc

from wire import G2Layout, WireMessage, load_g2, load_g3

G2_CONTROLLER = "dunedaq.druncschema.Controller"
G3_CONTROLLER = "dunedaq.druncschema.controller.Controller"
G3_PROCESS_MANAGER = "dunedaq.druncschema.process_manager.ProcessManager"
SHARED = "dunedaq.druncschema"
TIMEOUT_S = 10.0


class TreeClient(Protocol):
    """One user's way to a controller; ``along`` and ``below`` are the two flags of an address."""

    def ask(self, rpc: str, target: str = "", payload: object = None, **flags: bool) -> WireMessage:
        """Send a request and return the answer."""

    def execute(self, transition: str, target: str = "", **arguments: int | str) -> WireMessage:
        """Execute a transition on a target and below it."""

    def body(self, response: WireMessage) -> WireMessage:
        """Return what the node says, whatever message it is."""

    def fsm_flag(self, response: WireMessage) -> int:
        """Return the FSM flag of one node."""

    def text(self, response: WireMessage) -> str:
        """Return the text of a node's answer."""


def unary(channel: grpc.Channel, service: str, rpc: str, request: WireMessage, schema: object) -> WireMessage:
    """Call an RPC by the names of a schema."""
    method = schema.methods(service)[rpc]  # type: ignore[attr-defined]
    stub = channel.unary_unary(
        method.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=method.response.FromString,
    )
    return stub(request, timeout=TIMEOUT_S)


class G3Client:
    """Asks a controller of G3."""

    def __init__(self, channel: grpc.Channel, user: str) -> None:
        self._channel = channel
        self._schema = load_g3()
        self._token = self._schema.message(f"{SHARED}.Token")(user_name=user, token=f"{user}-token")

    def ask(self, rpc: str, target: str = "", payload: object = None, **flags: bool) -> WireMessage:
        method = self._schema.methods(G3_CONTROLLER)[rpc]
        names = {"describe_fsm": "key", "execute_fsm_command": "command", "execute_expert_command": "json_string"}
        own = {names[rpc]: payload} if rpc in names else {}
        request = method.request(
            token=self._token,
            target=target,
            execute_along_path=flags.get("along", True),
            execute_on_all_subsequent_children_in_path=flags.get("below", True),
            **own,
        )
        return unary(self._channel, G3_CONTROLLER, rpc, request, self._schema)

    def execute(self, transition: str, target: str = "", **arguments: int | str) -> WireMessage:
        command = {"command_name": transition, "arguments": _packed(self._schema, arguments)}
        return self.ask("execute_fsm_command", target, command, along=False)

    def body(self, response: WireMessage) -> WireMessage:
        name = "status" if hasattr(response, "status") else "description"
        assert response.HasField(name), f"{response.name} says nothing"
        return getattr(response, name)

    def fsm_flag(self, response: WireMessage) -> int:
        return int(response.fsm_flag)

    def text(self, response: WireMessage) -> str:
        return str(response.text)


class G2Client:
    """Asks a controller of G2 in one lay-out of ``AddressedCommand``."""

    def __init__(self, channel: grpc.Channel, user: str, layout: G2Layout = "b") -> None:
        self._channel = channel
        self._schema = load_g2(layout)
        self._token = self.make("Token", user_name=user, token=f"{user}-token")

    def make(self, name: str, **fields: object) -> WireMessage:
        """Make a message of G2."""
        return self._schema.message(f"{SHARED}.{name}")(**fields)

    def ask(self, rpc: str, target: str = "", payload: object = None, **flags: bool) -> WireMessage:
        if isinstance(payload, str):
            payload = self.make("PlainText", text=payload)
        command = self.make(
            "AddressedCommand",
            command_name=rpc,
            command_data=None if payload is None else self._schema.pack(payload),
            target=target,
            execute_along_path=flags.get("along", True),
            execute_on_all_subsequent_children_in_path=flags.get("below", True),
        )
        return self.send(rpc, command)

    def send(self, rpc: str, data: WireMessage | None) -> WireMessage:
        """Send a request with any data."""
        packed = None if data is None else self._schema.pack(data)
        request = self.make("Request", token=self._token, data=packed)
        return unary(self._channel, G2_CONTROLLER, rpc, request, self._schema)

    def execute(self, transition: str, target: str = "", **arguments: int | str) -> WireMessage:
        command = self.make("FSMCommand", command_name=transition, arguments=_packed(self._schema, arguments))
        return self.ask("execute_fsm_command", target, command, along=False)

    def body(self, response: WireMessage) -> WireMessage:
        assert response.HasField("data"), f"{response.name} says nothing"
        return self._schema.unpack(response.data)

    def fsm_flag(self, response: WireMessage) -> int:
        return int(self.body(response).flag)

    def text(self, response: WireMessage) -> str:
        return str(self.body(response).text)


def _packed(schema: object, arguments: Mapping[str, int | str]) -> dict[str, WireMessage]:
    kinds = {int: "int_msg", str: "string_msg"}
    return {
        name: schema.pack(schema.message(f"{SHARED}.{kinds[type(value)]}")(value=value))  # type: ignore[attr-defined]
        for name, value in arguments.items()
    }


@contextmanager
def asking(address: str, generation: str, user: str = "alice") -> Iterator[G2Client | G3Client]:
    """Connect to a controller of a generation."""
    with grpc.insecure_channel(address) as channel:
        yield G2Client(channel, user) if generation == "G2" else G3Client(channel, user)
