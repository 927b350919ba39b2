"""gRPC servers that answer single calls as a test wants, in bytes; any other call is unknown to them."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

Answer = Callable[[bytes, grpc.ServicerContext], bytes]


class _Calls(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def __init__(self, answers: Mapping[str, Answer], asked: list[str]) -> None:
        self.answers = answers
        self.asked = asked

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        self.asked.append(handler_call_details.method)
        answer = self.answers.get(handler_call_details.method)
        return None if answer is None else grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def serving(
    answers: Mapping[str, Answer], asked: list[str] | None = None, credentials: grpc.ServerCredentials | None = None
) -> Iterator[str]:
    """Serve, and note in ``asked`` what was asked; yields ``host:port``."""
    handler = _Calls(answers, [] if asked is None else asked)
    made = grpc.server(ThreadPoolExecutor(2), handlers=[handler], options=[("grpc.so_reuseport", 0)])
    host = "127.0.0.1:0"
    port = made.add_insecure_port(host) if credentials is None else made.add_secure_port(host, credentials)
    made.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        made.stop(None).wait(5)


def saying(message: bytes) -> Answer:
    return lambda _request, _context: message


def aborting(code: grpc.StatusCode, details: str = "because", trailing: bytes | None = None) -> Answer:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        if trailing is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", trailing),))
        context.abort(code, details)

    return answer
