"""Whatever a server answers to whichever call, an adapter returns what can be stored, or raises an error of ours."""

import dataclasses
import math
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.errors import ConsoleError
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.fsm_types import Transition
from services.run_control.generations import Generation
from services.run_control.process_types import BootOrder, ProcessQuery
from services.run_control.session_types import Configuration, SessionOrder
from services.run_control.support import Deadlines
from services.texts import is_storable
from tests.contract.run_control.any_message import PACKAGE, AnyMessage
from wire.schema import Method, Schema, load_g1, load_g2, load_g3

SCHEMAS: Mapping[Generation, tuple[Schema, tuple[str, ...]]] = {
    Generation.G1: (load_g1(), ("Controller", "ProcessManager")),
    Generation.G2: (load_g2("b"), ("Controller", "ProcessManager", "SessionManager")),
    Generation.G3: (
        load_g3(),
        (
            *("controller.Controller", "process_manager.ProcessManager"),
            *("session_manager.SessionManager", "run_control.RunControl"),
        ),
    ),
}
# What G1 and G2 put into the envelope, by call; a text where none is named.
PAYLOADS: Mapping[str, str] = {
    "describe": "Description",
    "status": "Status",
    "get_status": "Status",
    "get_children_status": "ChildrenStatus",
    "describe_fsm": "FSMCommandsDescription",
    "execute_fsm_command": "FSMCommandResponse",
    "logs": "LogLine",
    "boot": "ProcessInstance",
    "restart": "ProcessInstance",
    "list_all_configs": "AllConfigKeys",
    **dict.fromkeys(("ps", "kill", "flush", "terminate"), "ProcessInstanceList"),
    "list_all_sessions": "AllActiveSessions",
    "recompute_status": "Status",
}
ORDER = BootOrder("x", "s", "alice", (("true",),))
SESSION = SessionOrder("s", Configuration("f", "i"))
ONE = ProcessQuery(uuids=("u",))


class Answers(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers each call of a generation with the bytes that are set for it."""

    def __init__(self, generation: Generation) -> None:
        self.schema, services = SCHEMAS[generation]
        every = [method for name in services for method in self.schema.methods(PACKAGE + name).values()]
        self.methods: Mapping[str, Method] = {method.path: method for method in every}
        self.raw: dict[str, bytes] = {}

    def draw(self, source: random.Random) -> None:
        for path, method in self.methods.items():
            made = AnyMessage(source, self.schema, PAYLOADS.get(method.name, "PlainText"))
            self.raw[path] = made.encoded(method.response)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        path = handler_call_details.method
        method = self.methods.get(path)
        if method is None:
            return None
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter((self.raw[path],) * 2))
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: self.raw[path])


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A server of one generation that answers anything, and how to ask it."""

    generation: Generation
    address: str
    answers: Answers
    channels: Channels

    def everything(self) -> Iterator[Callable[[], object]]:
        adapters = DetectingAdapters(self.channels, Deadlines(5, 5), self.generation)
        root, manager = adapters.controller(self.address), adapters.process_manager(self.address)
        for ask in (
            *(root.describe, root.status, root.children_status, root.holder, root.transitions, root.possible),
            *(root.sequences, root.take_control, root.release_control, root.include, root.exclude),
            *(root.recompute_status, root.to_error, manager.processes, manager.terminate),
        ):
            yield lambda ask=ask: ask("alice")  # type: ignore[misc]
        yield lambda: root.execute("alice", Transition("conf"), {})
        yield lambda: root.execute_expert_command("alice", "{}")
        yield lambda: manager.boot("alice", ORDER)
        for pick in (manager.kill, manager.flush, manager.restart):
            yield lambda pick=pick: pick("alice", ONE)  # type: ignore[misc]
        yield lambda: manager.logs("alice", ONE, 10)
        lister = adapters.session_manager(self.address)
        yield lambda: lister.sessions("alice")
        yield lambda: lister.configurations("alice")
        if self.generation is Generation.G3:
            service = adapters.run_control_service(self.address)
            yield lambda: service.start_session("alice", SESSION)
            yield lambda: service.end_session("alice", SESSION)


@contextmanager
def foreign(generation: Generation, channels: Channels) -> Iterator[Foreign]:
    answers = Answers(generation)
    server = grpc.server(ThreadPoolExecutor(2), handlers=[answers])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Foreign(generation, f"127.0.0.1:{port}", answers, channels)
    finally:
        server.stop(None).wait(5)


@pytest.fixture(scope="module", params=Generation, ids=str)
def server(request: pytest.FixtureRequest) -> Iterator[Foreign]:
    channels = Channels()
    with foreign(request.param, channels) as made:
        yield made
    channels.close()


def unfit(value: object) -> Iterator[object]:
    """Yield what no database can hold, or no page can show, in whatever an adapter returned."""
    if dataclasses.is_dataclass(value):
        value = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    if isinstance(value, tuple | frozenset):
        for inner in value:
            yield from unfit(inner)
    elif not _is_fit(value):
        yield value


def _is_fit(value: object) -> bool:
    match value:
        case str():
            return is_storable(value)
        case float():
            return math.isfinite(value)
        case int():
            return -(2**63) <= value < 2**63
        case _:
            return value is None or isinstance(value, datetime)


@settings(max_examples=80, deadline=None, suppress_health_check=[*HealthCheck])
@given(seed=st.integers(0, 2**32))
def test_any_answer_is_something_or_an_error_of_ours(server: Foreign, seed: int) -> None:
    # Not for secrets: it only makes up what a server answers.
    server.answers.draw(random.Random(seed))  # noqa: S311
    for ask in server.everything():
        with suppress(ConsoleError):
            assert list(unfit(ask())) == []
