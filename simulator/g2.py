"""The dialect of generation G2: ``AddressedCommand`` in the envelope of G1 (contract 5, 7.2)."""

from collections.abc import Callable

import grpc

from simulator import g1
from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import Argument, Transition
from simulator.g1 import CONTROLLER, PACKAGE, BadPayloadError, Owner
from simulator.replies import (
    Address,
    Answering,
    Body,
    FsmDescription,
    FsmResult,
    NodeDescription,
    NodeStatus,
    Order,
    Reply,
    Text,
    Trace,
    failed_reply,
)
from wire import G2Layout, Method, WireMessage, load_g2

# Payload of the RPCs that want one (contract 5.1).
_PAYLOADS = {"describe_fsm": "PlainText", "execute_fsm_command": "FSMCommand", "execute_expert_command": "PlainText"}
# Not there yet in G2 (contract 5.1).
_ABSENT = frozenset({"to_error"})
Behaviour = Callable[[WireMessage, grpc.ServicerContext], WireMessage]


def description(known: WireMessage, *, info: str, endpoint: str = "") -> WireMessage:
    """Return the ``Description`` of G2 for one of G1: end point and info come between name and session."""
    message = load_g2("a").message(f"{PACKAGE}.Description")(
        type=known.type, name=known.name, endpoint=endpoint, info=info, session=known.session
    )
    for command in known.commands:
        message.commands.add().ParseFromString(command.SerializeToString())
    if known.HasField("broadcast"):
        message.broadcast.ParseFromString(known.broadcast.SerializeToString())
    return message


class G2Dialect:
    """Writes orders and replies as G2 does, with one of the two lay-outs of ``AddressedCommand`` (contract 2.3)."""

    def __init__(self, layout: G2Layout) -> None:
        """Speak G2."""
        self._schema = load_g2(layout)
        methods = self._schema.methods(CONTROLLER)
        self._methods = {name: method for name, method in methods.items() if name not in _ABSENT}

    def handler(self, name: str, answering: Answering) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler of a controller called ``name``."""
        handlers = {
            rpc: grpc.unary_unary_rpc_method_handler(
                self._behaviour(name, method, answering),
                request_deserializer=self._class("Request").FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for rpc, method in self._methods.items()
        }
        return grpc.method_handlers_generic_handler(CONTROLLER, handlers)

    def ask(self, channel: grpc.Channel, order: Order, timeout_s: float | None = None) -> Reply:
        """Send an order to another controller.

        Raises:
            grpc.RpcError: It does not answer.
        """
        method = self._methods[order.rpc]
        stub = channel.unary_unary(
            method.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString,
        )
        return self._read_reply(stub(self._request(order), timeout=timeout_s))

    def _behaviour(self, name: str, method: Method, answering: Answering) -> Behaviour:
        def behave(request: WireMessage, _context: grpc.ServicerContext) -> WireMessage:
            asker = Owner(request.token.user_name, request.token.token)
            try:
                reply = answering(method.name, asker, lambda: self._order(method.name, asker, request))
            except Exception as error:  # noqa: BLE001 - every exception is an answer (contract 7.2)
                reply = failed_reply(name, error)
            return self._response(reply, asker)

        return behave

    def _class(self, name: str) -> WireMessage:
        return self._schema.message(f"{PACKAGE}.{name}")

    def _request(self, order: Order) -> WireMessage:
        command = self._class("AddressedCommand")(
            command_name=order.rpc,
            target=order.address.target,
            execute_along_path=order.address.along_path,
            execute_on_all_subsequent_children_in_path=order.address.all_below,
        )
        if order.rpc == "execute_fsm_command":
            payload = self._class("FSMCommand")(command_name=order.transition, data=order.data)
            for name, value in order.arguments.items():
                payload.arguments[name].ParseFromString(value.SerializeToString())
            command.command_data.CopyFrom(self._schema.pack(payload))
        elif order.rpc in _PAYLOADS:
            command.command_data.CopyFrom(self._schema.pack(self._class("PlainText")(text=order.text)))
        token = self._class("Token")(user_name=order.asker.user_name, token=order.asker.token)
        return self._class("Request")(token=token, data=self._schema.pack(command))

    def _order(self, rpc: str, asker: Owner, request: WireMessage) -> Order:
        """Read a request; without data it is for the whole tree.

        Raises:
            BadPayloadError: The data, or what is in it, is missing or of another type.
            google.protobuf.message.DecodeError: The command has the other lay-out.
        """
        command = None
        if request.HasField("data"):
            command = self._payload(request.data, "AddressedCommand")
        address = Address()
        if command is not None:
            address = Address(
                command.target, command.execute_along_path, command.execute_on_all_subsequent_children_in_path
            )
        if rpc not in _PAYLOADS:
            return Order(rpc, asker, address)
        if command is None or not command.HasField("command_data"):
            raise BadPayloadError(f"The command {rpc} does not hold a {_PAYLOADS[rpc]}")
        payload = self._payload(command.command_data, _PAYLOADS[rpc])
        if rpc != "execute_fsm_command":
            return Order(rpc, asker, address, payload.text)
        arguments = dict(payload.arguments)
        return Order(rpc, asker, address, transition=payload.command_name, arguments=arguments, data=payload.data)

    def _payload(self, packed: WireMessage, name: str) -> WireMessage:
        if packed.type_url != f"type.googleapis.com/{PACKAGE}.{name}":
            raise BadPayloadError(f"The request does not hold a {name}")
        return self._schema.unpack(packed)

    def _read_reply(self, message: WireMessage) -> Reply:
        """Return what a parent must know of a child's answer; the rest is passed on as it is."""
        body: Body | None = None
        if message.HasField("data") and message.flag == ResponseFlag.EXECUTED_SUCCESSFULLY:
            data = self._schema.unpack(message.data)
            kind = data.DESCRIPTOR.name
            if kind == "FSMCommandResponse":
                body = FsmResult(FsmFlag(data.flag), data.command_name)
            elif kind == "Status":
                body = NodeStatus(data.state, data.sub_state, data.in_error, data.included)
        return Reply(message.name, body, ResponseFlag(message.flag), wire=message)

    def _response(self, reply: Reply, asker: Owner) -> WireMessage:
        if reply.wire is not None:
            return reply.wire
        data = None if reply.body is None else self._schema.pack(self._data(reply.body))
        return self._class("Response")(
            name=reply.name,
            token=self._class("Token")(user_name=asker.user_name, token=asker.token),
            data=data,
            flag=int(reply.flag),
            children=[self._response(child, asker) for child in reply.children],
        )

    def _data(self, body: Body) -> WireMessage:
        match body:
            case Text(text):
                return self._class("PlainText")(text=text)
            case Trace(lines):
                return self._class("Stacktrace")(text=lines)
            case NodeStatus(state, sub_state, in_error, included):
                return self._class("Status")(state=state, sub_state=sub_state, in_error=in_error, included=included)
            case FsmResult(flag, transition, reply):
                packed = None if reply is None else self._schema.pack(self._class("PlainText")(text=reply))
                return self._class("FSMCommandResponse")(flag=int(flag), command_name=transition, data=packed)
            case NodeDescription():
                return _node_description(body)
            case FsmDescription():
                return self._fsm_description(body)

    def _fsm_description(self, body: FsmDescription) -> WireMessage:
        return self._class("FSMCommandsDescription")(
            type="controller",
            name=body.name,
            session=body.session,
            commands=[self._transition(transition, arguments) for transition, arguments in body.transitions],
        )

    def _transition(self, transition: Transition, arguments: tuple[Argument, ...]) -> WireMessage:
        return self._class("FSMCommandDescription")(
            name=transition.name,
            data_type=["controller_pb2.FSMCommand"],
            return_type="controller_pb2.FSMCommandResponse",
            # The arguments have the numbers of G1 (contract 5.1).
            arguments=[
                self._class("Argument").FromString(argument.described().SerializeToString()) for argument in arguments
            ],
        )


def _node_description(body: NodeDescription) -> WireMessage:
    known = g1.make(
        "Description",
        type=body.type,
        name=body.name,
        session=body.session,
        commands=[g1.make("CommandDescription", name=name, help=name) for name in body.commands],
        broadcast=body.broadcast,
    )
    return description(known, info=body.info, endpoint=body.endpoint)
