"""The process manager's gRPC server, and what G1 and G2 say on the wire (contract 4.3, 5.2, 9)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import grpc

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.flags import BroadcastType
from simulator.g2 import description as g2_description
from simulator.g3 import Behaviour
from simulator.opmon import Monitor
from simulator.pipeline import Answer, Call, Pipeline, Rpc, StreamRpc
from simulator.processes import LiveProcess, ProcessTable, only
from simulator.queries import Query
from simulator.traffic import Interceptor
from wire import WireMessage

NAME = "process_manager"
DEFAULT_LINES = 100
STOP_GRACE_S = 0.2
CALL_TIMEOUT_S = 10.0
_QUERY = ("process_manager_pb2.ProcessQuery",)
_LIST = "process_manager_pb2.ProcessInstanceList"
_ONE = "process_manager_pb2.ProcessInstance"
# RPC, data types, return type as ``describe`` tells them, in its order; the one of ps is wrong in the original.
_COMMANDS = (
    ("describe", ("None",), "request_response_pb2.Description"),
    ("kill", _QUERY, _LIST),
    ("restart", _QUERY, _ONE),
    ("boot", ("generic_pb2.BootRequest", "None"), _ONE),
    ("terminate", _QUERY, _LIST),
    ("flush", _QUERY, _LIST),
    ("logs", ("process_manager_pb2.LogRequest",), "process_manager_pb2.LogLine"),
    ("ps", _QUERY, _ONE),
)


class ProcessManagerDialect(Protocol):
    """How one generation serves the process table."""

    def handler(self) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler."""


class ProcessManager:
    """Serves a process table; calls may overlap (contract 9.1)."""

    def __init__(
        self,
        dialect: ProcessManagerDialect,
        broadcaster: Broadcaster,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Serve what ``dialect`` answers; ``interceptors`` see every request."""
        self._interceptors = interceptors
        self._dialect = dialect
        self._broadcaster = broadcaster
        self._server: grpc.Server | None = None
        self._address = ""

    @property
    def address(self) -> str:
        """``host:port`` where it serves, or did last; empty before it ever did."""
        return self._address

    def serve(self, port: int = 0) -> str:
        """Answer requests from now on, on a port that the system chooses unless one is given; return the address."""
        self._server = grpc.server(
            ThreadPoolExecutor(8, thread_name_prefix="simulator-process-manager"),
            interceptors=list(self._interceptors),
            options=[("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((self._dialect.handler(),))
        bound = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()
        self._broadcaster.send(BroadcastType.SERVER_READY, "ready")
        self._address = f"127.0.0.1:{bound}"
        return self._address

    def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.stop(STOP_GRACE_S).wait(2 * STOP_GRACE_S)


class EnvelopeDialect:
    """Process manager of G1 and G2, which differ little: ``Request`` to ``Response``, the logs a stream."""

    def __init__(
        self,
        table: ProcessTable,
        broadcaster: Broadcaster,
        user: str,
        log_path: str | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        """Serve ``table`` as the OS user ``user``, which is the session.

        ``log_path`` is the own log and ``monitor`` publishes how long RPCs take, both in G2 only.
        """
        self._monitor = monitor
        self._table = table
        self._broadcaster = broadcaster
        self._user = user
        self._log_path = log_path

    def handler(self) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler."""
        # A refusal of G2 has the name of the class (contract 7.2).
        refuses_as = None if self._log_path is None else "SSHProcessManager"
        pipeline = Pipeline(NAME, self._broadcaster, refuses_as=refuses_as)
        behaviours = {rpc.name: self._timed(rpc.name, pipeline.unary(rpc)) for rpc in self._rpcs()}
        behaviours["logs"] = pipeline.stream(StreamRpc("logs", self._logs, payload="LogRequest"))
        return g1.service_handler(g1.PROCESS_MANAGER, behaviours)

    def _timed(self, rpc: str, behave: Behaviour) -> Behaviour:
        return behave if self._monitor is None else self._monitor.timed(rpc, behave)

    def _rpcs(self) -> tuple[Rpc, ...]:
        return (
            Rpc("describe", self._describe),
            Rpc("boot", self._boot, payload="BootRequest"),
            Rpc("terminate", self._terminate, payload="ProcessQuery" if self._log_path is None else None),
            Rpc("restart", self._restart, payload="ProcessQuery"),
            Rpc("kill", self._kill, payload="ProcessQuery"),
            Rpc("flush", self._flush, payload="ProcessQuery"),
            Rpc("ps", self._ps, payload="ProcessQuery"),
        )

    def _describe(self, _call: Call) -> Answer:
        commands = [
            g1.make("CommandDescription", name=name, data_type=data_types, help=name, return_type=return_type)
            for name, data_types, return_type in _COMMANDS
        ]
        description = g1.make(
            "Description",
            type=NAME,
            name=NAME,
            session=self._user or "no_session",
            commands=commands,
            broadcast=self._broadcaster.configuration(),
        )
        return Answer(description if self._log_path is None else g2_description(description, info=self._log_path))

    def _boot(self, call: Call) -> Answer:
        return Answer(self._table.boot(call.payload).instance())

    def _terminate(self, _call: Call) -> Answer:
        """Kill everything of every session and user; the query, required in G1, is ignored."""
        return self._killed(self._table.everything())

    def _restart(self, call: Call) -> Answer:
        return Answer(self._table.restart(query_of(call.payload)).instance())

    def _kill(self, call: Call) -> Answer:
        return self._killed(self._table.select(query_of(call.payload)))

    def _killed(self, processes: list[LiveProcess]) -> Answer:
        ordered = processes if self._log_path is None else leaves_first(processes)
        return _listed(self._table.kill(ordered))

    def _flush(self, call: Call) -> Answer:
        return _listed(self._table.flush(query_of(call.payload)))

    def _ps(self, call: Call) -> Answer:
        return _listed(self._table.select(query_of(call.payload)))

    def _logs(self, call: Call) -> Iterator[WireMessage]:
        """Yield the last lines of one process as they are now; lines keep their end (contract 9.5)."""
        request: WireMessage = call.payload
        process = only(self._table.select(query_of(request.query)))
        # G2 fetches them through an ssh terminal.
        end = "\n" if self._log_path is None else "\r\n"
        for line in process.log.tail(request.how_far or DEFAULT_LINES):
            yield g1.make("LogLine", uuid=g1.make("ProcessUUID", uuid=process.uuid), line=f"{line}{end}")


def boot(channel: grpc.Channel, request: WireMessage, owner: g1.Owner) -> None:
    """Send a boot request to a process manager of G1 or G2.

    Raises:
        grpc.RpcError: It does not answer.
    """
    message = g1.request(g1.token_message(owner), request)
    g1.Stub(channel, g1.PROCESS_MANAGER).call("boot", message, CALL_TIMEOUT_S)


def _listed(processes: list[LiveProcess]) -> Answer:
    return Answer(g1.make("ProcessInstanceList", values=[process.instance() for process in processes]))


def leaves_first(processes: list[LiveProcess]) -> list[LiveProcess]:
    """Return processes in the order in which G2 kills them: by the depth of their ``tree_id`` (contract 9.2)."""
    return sorted(
        processes, key=lambda process: process.request.process_description.metadata.tree_id.count("."), reverse=True
    )


def query_of(message: WireMessage) -> Query:
    """Return a ``ProcessQuery`` of any generation as plain data."""
    return Query(
        uuids=frozenset(known.uuid for known in message.uuids),
        names=tuple(message.names),
        user=message.user,
        session=message.session,
    )
