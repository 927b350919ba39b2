"""The connectivity service over HTTP (contract 14)."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

from simulator.connectivity import Connection, Registry

MAX_BODY_BYTES = 1_000_000
_GET_CONNECTION = "/getconnection/"


class _BadRequestError(Exception):
    pass


class _UnknownError(Exception):
    pass


class ConnectivityServer:
    """Serves a registry on a port of loopback that the system chooses."""

    def __init__(self, registry: Registry) -> None:
        """Bind the port; requests are answered after ``start``."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.registry = registry
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="simulator-connectivity", daemon=True
        )

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    registry: Registry


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # One write for an answer: headers and body apart would wait for each other's acknowledgement.
    wbufsize = -1
    timeout = 10

    def do_GET(self) -> None:
        """Answer ``/`` and, as the original tolerates it, ``/getconnection``."""
        if self.path == "/":
            self._send(HTTPStatus.OK, _html(self.server.registry), "text/html; charset=utf-8")
        else:
            self.do_POST()

    def do_POST(self) -> None:
        """Answer the requests that carry a body."""
        try:
            self._dispatch()
        except _BadRequestError as error:
            self._send(HTTPStatus.BAD_REQUEST, str(error))
        except _UnknownError as error:
            self._send(HTTPStatus.NOT_FOUND, str(error))

    def log_message(self, *_: object) -> None:
        """Keep the access log quiet: nodes and clients ask all the time."""

    def _dispatch(self) -> None:
        if self.path.startswith(_GET_CONNECTION):
            self._get_connection(unquote(self.path.removeprefix(_GET_CONNECTION)))
            return
        actions: Mapping[str, Callable[[], None]] = {
            "/publish": self._publish,
            "/retract": self._retract,
            "/retract-partition": self._retract_partition,
        }
        action = actions.get(self.path)
        if action is None:
            raise _UnknownError("Not Found")
        action()

    def _publish(self) -> None:
        body = self._json()
        connections = [_connection(item) for item in _items(body)]
        self.server.registry.publish(_text(body, "partition"), connections)
        self._send(HTTPStatus.OK, "OK")

    def _get_connection(self, session: str) -> None:
        body = self._json()
        uid_regex, data_type = _text(body, "uid_regex"), _text(body, "data_type")
        try:
            found = self.server.registry.lookup(session, uid_regex, data_type)
        except re.error as error:
            raise _BadRequestError(f"uid_regex: {error}") from error
        if found is None:
            raise _UnknownError(f"Partition {session} not found")
        answer = [
            {"uid": c.uid, "uri": c.uri, "connection_type": c.connection_type, "data_type": c.data_type} for c in found
        ]
        self._send(HTTPStatus.OK, json.dumps(answer), "application/json")

    def _retract(self) -> None:
        body = self._json()
        uids = [_text(item, "connection_id") for item in _items(body)]
        if not self.server.registry.retract(_text(body, "partition"), uids):
            raise _UnknownError("Partition or connection not found")
        self._send(HTTPStatus.OK, "OK")

    def _retract_partition(self) -> None:
        """The server of January 2024 wants a form, newer ones JSON; both are understood."""
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            values = parse_qs(self._body().decode(errors="replace")).get("partition", [])
            body: Mapping[str, object] = {"partition": values[0]} if values else {}
        else:
            body = self._json()
        if not self.server.registry.retract_session(_text(body, "partition")):
            raise _UnknownError("Partition not found")
        self._send(HTTPStatus.OK, "OK")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise _BadRequestError("Content-Length missing or too large")
        return self.rfile.read(int(length))

    def _json(self) -> Mapping[str, object]:
        try:
            body = json.loads(self._body() or b"{}")
        except ValueError as error:
            raise _BadRequestError("The body is not JSON") from error
        if not isinstance(body, dict):
            raise _BadRequestError("The body is not a JSON object")
        return body

    def _send(self, status: HTTPStatus, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        payload = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _text(body: Mapping[str, object], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise _BadRequestError(f"{key} is missing")
    return value


def _items(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    items = body.get("connections")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _BadRequestError("connections is missing")
    return items


def _connection(item: Mapping[str, object]) -> Connection:
    kind = item.get("connection_type", 0)
    if not isinstance(kind, int):
        raise _BadRequestError("connection_type is not a number")
    return Connection(_text(item, "uid"), _text(item, "uri"), _text(item, "data_type"), kind)


def _html(registry: Registry) -> str:
    parts = ["<!doctype html><title>Connectivity service</title>"]
    for session, connections in registry.dump().items():
        parts.append(f"<h2>{escape(session)}</h2><ul>")
        for connection, fresh in connections:
            line = escape(f"{connection.uid} {connection.data_type} {connection.uri}")
            parts.append(f"<li>{line}</li>" if fresh else f"<li><s>{line}</s></li>")
        parts.append("</ul>")
    return "".join(parts)
