"""The connectivity service over HTTP (contract 14)."""

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

from simulator.connectivity import Connection, Registry
from simulator.http import BadRequestError, JsonRequestHandler, LoopbackServer, UnknownError, text_of

_GET_CONNECTION = "/getconnection/"


class ConnectivityServer(LoopbackServer):
    """Serves a registry."""

    def __init__(self, registry: Registry) -> None:
        """Serve ``registry``."""
        super().__init__(_Handler)
        self.registry = registry


class _Handler(JsonRequestHandler):
    server: ConnectivityServer

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        """Answer ``/`` and, as the original tolerates it, ``/getconnection``."""
        if self.path == "/":
            self.send_text(HTTPStatus.OK, _html(self.server.registry), "text/html; charset=utf-8")
        elif self.path.startswith(_GET_CONNECTION):
            self.do_POST()
        else:
            self.send_text(HTTPStatus.NOT_FOUND, "Not Found")

    def respond(self) -> None:
        """Answer the requests that carry a body."""
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
            raise UnknownError("Not Found")
        action()
        self.send_text(HTTPStatus.OK, "OK")

    def _publish(self) -> None:
        body = self.json_body()
        connections = [_connection(item) for item in _items(body)]
        self.server.registry.publish(text_of(body, "partition"), connections)

    def _get_connection(self, session: str) -> None:
        body = self.json_body()
        uid_regex, data_type = text_of(body, "uid_regex"), text_of(body, "data_type")
        try:
            found = self.server.registry.lookup(session, uid_regex, data_type)
        except re.error as error:
            raise BadRequestError(f"uid_regex: {error}") from error
        if found is None:
            raise UnknownError(f"Partition {session} not found")
        answer = [
            {"uid": c.uid, "uri": c.uri, "connection_type": c.connection_type, "data_type": c.data_type} for c in found
        ]
        self.send_text(HTTPStatus.OK, json.dumps(answer), "application/json")

    def _retract(self) -> None:
        body = self.json_body()
        uids = [text_of(item, "connection_id") for item in _items(body)]
        if not self.server.registry.retract(text_of(body, "partition"), uids):
            raise UnknownError("Partition or connection not found")

    def _retract_partition(self) -> None:
        """The server of January 2024 wants a form, newer ones JSON; both are understood."""
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            values = parse_qs(self.body().decode(errors="replace")).get("partition", [])
            body: Mapping[str, object] = {"partition": values[0]} if values else {}
        else:
            body = self.json_body()
        if not self.server.registry.retract_session(text_of(body, "partition")):
            raise UnknownError("Partition not found")


def _items(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    items = body.get("connections")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadRequestError("connections is missing")
    return items


def _connection(item: Mapping[str, object]) -> Connection:
    kind = item.get("connection_type", 0)
    if not isinstance(kind, int):
        raise BadRequestError("connection_type is not a number")
    return Connection(text_of(item, "uid"), text_of(item, "uri"), text_of(item, "data_type"), kind)


def _html(registry: Registry) -> str:
    parts = ["<!doctype html><title>Connectivity service</title>"]
    for session, connections in registry.dump().items():
        parts.append(f"<h2>{escape(session)}</h2><ul>")
        for connection, fresh in connections:
            line = escape(f"{connection.uid} {connection.data_type} {connection.uri}")
            parts.append(f"<li>{line}</li>" if fresh else f"<li><s>{line}</s></li>")
        parts.append("</ul>")
    return "".join(parts)
