"""The controller dialect of generation G3: typed RPCs, errors as gRPC status with details (contract 6.2, 7.3)."""

from collections.abc import Callable

import grpc

from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import Argument, Transition
from simulator.g1 import BadQueryError, DruncError, Owner
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
    RunInfo,
    Text,
    Trace,
    failed_reply,
)
from wire import Method, WireMessage, load_g3, load_rpc_status

SHARED = "dunedaq.druncschema"
PACKAGE = f"{SHARED}.controller"
CONTROLLER = f"{PACKAGE}.Controller"
PROCESS_MANAGER = f"{SHARED}.process_manager.ProcessManager"

Behaviour = Callable[[WireMessage, grpc.ServicerContext], WireMessage]


def shared(name: str, /, **fields: object) -> WireMessage:
    """Make a message of the package ``dunedaq.druncschema``."""
    return load_g3().message(f"{SHARED}.{name}")(**fields)


def token_of(asker: Owner) -> WireMessage:
    """Make the ``Token`` of somebody."""
    return shared("Token", user_name=asker.user_name, token=asker.token)


def asker_of(request: WireMessage) -> Owner:
    """Return who sent a request."""
    return Owner(request.token.user_name, request.token.token)


def service_handler(
    service: str, behaviours: dict[str, Behaviour]
) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
    """Return the gRPC handler of a service; all RPCs of G3 are unary, those without a behaviour UNIMPLEMENTED."""
    methods = load_g3().methods(service)
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            behave,
            request_deserializer=methods[name].request.FromString,  # type: ignore[attr-defined]  # a message class, which its type does not say
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name, behave in behaviours.items()
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def abort(context: grpc.ServicerContext, error: Exception) -> None:
    """End a call with the gRPC status of an exception; drunc's own carry details (contract 7.3).

    Raises:
        Exception: Always: it is how gRPC ends a call.
    """
    if not isinstance(error, DruncError):
        context.abort(grpc.StatusCode.UNKNOWN, f"Exception calling application: {error}")
    bad_query = isinstance(error, BadQueryError)
    code = grpc.StatusCode.INVALID_ARGUMENT if bad_query else grpc.StatusCode.INTERNAL
    context.set_trailing_metadata((("grpc-status-details-bin", _details(code, error, bad_query=bad_query)),))
    context.abort(code, str(error))


def _details(code: grpc.StatusCode, error: Exception, *, bad_query: bool) -> bytes:
    rpc = load_rpc_status()
    reason = "BAD_QUERY" if bad_query else "COMMAND_FAILED"
    details = [rpc.message("google.rpc.ErrorInfo")(reason=reason, domain="drunc.command")]
    if bad_query:
        violation = {"field": "query", "description": str(error)}
        details.append(rpc.message("google.rpc.BadRequest")(field_violations=[violation]))
    number: int = code.value[0]
    status = rpc.message("google.rpc.Status")(
        code=number, message=str(error), details=[rpc.pack(detail) for detail in details]
    )
    packed: bytes = status.SerializeToString()
    return packed


class G3Dialect:
    """Writes orders and replies as G3 does.

    With ``faulty_refusals`` refusals and exceptions are the generic ``Response`` whatever the RPC declares, as in one
    version of the original (contract 7.4).
    """

    def __init__(self, *, faulty_refusals: bool = False) -> None:
        """Speak G3."""
        self._faulty = faulty_refusals
        self._methods = load_g3().methods(CONTROLLER)

    def handler(self, name: str, answering: Answering) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler of a controller called ``name``."""
        behaviours = {rpc: self._behaviour(name, method, answering) for rpc, method in self._methods.items()}
        return service_handler(CONTROLLER, behaviours)

    def ask(self, channel: grpc.Channel, order: Order, timeout_s: float | None = None) -> Reply:
        """Send an order to another controller.

        Raises:
            grpc.RpcError: It does not answer, or ends the call with a status.
        """
        method = self._methods[order.rpc]
        stub = channel.unary_unary(
            method.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString,
        )
        return _read_reply(order.rpc, stub(_request(method, order), timeout=timeout_s))

    def _behaviour(self, name: str, method: Method, answering: Answering) -> Behaviour:
        def behave(request: WireMessage, context: grpc.ServicerContext) -> WireMessage:
            asker = asker_of(request)
            try:
                reply = answering(method.name, asker, lambda: _order(method.name, asker, request))
            except Exception as error:  # noqa: BLE001 - every exception is an answer (contract 7.3)
                if not self._faulty:
                    abort(context, error)
                return _generic(failed_reply(name, error), asker)
            if self._faulty and reply.flag is ResponseFlag.NOT_EXECUTED_NOT_IN_CONTROL:
                return _generic(reply, asker)
            return _response(method, reply, asker)

        return behave


def _request(method: Method, order: Order) -> WireMessage:
    address = order.address
    request = method.request(
        token=token_of(order.asker),
        target=address.target,
        execute_along_path=address.along_path,
        execute_on_all_subsequent_children_in_path=address.all_below,
    )
    if order.rpc == "describe_fsm":
        request.key = order.text
    elif order.rpc == "execute_expert_command":
        request.json_string = order.text
    elif order.rpc == "log_on_server":
        request.text = order.text
    elif order.rpc == "execute_fsm_command":
        request.command.command_name = order.transition
        request.command.data = order.data
        for name, value in order.arguments.items():
            request.command.arguments[name].ParseFromString(value.SerializeToString())
    return request


def _order(rpc: str, asker: Owner, request: WireMessage) -> Order:
    address = Address(request.target, request.execute_along_path, request.execute_on_all_subsequent_children_in_path)
    if rpc == "execute_fsm_command":
        command = request.command
        arguments = dict(command.arguments)
        return Order(rpc, asker, address, transition=command.command_name, arguments=arguments, data=command.data)
    texts = {"describe_fsm": "key", "execute_expert_command": "json_string", "log_on_server": "text"}
    text = getattr(request, texts[rpc]) if rpc in texts else ""
    return Order(rpc, asker, address, text)


def _read_reply(rpc: str, message: WireMessage) -> Reply:
    """Return what a parent must know of a child's answer; the rest is passed on as it is."""
    body: Body | None = None
    if rpc in ("execute_fsm_command", "execute_expert_command"):
        body = FsmResult(FsmFlag(message.fsm_flag), "")
    elif rpc == "status" and message.HasField("status"):
        status = message.status
        body = NodeStatus(status.state, status.sub_state, status.in_error, status.included)
    return Reply(message.name, body, ResponseFlag(message.flag), wire=message)


def _response(method: Method, reply: Reply, asker: Owner) -> WireMessage:
    if reply.wire is not None:
        return reply.wire
    message = method.response(
        token=token_of(asker),
        name=reply.name,
        flag=int(reply.flag),
        children=[_response(method, child, asker) for child in reply.children],
    )
    _write_body(message, reply)
    return message


def _write_body(message: WireMessage, reply: Reply) -> None:
    fields = message.DESCRIPTOR.fields_by_name
    match reply.body:
        case Text(text):
            _write_text(message, text)
        case Trace(lines):
            # No field of a typed answer holds a stack trace: its last line goes where there is a text.
            _write_text(message, next((line for line in reversed(lines) if line), ""))
            if "fsm_flag" in fields:
                message.fsm_flag = int(FsmFlag.FSM_FAILED)
        case FsmResult(flag, transition, data):
            message.fsm_flag = int(flag)
            if "command_name" in fields:
                message.command_name = transition
            message.data = data or ""
        case NodeStatus() if "status" in fields:
            message.status.CopyFrom(_status(reply.body))
        case NodeDescription():
            message.description.CopyFrom(_description(reply.body))
        case FsmDescription():
            message.description.CopyFrom(_fsm_description(reply.body))


def _write_text(message: WireMessage, text: str) -> None:
    for field in ("text", "data"):
        if field in message.DESCRIPTOR.fields_by_name:
            setattr(message, field, text)


def _made(name: str, /, **fields: object) -> WireMessage:
    return load_g3().message(f"{PACKAGE}.{name}")(**fields)


def _status(status: NodeStatus) -> WireMessage:
    return _made(
        "Status",
        state=status.state,
        sub_state=status.sub_state,
        in_error=status.in_error,
        included=status.included,
        run_info=None if status.run is None else _run_info(status.run),
    )


def _run_info(run: RunInfo) -> WireMessage:
    return _made(
        "RunInfo",
        run_type=run.run_type,
        trigger_rate=run.trigger_rate,
        run_number=run.run_number,
        disable_data_storage=run.disable_data_storage,
        run_time_at_start=run.started_at,
        run_time_since_start=run.lasted,
        run_config_file=run.configuration_file,
        run_config_name=run.configuration_name,
    )


def _description(description: NodeDescription) -> WireMessage:
    message = shared(
        "Description",
        type=description.type,
        name=description.name,
        endpoint=description.endpoint,
        info=description.info,
        session=description.session,
        commands=[shared("CommandDescription", name=name, help=name) for name in description.commands],
    )
    if description.broadcast is not None:
        message.broadcast.ParseFromString(description.broadcast.SerializeToString())
    return message


def _fsm_description(description: FsmDescription) -> WireMessage:
    return _made(
        "FSMCommandsDescription",
        type="controller",
        name=description.name,
        session=description.session,
        commands=[_transition(transition, arguments) for transition, arguments in description.transitions],
        sequences=[
            _made("FSMSequence", id=name, command_ids=transitions)
            for name, transitions in description.sequences.items()
        ],
    )


def _transition(transition: Transition, arguments: tuple[Argument, ...]) -> WireMessage:
    return _made(
        "FSMCommandDescription",
        name=transition.name,
        data_type=["FSMCommand"],
        return_type="ExecuteFSMCommandResponse",
        # The arguments have the numbers of G1 (contract 6.2).
        arguments=[
            load_g3().message(f"{PACKAGE}.Argument").FromString(argument.described().SerializeToString())
            for argument in arguments
        ],
    )


def _generic(reply: Reply, asker: Owner) -> WireMessage:
    """Return the ``Response`` that one version of the original sends instead of the declared message."""
    data = None
    if isinstance(reply.body, Text):
        data = load_g3().pack(shared("PlainText", text=reply.body.text))
    elif isinstance(reply.body, Trace):
        data = load_g3().pack(shared("Stacktrace", text=reply.body.lines))
    return shared("Response", name=reply.name, token=token_of(asker), data=data, flag=int(reply.flag))
