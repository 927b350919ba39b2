"""What the small HTTP servers of the simulator have in common."""

import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1"
TEXT = "text/plain; charset=utf-8"


class BadRequestError(Exception):
    """The request is wrong: answered with status 400."""


class UnknownError(Exception):
    """What is asked for does not exist: answered with status 404."""


class LoopbackServer(ThreadingHTTPServer):
    """An HTTP server on a port of loopback that the system chooses."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        """Bind the port; requests are answered after ``start``."""
        super().__init__((LOOPBACK, 0), handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name=f"simulator-{type(self).__name__}", daemon=True
        )

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{LOOPBACK}:{self.server_address[1]}"

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and free the port."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


class JsonRequestHandler(BaseHTTPRequestHandler):
    """Reads bounded JSON bodies and writes whole answers."""

    max_body_bytes = 1_000_000
    # One write for an answer: headers and body apart would wait for each other's acknowledgement.
    wbufsize = -1
    timeout = 10

    def respond(self) -> None:
        """Answer the request, as each server does; BadRequestError and UnknownError become answers themselves."""
        raise NotImplementedError

    def do_POST(self) -> None:
        """Answer a request with a body."""
        try:
            self.respond()
        except BadRequestError as error:
            self.send_text(HTTPStatus.BAD_REQUEST, str(error))
        except UnknownError as error:
            self.send_text(HTTPStatus.NOT_FOUND, str(error))

    def log_message(self, *_: object) -> None:
        """Keep the access log quiet: nodes and clients ask all the time."""

    def body(self) -> bytes:
        """Return the body.

        Raises:
            BadRequestError: It is too large.
        """
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > self.max_body_bytes:
            self.close_connection = True
            raise BadRequestError("Content-Length is wrong or too large")
        return self.rfile.read(int(length))

    def json_body(self) -> Mapping[str, object]:
        """Return the body as a JSON object; an empty body is an empty object.

        Raises:
            BadRequestError: It is not one.
        """
        try:
            body = json.loads(self.body() or b"{}")
        except ValueError as error:
            raise BadRequestError("The body is not JSON") from error
        if not isinstance(body, dict):
            raise BadRequestError("The body is not a JSON object")
        return body

    def send_text(self, status: HTTPStatus, text: str, content_type: str = TEXT) -> None:
        """Send an answer."""
        payload = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def text_of(body: Mapping[str, object], key: str) -> str:
    """Return a text of a JSON object.

    Raises:
        BadRequestError: It is missing or no text.
    """
    value = body.get(key)
    if not isinstance(value, str):
        raise BadRequestError(f"{key} is missing")
    return value
