"""The process manager of generation G3: typed RPCs over the same process table (contract 6.3, 9)."""

from collections.abc import Callable

import grpc

from simulator import g1, g3
from simulator.broadcast import Broadcaster
from simulator.flags import BroadcastType, ProcessStatus, ResponseFlag
from simulator.g1 import BadQueryError
from simulator.g3 import Behaviour, asker_of, token_of
from simulator.opmon import Monitor
from simulator.process_manager import CALL_TIMEOUT_S, DEFAULT_LINES, NAME, leaves_first, query_of
from simulator.processes import LiveProcess, ProcessTable, only
from wire import WireMessage, load_g3

_PACKAGE = f"{g3.SHARED}.process_manager"
_COMMANDS = ("describe", "kill", "restart", "boot", "terminate", "flush", "logs", "ps")


class G3ProcessManagerDialect:
    """Answers the RPCs of G3 in the name of one process manager."""

    def __init__(
        self, table: ProcessTable, broadcaster: Broadcaster, user: str, log_path: str, monitor: Monitor
    ) -> None:
        """Serve ``table`` as the OS user ``user``.

        ``log_path`` is the process manager's own log; ``monitor`` publishes how long RPCs take.
        """
        self._monitor = monitor
        self._table = table
        self._broadcaster = broadcaster
        self._user = user
        self._log_path = log_path

    def handler(self) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler."""
        behaviours: dict[str, Callable[[WireMessage], WireMessage]] = {
            "describe": self._describe,
            "boot": self._boot,
            "terminate": lambda request: _listed(request, table.kill(leaves_first(table.everything()))),
            "restart": lambda request: _listed(request, [table.restart(query_of(request))]),
            "kill": lambda request: _listed(request, table.kill(leaves_first(table.select(query_of(request))))),
            "flush": lambda request: _listed(request, table.flush(query_of(request))),
            "ps": lambda request: _listed(request, table.select(query_of(request))),
            "logs": self._logs,
            "log_on_server": _logged,
            "echo_on_server": _logged,
        }
        table = self._table
        answering = {rpc: self._monitor.timed(rpc, self._behaviour(rpc, answer)) for rpc, answer in behaviours.items()}
        return g3.service_handler(g3.PROCESS_MANAGER, answering)

    def _behaviour(self, rpc: str, answer: Callable[[WireMessage], WireMessage]) -> Behaviour:
        def behave(request: WireMessage, context: grpc.ServicerContext) -> WireMessage:
            user = request.token.user_name
            self._broadcaster.announce(BroadcastType.ACK, f"User '{user}' executing '{rpc}'")
            try:
                response = answer(request)
            except Exception as error:  # noqa: BLE001 - every exception is an answer (contract 7.3)
                g3.abort(context, error)
            text = f"User '{user}' successfully executed '{rpc}'"
            self._broadcaster.announce(BroadcastType.COMMAND_EXECUTION_SUCCESS, text)
            return response

        return behave

    def _describe(self, request: WireMessage) -> WireMessage:
        description = g3.shared(
            "Description",
            token=token_of(asker_of(request)),
            type=NAME,
            name=NAME,
            info=self._log_path,
            session=self._user or "no_session",
            commands=[g3.shared("CommandDescription", name=name, help=name) for name in _COMMANDS],
        )
        configuration = self._broadcaster.configuration()
        if configuration is not None:
            description.broadcast.ParseFromString(configuration.SerializeToString())
        return description

    def _boot(self, request: WireMessage) -> WireMessage:
        """Boot; descriptions and restrictions have the numbers of G1 (contract 6.3)."""
        description, restriction = request.process_description, request.process_restriction
        known = g1.make("BootRequest")
        known.process_description.ParseFromString(description.SerializeToString())
        known.process_restriction.ParseFromString(restriction.SerializeToString())
        return _listed(request, [self._table.boot(known)])

    def _logs(self, request: WireMessage) -> WireMessage:
        """Return the last lines of one process; a bad query is told in-band (contract 7.3)."""
        token = token_of(asker_of(request))
        try:
            process = only(self._table.select(query_of(request.query)))
        except BadQueryError as error:
            flag = int(ResponseFlag.NOT_EXECUTED_BAD_REQUEST_FORMAT)
            return _made("LogLines", name=NAME, token=token, lines=[str(error)], flag=flag)
        lines = [f"{line}\n" for line in process.log.tail(request.how_far or DEFAULT_LINES)]
        return _made("LogLines", name=NAME, token=token, uuid=_made("ProcessUUID", uuid=process.uuid), lines=lines)


def _made(name: str, /, **fields: object) -> WireMessage:
    return load_g3().message(f"{_PACKAGE}.{name}")(**fields)


def boot(channel: grpc.Channel, request: WireMessage, owner: g1.Owner) -> None:
    """Send a boot request, given as the one of G1, to a process manager of G3.

    Raises:
        grpc.RpcError: It does not answer.
    """
    method = load_g3().methods(g3.PROCESS_MANAGER)["boot"]
    message = method.request(token=token_of(owner))
    message.process_description.ParseFromString(request.process_description.SerializeToString())
    message.process_restriction.ParseFromString(request.process_restriction.SerializeToString())
    stub = channel.unary_unary(
        method.path,
        request_serializer=lambda known: known.SerializeToString(),
        response_deserializer=method.response.FromString,
    )
    stub(message, timeout=CALL_TIMEOUT_S)


def _logged(request: WireMessage) -> WireMessage:
    return g3.shared("LogOnServerResponse", token=token_of(asker_of(request)), name=NAME)


def _listed(request: WireMessage, processes: list[LiveProcess]) -> WireMessage:
    token = token_of(asker_of(request))
    return _made("ProcessInstanceList", name=NAME, token=token, values=[_instance(process) for process in processes])


def _instance(process: LiveProcess) -> WireMessage:
    instance = _made("ProcessInstance")
    instance.ParseFromString(process.instance().SerializeToString())
    instance.remote_pid = str(process.pid)
    # Present for the dead only; zero is then a code like any other.
    if process.status is ProcessStatus.DEAD:
        instance.return_code = process.return_code
    else:
        instance.ClearField("return_code")
    return instance
