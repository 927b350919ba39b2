"""The control endpoint: makes things happen from outside, for those who know its token."""

import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from simulator.checks import SimulatorError
from simulator.http import LOOPBACK, BadRequestError, JsonRequestHandler, LoopbackServer, UnknownError, text_of
from simulator.installation import Installation
from simulator.orders import ORDERS, BadOrderError, Order, find_order
from simulator.player import MOST_SPEED, Player
from simulator.scenario import ScenarioError, read_scenario, shipped_scenarios

log = logging.getLogger(__name__)

_PAGE = Path(__file__).parent / "page"
# The page and what belongs to it; nothing in these files is secret.
FILES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
# Only this server's own files, nothing inline, and nobody may put the page into a frame.
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PLAY = "play"
STOP_PLAYING = "stop-playing"


class ControlServer(LoopbackServer):
    """Takes orders as ``POST /<order>`` with a JSON body and ``Authorization: Bearer <token>``.

    An order is answered with ``{"done": "<order>"}`` or, status 400, 401, 403, 404 or 409, a text. ``flood`` and
    ``play`` are answered when they begin. ``GET /state``, with the token as well, tells what there is, ``GET /traffic``
    which requests came; ``GET /`` is a page for people, which gets the token in the fragment of its address.

    Requests for another host than this one are refused, and so are those of other pages: a page elsewhere must not
    reach it through a name that points to loopback.
    """

    def __init__(self, installation: Installation, speed: float = 1.0) -> None:
        """Give orders to ``installation``; the token is made up here, scenarios play at ``speed``."""
        super().__init__(_Handler)
        self.installation = installation
        self.player = Player(installation, speed)
        self.token = secrets.token_urlsafe(24)

    @property
    def hosts(self) -> frozenset[str]:
        """Names under which this server may be asked."""
        port = self.server_address[1]
        return frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})

    def stop(self) -> None:
        """Answer no more, and end the scenario."""
        super().stop()
        self.player.stop()


class _Handler(JsonRequestHandler):
    server: ControlServer
    # A raw message of 5 MB, written in base 64.
    max_body_bytes = 16_000_000

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        """Send a file of the page, or what there is."""
        if not self._is_from_here():
            return
        if self.path in _REPORTS:
            if self._knows_the_token():
                self.send_text(HTTPStatus.OK, json.dumps(_REPORTS[self.path](self.server)), "application/json")
        elif self.path in FILES:
            name, content_type = FILES[self.path]
            self.send_text(HTTPStatus.OK, (_PAGE / name).read_text(), content_type)
        else:
            self.send_text(HTTPStatus.NOT_FOUND, "Not Found")

    def respond(self) -> None:
        """Carry out an order."""
        if not self._is_from_here() or not self._knows_the_token():
            return
        name = self.path.removeprefix("/")
        try:
            self._carry_out(name)
        except (BadOrderError, ScenarioError) as error:
            raise BadRequestError(str(error)) from error
        except SimulatorError as error:
            self.send_text(HTTPStatus.CONFLICT, str(error))
        else:
            self.send_text(HTTPStatus.OK, json.dumps({"done": name}), "application/json")

    def end_headers(self) -> None:
        """Add what tells browsers to be careful."""
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def _carry_out(self, name: str) -> None:
        player = self.server.player
        if name == PLAY:
            _play(player, self.json_body())
        elif name == STOP_PLAYING:
            player.stop()
        elif all(order.name != name for order in ORDERS):
            raise UnknownError("No such order")
        else:
            order = find_order(name)
            arguments = order.checked(self.json_body())
            if name == "reset":
                player.stop()
            log.info("order order=%s", name)
            order.carry_out(self.server.installation, **arguments)

    def _is_from_here(self) -> bool:
        """Refuse what was meant for another host, or comes from a page of another one."""
        origin = self.headers.get("Origin")
        is_own = origin is None or origin in {f"http://{host}" for host in self.server.hosts}
        if is_own and self.headers.get("Host") in self.server.hosts:
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "Ask this server by its own address")
        return False

    def _knows_the_token(self) -> bool:
        expected = f"Bearer {self.server.token}".encode()
        if hmac.compare_digest(self.headers.get("Authorization", "").encode(), expected):
            return True
        self._refuse(HTTPStatus.UNAUTHORIZED, "The token is wrong")
        return False

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        # The body is not read: nothing more can come over this connection.
        self.close_connection = True
        self.send_text(status, text)


def _play(player: Player, body: Mapping[str, object]) -> None:
    """Play a shipped scenario by its ``name``, or the one in ``text``."""
    name = body.get("name")
    if name is None:
        text = text_of(body, "text")
    else:
        shipped = shipped_scenarios()
        if not isinstance(name, str) or name not in shipped:
            raise UnknownError(f"There is no scenario {name!r}; known are {', '.join(shipped)}")
        text = shipped[name]
    session, speed = body.get("session", ""), body.get("speed")
    if not isinstance(session, str):
        raise BadRequestError("session is no text")
    if speed is not None and (isinstance(speed, bool) or not isinstance(speed, int | float)):
        raise BadRequestError("speed is no number")
    if speed is not None and not 0 < speed <= MOST_SPEED:
        raise BadRequestError(f"speed is not above 0 and at most {MOST_SPEED:g}")
    player.play(read_scenario(text), session, speed)


def _state(server: ControlServer) -> Mapping[str, object]:
    progress = server.player.progress
    return {
        "sessions": [_session(server.installation, session) for session in server.installation.sessions],
        "orders": [_order(order) for order in ORDERS],
        "scenarios": [_scenario(name, text) for name, text in shipped_scenarios().items()],
        "progress": None
        if progress is None
        else {
            "title": progress.title,
            "step": progress.step,
            "steps": progress.steps,
            "doing": progress.doing,
            "outcome": progress.outcome,
        },
    }


def _session(installation: Installation, session: str) -> Mapping[str, object]:
    processes = installation.processes(session)
    report = installation.node(session)
    return {
        "name": session,
        "generation": installation.generations[session],
        "state": "unknown" if report is None else report.state,
        "in_error": report is None or report.in_error,
        "processes": list(processes),
        "dead": [name for name, runs in processes.items() if not runs],
    }


def _order(order: Order) -> Mapping[str, object]:
    parameters = [
        {
            "name": parameter.name,
            "kind": parameter.kind.__name__,
            "default": parameter.default,
            "choices": list(parameter.choices),
        }
        for parameter in order.parameters
    ]
    return {"name": order.name, "does": order.does, "parameters": parameters}


def _scenario(name: str, text: str) -> Mapping[str, object]:
    scenario = read_scenario(text)
    return {"name": name, "title": scenario.title, "teaches": scenario.teaches, "steps": len(scenario.steps)}


def _traffic(server: ControlServer) -> Mapping[str, object]:
    arrivals = server.installation.traffic.snapshot()
    return {key: {"count": known.count, "last_at": known.last_at} for key, known in arrivals.items()}


_REPORTS: Mapping[str, Callable[[ControlServer], Mapping[str, object]]] = {"/state": _state, "/traffic": _traffic}
