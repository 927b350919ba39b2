"""Which schema generation an address speaks, found out by reads that only one of them knows (contract 2.2, 2.3)."""

from dataclasses import dataclass
from enum import StrEnum

import grpc

from services.errors import ConsoleError, NotSupportedError, SchemaMismatchError, UnknownCallError
from services.run_control import decode
from services.run_control.adapter import (
    ControllerAdapter,
    ProcessManagerAdapter,
    RunControlServiceAdapter,
    SessionManagerAdapter,
)
from services.run_control.call import Caller
from services.run_control.channels import Channels, console_error
from services.run_control.g1.controller import G1Controller
from services.run_control.g1.process_manager import G1ProcessManager
from services.run_control.g2.controller import G2Controller
from services.run_control.g2.description import read_description
from services.run_control.g2.session_manager import G2SessionManager
from services.run_control.g3.call import CONTROLLER, PROCESS_MANAGER, RUN_CONTROL, SESSION_MANAGER, TypedCaller
from services.run_control.g3.controller import G3Controller
from services.run_control.g3.process_manager import G3ProcessManager
from services.run_control.g3.run_control_service import G3RunControlService
from services.run_control.g3.session_manager import G3SessionManager
from services.run_control.node_types import Target
from services.run_control.support import Deadlines, not_supported
from services.texts import clean
from wire.schema import G2Layout, load_g1, load_g2, load_g3

# No message begins like this: a server that knows the call refuses it unread, one that does not says so.
_UNREADABLE = b"\xff"


class Generation(StrEnum):
    """A schema generation that the console speaks."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"


@dataclass(frozen=True, slots=True)
class Detector:
    """Makes the adapter of an address after asking it what it speaks.

    Only an UNIMPLEMENTED is evidence of another generation; whatever else fails is raised, and nothing is concluded.

    Attributes:
        channels: Shared channels.
        deadlines: Of the calls of the adapters; probes are reads.
        pinned: The generation to assume without asking; None to ask.
    """

    channels: Channels
    deadlines: Deadlines
    pinned: Generation | None = None

    def controller(self, address: str, user: str) -> ControllerAdapter:
        """Return the adapter of a controller.

        Raises:
            NotReachableError, BusyError, DruncError: It does not answer, or fails: nothing is known.
            NotSupportedError: It speaks a version between two generations.
            SchemaMismatchError: It is no controller of drunc.
        """
        caller = self._caller(address, "Controller", "The controller", "G1")
        match self.pinned:
            case Generation.G1:
                return G1Controller(caller, self.deadlines)
            case Generation.G2:
                # Whoever pins it wants it, even where it does not fit quite.
                return self._g2_controller(address, user, checked=False)
            case Generation.G3:
                return self._g3_controller(address)
        if self._knows(address, f"/{CONTROLLER}Controller/status", _request(user), "The controller"):
            self._refuse_early_g3(address)
            return self._g3_controller(address)
        try:
            return self._g2_controller(address, user, checked=True)
        except UnknownCallError:
            pass
        try:
            caller("get_status", user, self.deadlines.read_s)
        except UnknownCallError as error:
            raise SchemaMismatchError(
                f"What answers at {address} is no controller of drunc, or one of a version that nobody here knows."
            ) from error
        return G1Controller(caller, self.deadlines)

    def process_manager(self, address: str, user: str) -> ProcessManagerAdapter:
        """Return the adapter of a process manager; errors as for `controller`."""
        what = "The process manager"
        caller = self._caller(address, "ProcessManager", what, "G1")
        typed = TypedCaller(self.channels, address, PROCESS_MANAGER + "ProcessManager", what)
        if self.pinned is Generation.G3:
            return G3ProcessManager(typed, self.deadlines)
        if self.pinned is not None:
            return G1ProcessManager(caller, self.deadlines, self.pinned.value)
        if self._knows(address, f"/{typed.service}/describe", _request(user), what):
            return G3ProcessManager(typed, self.deadlines)
        try:
            answer = caller("describe", user, self.deadlines.read_s)
        except UnknownCallError as error:
            raise SchemaMismatchError(f"What answers at {address} is no process manager of drunc.") from error
        decode.raise_for_flag(answer)
        # Only G2 tells where its log file is (contract 2.2).
        others = read_description(load_g1(), answer.data.value).others
        return G1ProcessManager(caller, self.deadlines, "G2" if any("/" in text for text in others) else "G1")

    def session_manager(self, address: str, user: str) -> SessionManagerAdapter:
        """Return the adapter of a session manager; errors as for `controller`, NotSupportedError in G1."""
        what = "The session manager"
        typed = TypedCaller(self.channels, address, SESSION_MANAGER + "SessionManager", what)
        caller = self._caller(address, "SessionManager", what, "G2")
        match self.pinned:
            case Generation.G1:
                raise not_supported("list sessions", "G1")
            case Generation.G2:
                return G2SessionManager(caller, self.deadlines)
            case Generation.G3:
                return G3SessionManager(typed, self.deadlines)
        if self._knows(address, f"/{typed.service}/list_all_sessions", _request(user), what):
            return G3SessionManager(typed, self.deadlines)
        try:
            caller("list_all_sessions", user, self.deadlines.read_s)
        except UnknownCallError as error:
            raise SchemaMismatchError(f"What answers at {address} is no session manager of drunc.") from error
        return G2SessionManager(caller, self.deadlines)

    def run_control_service(self, address: str) -> RunControlServiceAdapter:
        """Return the adapter of a run control service: only G3 has it, and there is nothing to ask without doing."""
        what = "The run control service"
        typed = TypedCaller(self.channels, address, RUN_CONTROL + "RunControl", what)
        return G3RunControlService(typed, self.deadlines)

    def _g3_controller(self, address: str) -> G3Controller:
        typed = TypedCaller(self.channels, address, CONTROLLER + "Controller", "The controller")
        return G3Controller(typed, self.deadlines)

    def _refuse_early_g3(self, address: str) -> None:
        """Raise NotSupportedError for early G3, which lacks a call (contract 6.6)."""
        if not self._knows(address, f"/{CONTROLLER}Controller/log_on_server", _UNREADABLE, "The controller"):
            raise _between(address, "an early G3, whose include and exclude are different")

    def _g2_controller(self, address: str, user: str, *, checked: bool) -> G2Controller:
        """Return the adapter of a G2 controller with the lay-out of ``AddressedCommand`` that it understands.

        Raises:
            UnknownCallError: It is of an older generation.
            NotSupportedError: It is of G1.5 or G2.5, which is looked for if ``checked``.
        """
        first = self._g2(address, "b")
        answer = first.call("status", user, self.deadlines.read_s)
        decode.raise_for_flag(answer)
        path = f"/{decode.PACKAGE}Controller/recompute_status"
        if checked and not self._knows(address, path, _UNREADABLE, "The controller"):
            raise _between(address, "G1.5")
        # The right lay-out is answered, the wrong one fails in the server without being executed (contract 2.3).
        just_this = Target(str(answer.name), along_path=False, all_children=False)
        probe = first.call("status", user, self.deadlines.read_s, first.addressed("status", just_this))
        controller = first if probe.flag == decode.OK else self._g2(address, "a")
        if checked:
            self._refuse_g2_5(address, controller, user, just_this)
        return controller

    def _refuse_g2_5(self, address: str, controller: G2Controller, user: str, just_this: Target) -> None:
        """Raise NotSupportedError for G2.5, whose ``describe`` is typed already (contract 6.6)."""
        try:
            answer = controller.call(
                "describe", user, self.deadlines.read_s, controller.addressed("describe", just_this)
            )
        except UnknownCallError:
            raise
        except SchemaMismatchError as error:
            raise _between(address, "G2.5") from error
        # A typed answer begins with a token, whose bytes do not print.
        if not answer.name.isprintable():
            raise _between(address, "G2.5")

    def _g2(self, address: str, layout: G2Layout) -> G2Controller:
        caller = Caller(self.channels, address, "Controller", "The controller", load_g2(layout))
        return G2Controller(caller, self.deadlines)

    def _caller(self, address: str, service: str, what: str, generation: str) -> Caller:
        schema = load_g1() if generation == "G1" else load_g2("a")
        return Caller(self.channels, address, service, what, schema)

    def _knows(self, address: str, path: str, request: bytes, what: str) -> bool:
        """Tell whether a server knows a call; one that fails in it knows it.

        Raises:
            NotReachableError, BusyError: It does not answer: no evidence.
        """
        try:
            self.channels.call(address, path, request, self.deadlines.read_s)
        except grpc.RpcError as error:
            translated = console_error(error, what, address)
            if isinstance(translated, UnknownCallError):
                return False
            if translated.retry_helps:
                raise translated from error
        return True


def _request(user: str) -> bytes:
    """Return bytes that are the reading request of any G3 call: the token comes first in all of them."""
    token = load_g3().message(decode.PACKAGE + "Token")(user_name=user, token=f"{user}-token")
    encoded: bytes = load_g3().message(decode.PACKAGE + "Request")(token=token).SerializeToString()
    return encoded


def _between(address: str, version: str) -> ConsoleError:
    return NotSupportedError(
        f"The controller at {clean(address)} speaks {version}: a version of drunc between two generations, which the "
        "console does not know.",
        not_done="Nothing was sent.",
        next_step="Install a released version of drunc, or pin the generation if it is close enough.",
    )
