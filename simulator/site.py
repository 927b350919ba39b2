"""The servers of a site beside process manager and controllers: session manager and run control (contract 15)."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from typing import Protocol

import grpc

from simulator import g1, g3
from simulator.g2 import description as g2_description
from simulator.g3 import Behaviour, asker_of, token_of
from simulator.generation import Generation
from simulator.layouts import CONFIGURATION, CONFIGURATION_FILE, LAYOUTS, OPERATOR, SessionLayout, layout_of
from simulator.process_manager import STOP_GRACE_S
from wire import WireMessage, load_g2, load_g3

NAME = "session_manager"
RUN_CONTROL_NAME = "run_control"
G2_SERVICE = f"{g1.PACKAGE}.SessionManager"
G3_SERVICE = f"{g3.SHARED}.session_manager.SessionManager"
RUN_CONTROL_SERVICE = f"{g3.SHARED}.run_control.RunControl"
_COMMANDS = ("describe", "list_all_sessions", "list_all_configs")
# Session names may not split paths or Kafka topics (contract 3).
_SESSION_NAME = re.compile(r"[^./\s]+")


class Deployment(IntEnum):
    """What becomes of a session to be started (contract 6.5)."""

    SUCCESS = 0
    FAILURE_CONFIGURATION_FILE_NOT_FOUND = 1
    FAILURE_SESSION_ID_NOT_FOUND = 2
    FAILURE_SESSION_NAME_IN_USE = 3
    FAILURE_SESSION_NAME_INVALID = 4
    FAILURE_OTHER = 8


class Site(Protocol):
    """The sessions that these servers look after."""

    @property
    def running(self) -> Sequence[SessionLayout]:
        """Sessions that are booted."""

    def boot_session(self, name: str, configuration: str) -> None:
        """Boot a session of G3 and wait until its root controller is ready; SimulatorError if it is not in time."""

    def end_session(self, name: str) -> None:
        """End all processes of a session."""


class SiteServer:
    """Serves one of these services with one worker (contract 15)."""

    def __init__(self, handler: "grpc.GenericRpcHandler[WireMessage, WireMessage]") -> None:
        """Serve what ``handler`` answers."""
        self._server = grpc.server(
            ThreadPoolExecutor(1, thread_name_prefix="simulator-site"), options=[("grpc.so_reuseport", 0)]
        )
        self._server.add_generic_rpc_handlers((handler,))

    def serve(self) -> str:
        """Answer requests from now on; return the address."""
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop(STOP_GRACE_S).wait(2 * STOP_GRACE_S)


def session_manager(site: Site, generation: Generation) -> SiteServer:
    """Return the session manager of G2 or G3; it can list, not start or stop."""
    return SiteServer(_g2_handler(site) if generation is Generation.G2 else _g3_handler(site))


def run_control(site: Site) -> SiteServer:
    """Return the run control service of G3."""
    return SiteServer(_RunControl(site).handler())


def _g2_handler(site: Site) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
    schema = load_g2("b")

    def answering(make: Callable[[], WireMessage]) -> "grpc.RpcMethodHandler[WireMessage, WireMessage]":
        def behave(request: WireMessage, _context: grpc.ServicerContext) -> WireMessage:
            return schema.message(f"{g1.PACKAGE}.Response")(name=NAME, token=request.token, data=schema.pack(make()))

        return grpc.unary_unary_rpc_method_handler(
            behave,
            request_deserializer=schema.message(f"{g1.PACKAGE}.Request").FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def made(name: str, **fields: object) -> WireMessage:
        return schema.message(f"{g1.PACKAGE}.{name}")(**fields)

    def describe() -> WireMessage:
        commands = [g1.make("CommandDescription", name=name, help=name) for name in _COMMANDS]
        known = g1.make("Description", type=NAME, name=NAME, session=NAME, commands=commands)
        return g2_description(known, info="")

    handlers = {
        "describe": answering(describe),
        "list_all_sessions": answering(lambda: made("AllActiveSessions", active_sessions=_sessions(site))),
        "list_all_configs": answering(lambda: made("AllConfigKeys", config_keys=_configurations())),
    }
    return grpc.method_handlers_generic_handler(G2_SERVICE, handlers)


def _g3_handler(site: Site) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
    package = G3_SERVICE.rpartition(".")[0]

    def made(name: str, request: WireMessage, **fields: object) -> WireMessage:
        token = token_of(asker_of(request))
        return load_g3().message(f"{package}.{name}")(name=NAME, token=token, **fields)

    def describe(request: WireMessage, _context: grpc.ServicerContext) -> WireMessage:
        commands = [g3.shared("CommandDescription", name=name, help=name) for name in _COMMANDS]
        token = token_of(asker_of(request))
        return g3.shared("Description", token=token, type=NAME, name=NAME, session=NAME, commands=commands)

    behaviours: dict[str, Behaviour] = {
        "describe": describe,
        "list_all_sessions": lambda request, _: made("AllActiveSessions", request, active_sessions=_sessions(site)),
        "list_all_configs": lambda request, _: made("AllConfigKeys", request, config_keys=_configurations()),
    }
    return g3.service_handler(G3_SERVICE, behaviours)


def _sessions(site: Site) -> list[Mapping[str, object]]:
    return [
        {"name": layout.name, "user": OPERATOR, "config_key": _key(layout.configuration_id)} for layout in site.running
    ]


def _configurations() -> list[Mapping[str, str]]:
    return [_key(configuration) for configuration in LAYOUTS]


def _key(configuration: str) -> Mapping[str, str]:
    return {"file": CONFIGURATION_FILE, "session_id": configuration}


class _RunControl:
    """Boots and ends one session at a time (contract 6.5)."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._operated: str | None = None

    def handler(self) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler."""
        behaviours: dict[str, Behaviour] = {
            "validate_session": lambda request, _: self._validate(request),
            "start_session": lambda request, _: self._start(request),
            "end_session": lambda request, _: self._end(request),
            "log_on_server": lambda request, _: g3.shared(
                "LogOnServerResponse", token=token_of(asker_of(request)), name=RUN_CONTROL_NAME
            ),
        }
        return g3.service_handler(RUN_CONTROL_SERVICE, behaviours)

    def _validate(self, request: WireMessage) -> WireMessage:
        return _answered("ValidateSessionResponse", request, self._checked(request, request.ssesion_id))

    def _start(self, request: WireMessage) -> WireMessage:
        outcome = self._checked(request, request.session_id)
        if outcome is Deployment.SUCCESS and self._operated is not None:
            outcome = Deployment.FAILURE_OTHER
        if outcome is Deployment.SUCCESS:
            self._site.boot_session(request.session_name, request.session_id)
            self._operated = request.session_name
        return _answered("StartSessionResponse", request, outcome)

    def _end(self, request: WireMessage) -> WireMessage:
        """End the session that was started; the answer is the message of the start, a slip of the original."""
        outcome = Deployment.FAILURE_OTHER
        if self._operated is not None and request.session_name == self._operated:
            self._site.end_session(self._operated)
            self._operated = None
            outcome = Deployment.SUCCESS
        return _answered("StartSessionResponse", request, outcome)

    def _checked(self, request: WireMessage, configuration: str) -> Deployment:
        if request.path_to_configuration_file not in (CONFIGURATION_FILE, CONFIGURATION):
            return Deployment.FAILURE_CONFIGURATION_FILE_NOT_FOUND
        if layout_of(configuration) is None:
            return Deployment.FAILURE_SESSION_ID_NOT_FOUND
        if _SESSION_NAME.fullmatch(request.session_name) is None:
            return Deployment.FAILURE_SESSION_NAME_INVALID
        if any(layout.name == request.session_name for layout in self._site.running):
            return Deployment.FAILURE_SESSION_NAME_IN_USE
        return Deployment.SUCCESS


def _answered(name: str, request: WireMessage, outcome: Deployment) -> WireMessage:
    package = RUN_CONTROL_SERVICE.rpartition(".")[0]
    return load_g3().message(f"{package}.{name}")(token=token_of(asker_of(request)), result={"status": int(outcome)})
