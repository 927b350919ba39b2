"""The control endpoint: makes things happen from outside, for those who know its token."""

import base64
import binascii
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus

from simulator.http import BadRequestError, JsonRequestHandler, LoopbackServer, UnknownError, text_of
from simulator.installation import Installation, SimulatorError

log = logging.getLogger(__name__)

Order = Callable[[Installation, Mapping[str, object]], None]


class ControlServer(LoopbackServer):
    """Takes orders as ``POST /<order>`` with a JSON body and ``Authorization: Bearer <token>``.

    An order is answered with ``{"done": "<order>"}`` or, status 400, 401, 404 or 409, a text. ``flood`` is answered
    when it begins.
    """

    def __init__(self, installation: Installation) -> None:
        """Give orders to ``installation``; the token is made up here."""
        super().__init__(_Handler)
        self.installation = installation
        self.token = secrets.token_urlsafe(24)


class _Handler(JsonRequestHandler):
    server: ControlServer
    # A raw message of 5 MB, written in base 64.
    max_body_bytes = 16_000_000

    def respond(self) -> None:
        """Carry out an order."""
        expected = f"Bearer {self.server.token}".encode()
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), expected):
            self.close_connection = True
            self.send_text(HTTPStatus.UNAUTHORIZED, "The token is wrong")
            return
        name = self.path.removeprefix("/")
        order = ORDERS.get(name)
        if order is None:
            raise UnknownError("No such order")
        try:
            order(self.server.installation, self.json_body())
        except SimulatorError as error:
            self.send_text(HTTPStatus.CONFLICT, str(error))
            return
        self.send_text(HTTPStatus.OK, json.dumps({"done": name}), "application/json")


def _kill(installation: Installation, body: Mapping[str, object]) -> None:
    installation.kill(text_of(body, "session"), text_of(body, "name"), int(_number(body, "exit_code", 255)))


def _fail(installation: Installation, body: Mapping[str, object]) -> None:
    installation.fail(text_of(body, "session"), text_of(body, "transition"), text_of(body, "node"))


def _slow(installation: Installation, body: Mapping[str, object]) -> None:
    installation.slow(text_of(body, "session"), text_of(body, "transition"), _number(body, "seconds"))


def _flood(installation: Installation, body: Mapping[str, object]) -> None:
    """Begin a flood; it goes on after the answer."""
    installation.flood(0, severity=text_of(body, "severity"))
    arguments = (int(_number(body, "count")), _number(body, "rate_hz", 0.0), text_of(body, "severity"))
    threading.Thread(target=installation.flood, args=arguments, name="simulator-flood", daemon=True).start()


def _steal(installation: Installation, body: Mapping[str, object]) -> None:
    installation.steal(text_of(body, "session"), text_of(body, "user"))


def _controller_down(installation: Installation, body: Mapping[str, object]) -> None:
    installation.controller_down(text_of(body, "session"), text_of(body, "name"))


def _publish_raw(installation: Installation, body: Mapping[str, object]) -> None:
    try:
        value = base64.b64decode(text_of(body, "value_base64"), validate=True)
    except binascii.Error as error:
        raise BadRequestError("value_base64 is not base 64") from error
    installation.publish_raw(text_of(body, "topic"), value)


def _silence(installation: Installation, body: Mapping[str, object]) -> None:
    installation.silence(text_of(body, "session"), text_of(body, "node"))


def _wedge(installation: Installation, body: Mapping[str, object]) -> None:
    installation.wedge(text_of(body, "session"), text_of(body, "name"))


def _restart_process_manager(installation: Installation, _body: Mapping[str, object]) -> None:
    installation.restart_process_manager()


def _empty_connectivity(installation: Installation, _body: Mapping[str, object]) -> None:
    installation.empty_connectivity()


def _stall_kafka(installation: Installation, body: Mapping[str, object]) -> None:
    stalled = body.get("stalled")
    if not isinstance(stalled, bool):
        raise BadRequestError("stalled is missing or not true or false")
    installation.stall_kafka(stalled=stalled)


def _reset(installation: Installation, _body: Mapping[str, object]) -> None:
    installation.reset()


ORDERS: Mapping[str, Order] = {
    "kill": _kill,
    "fail": _fail,
    "slow": _slow,
    "flood": _flood,
    "steal": _steal,
    "controller-down": _controller_down,
    "publish-raw": _publish_raw,
    "silence": _silence,
    "wedge": _wedge,
    "restart-process-manager": _restart_process_manager,
    "empty-connectivity": _empty_connectivity,
    "stall-kafka": _stall_kafka,
    "reset": _reset,
}


def _number(body: Mapping[str, object], key: str, default: float | None = None) -> float:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError(f"{key} is missing or no number")
    return float(value)
