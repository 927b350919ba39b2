"""The process manager's gRPC server (contract 4.3, 9)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.flags import BroadcastType
from simulator.pipeline import Answer, Call, Pipeline, Rpc, StreamRpc
from simulator.processes import LiveProcess, ProcessTable, only
from simulator.queries import Query
from wire import WireMessage

NAME = "process_manager"
DEFAULT_LINES = 100
STOP_GRACE_S = 0.2
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


class ProcessManager:
    """Serves a process table; calls may overlap (contract 9.1)."""

    def __init__(self, table: ProcessTable, broadcaster: Broadcaster, user: str) -> None:
        """Serve as the OS user ``user``, which is the session of the process manager."""
        self._table = table
        self._broadcaster = broadcaster
        self._user = user
        self._server = grpc.server(
            ThreadPoolExecutor(8, thread_name_prefix="simulator-process-manager"), options=[("grpc.so_reuseport", 0)]
        )

    def serve(self) -> str:
        """Answer requests from now on; return the address."""
        pipeline = Pipeline(NAME, self._broadcaster)
        behaviours = {rpc.name: pipeline.unary(rpc) for rpc in self._rpcs()}
        behaviours["logs"] = pipeline.stream(StreamRpc("logs", self._logs, payload="LogRequest"))
        self._server.add_generic_rpc_handlers((g1.service_handler(g1.PROCESS_MANAGER, behaviours),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self._broadcaster.send(BroadcastType.SERVER_READY, "ready")
        return f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop(STOP_GRACE_S).wait(2 * STOP_GRACE_S)

    def _rpcs(self) -> tuple[Rpc, ...]:
        return (
            Rpc("describe", self._describe),
            Rpc("boot", self._boot, payload="BootRequest"),
            Rpc("terminate", self._terminate, payload="ProcessQuery"),
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
        return Answer(description)

    def _boot(self, call: Call) -> Answer:
        return Answer(self._table.boot(call.payload).instance())

    def _terminate(self, _call: Call) -> Answer:
        """Kill everything of every session and user; the query is required and ignored."""
        return _listed(self._table.kill(self._table.everything()))

    def _restart(self, call: Call) -> Answer:
        return Answer(self._table.restart(_query(call.payload)).instance())

    def _kill(self, call: Call) -> Answer:
        return _listed(self._table.kill(self._table.select(_query(call.payload))))

    def _flush(self, call: Call) -> Answer:
        return _listed(self._table.flush(_query(call.payload)))

    def _ps(self, call: Call) -> Answer:
        return _listed(self._table.select(_query(call.payload)))

    def _logs(self, call: Call) -> Iterator[WireMessage]:
        """Yield the last lines of one process as they are now; lines keep their end (contract 9.5)."""
        request: WireMessage = call.payload
        process = only(self._table.select(_query(request.query)))
        for line in process.log.tail(request.how_far or DEFAULT_LINES):
            yield g1.make("LogLine", uuid=g1.make("ProcessUUID", uuid=process.uuid), line=f"{line}\n")


def _listed(processes: list[LiveProcess]) -> Answer:
    return Answer(g1.make("ProcessInstanceList", values=[process.instance() for process in processes]))


def _query(message: WireMessage) -> Query:
    return Query(
        uuids=frozenset(known.uuid for known in message.uuids),
        names=tuple(message.names),
        user=message.user,
        session=message.session,
    )
