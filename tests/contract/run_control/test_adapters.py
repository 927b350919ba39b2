"""What the wire can do wrong, from servers that do just that."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import grpc
import pytest

from services.errors import (
    BrokenCallError,
    BusyError,
    ConsoleError,
    DruncError,
    NotReachableError,
    SchemaMismatchError,
)
from services.run_control.channels import Channels
from services.run_control.connectivity import Connectivity
from services.run_control.detection import DetectingAdapters
from services.run_control.generations import Generation
from services.run_control.support import Deadlines
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.servers import Answer, aborting
from tests.contract.run_control.sites import PATIENT
from tests.waiting import wait_until


class _AnyMethod(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers every method in the same way, in bytes."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(self.answer)


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    made = grpc.server(ThreadPoolExecutor(2), handlers=[_AnyMethod(answer)])
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        made.stop(None).wait(5)


@pytest.fixture(params=Generation, ids=str)
def generation(request: pytest.FixtureRequest) -> Generation:
    found: Generation = request.param
    return found


@pytest.fixture
def adapters(generation: Generation) -> Iterator[DetectingAdapters]:
    made = DetectingAdapters(Channels(), PATIENT, generation)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, NotReachableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, BusyError),
        (grpc.StatusCode.UNIMPLEMENTED, SchemaMismatchError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, SchemaMismatchError),
        (grpc.StatusCode.INTERNAL, DruncError),
        (grpc.StatusCode.UNKNOWN, DruncError),
    ],
)
def test_every_status_is_an_error_of_ours_that_names_the_address(
    adapters: DetectingAdapters, code: grpc.StatusCode, error: type[ConsoleError]
) -> None:
    with server(aborting(code, "because")) as address:
        with pytest.raises(error, match=address) as seen:
            adapters.controller(address).status("console")
        assert "Kafka" not in seen.value.message


def test_a_controller_that_cannot_announce_names_kafka(adapters: DetectingAdapters) -> None:
    details = "Unexpected <class 'kafka.errors.KafkaTimeoutError'>"
    with (
        server(aborting(grpc.StatusCode.UNKNOWN, details)) as address,
        pytest.raises(BrokenCallError, match="cannot reach its Kafka broker"),
    ):
        adapters.controller(address).take_control("alice")


def test_nothing_listens(adapters: DetectingAdapters) -> None:
    with pytest.raises(NotReachableError, match=r"127\.0\.0\.1:1 "):
        adapters.process_manager("127.0.0.1:1").processes("console")


def test_a_server_that_does_not_answer_is_busy(generation: Generation) -> None:
    adapters = DetectingAdapters(Channels(), Deadlines(0.5, 0.5), generation)
    release = threading.Event()

    def slow(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        release.wait(10)
        return b""

    with server(slow) as address:
        with pytest.raises(BusyError, match=address):
            adapters.controller(address).holder("console")
        release.set()
    adapters.close()


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"garbage that is no message"])
def test_bytes_that_are_no_answer(adapters: DetectingAdapters, raw: bytes) -> None:
    with server(lambda _request, _context: raw) as address, pytest.raises(SchemaMismatchError):
        adapters.controller(address).status("console")


def test_closing_ends_a_call_under_way(adapters: DetectingAdapters) -> None:
    entered, release = threading.Event(), threading.Event()
    errors: list[ConsoleError] = []

    def slow(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        entered.set()
        release.wait(10)
        return b""

    def call(address: str) -> None:
        try:
            adapters.controller(address).take_control("alice")
        except ConsoleError as error:
            errors.append(error)

    with server(slow) as address:
        caller = threading.Thread(target=call, args=(address,))
        caller.start()
        assert entered.wait(5)
        adapters.close()
        caller.join(5)
        release.set()
    assert isinstance(errors[0], NotReachableError)
    with pytest.raises(NotReachableError):
        adapters.controller(address).status("console")


@pytest.mark.parametrize("generation", [Generation.G1], ids=str, indirect=True)
def test_a_proxy_in_the_environment_is_not_used(
    installation: Installation, adapters: DetectingAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert len(adapters.process_manager(installation.process_manager_address).processes("console")) == 31
    assert "root-controller" in Connectivity(installation.connectivity_address, 2.0).lookup(SESSION)


def test_a_session_that_is_not_known_is_empty(installation: Installation) -> None:
    assert Connectivity(installation.connectivity_address, 2.0).lookup("no such/session?") == {}


@pytest.mark.parametrize(
    ("code", "body"), [(500, b"x"), (200, b"not json"), (200, b'{"a": 1}'), (200, b'[{"uid": 1}]'), (302, b"")]
)
def test_a_directory_that_answers_nonsense(code: int, body: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        client = Connectivity(f"127.0.0.1:{web.server_port}", 2.0)
        with pytest.raises(SchemaMismatchError, match=f"127.0.0.1:{web.server_port}"):
            client.lookup("s")
        client.close()
        web.shutdown()
        thread.join(5)


def test_a_directory_that_is_away() -> None:
    with pytest.raises(NotReachableError, match=r"127\.0\.0\.1:1 "):
        Connectivity("127.0.0.1:1", 0.5).lookup("s")


@pytest.mark.parametrize("generation", [Generation.G1], ids=str, indirect=True)
def test_a_server_that_comes_back_is_found_within_seconds(
    adapters: DetectingAdapters, installation: Installation
) -> None:
    address = installation.controller_address(SESSION)
    root = adapters.controller(address)
    root.status("console")
    installation.controller_down(SESSION, "root-controller")
    with pytest.raises(NotReachableError):
        root.status("console")
    # The old port again, as a server restarted in place would have it.
    made = grpc.server(ThreadPoolExecutor(1), handlers=[_AnyMethod(aborting(grpc.StatusCode.INTERNAL, "it is back"))])
    assert made.add_insecure_port(address)
    made.start()

    def found() -> bool:
        try:
            root.status("console")
        except ConsoleError as error:
            return "it is back" in error.message
        return False

    try:
        wait_until(found, 5, "the server that is back")
    finally:
        made.stop(None).wait(5)
