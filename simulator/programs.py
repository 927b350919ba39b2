"""What the processes of an installation run (contract 9.3, 18)."""

import re
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from simulator.application import Application
from simulator.broadcast import Broadcaster
from simulator.children import ApplicationChild, Child, ControllerChild
from simulator.connectivity import RUN_CONTROL
from simulator.controller import Controller
from simulator.fsm import FSM_CONF_TEST, FSM_NO_ACTION
from simulator.generation import Generation
from simulator.identity import Identity, Voices
from simulator.layouts import CONFIGURATION_FILE, Segment, SessionLayout
from simulator.opmon import Monitor, layout_of_entries
from simulator.process_log import ProcessLog
from simulator.replies import Dialect
from simulator.rules import G2_RULES, G3_RULES
from simulator.surroundings import Surroundings
from simulator.traffic import Interceptor
from simulator.tree_children import MissingChild, RemoteController, TreeApplication
from simulator.tree_controller import TreeChild, TreeController

# drunc looks 50 times, with pauses of 0.2 s (contract 14).
LOOK_UPS = 200
LOOK_UP_PAUSE_S = 0.05
_LOOPBACK = "127.0.0.1"

# Called by a program that ends by itself, with its exit code.
Exit = Callable[[int], None]


class Program(Protocol):
    """Something a process runs until it is stopped or ends by itself."""

    def start(self) -> None:
        """Begin; returns at once."""

    def stop(self, *, orderly: bool) -> None:
        """End at once; an orderly end says goodbye."""


class ConnectionServerProgram:
    """The session's own connectivity service; here it opens the session in the one that all share."""

    def __init__(self, surroundings: Surroundings, session: str) -> None:
        """Serve a session."""
        self._surroundings = surroundings
        self._session = session

    def start(self) -> None:
        """Open the session."""
        self._surroundings.announcer.open(self._session)

    def stop(self, *, orderly: bool) -> None:  # noqa: ARG002 - it never says goodbye
        """Close the session and forget its addresses."""
        self._surroundings.announcer.close(self._session)


class ApplicationProgram:
    """A DAQ application: holds a port, is announced, waits for commands."""

    def __init__(self, surroundings: Surroundings, session: str, name: str, log: ProcessLog) -> None:
        """Prepare the application."""
        self._surroundings = surroundings
        self.application = Application(
            session,
            name,
            surroundings.work,
            log,
            lambda severity, text: surroundings.report(self.application, severity, text),
        )
        self._log = log
        self._port = socket.socket()
        self._uri = ""

    def start(self) -> None:
        """Bind a port, so that the published one is the application's alone, and publish it."""
        self._port.bind((_LOOPBACK, 0))
        self._uri = f"rest://{_LOOPBACK}:{self._port.getsockname()[1]}"
        self._surroundings.applications.add(self._uri, self.application)
        self._surroundings.announcer.announce(self.application.session, self.application.name, self._uri)
        self._log.write(f"{self.application.name} is listening on {self._uri}")

    def stop(self, *, orderly: bool) -> None:  # noqa: ARG002 - it never says goodbye
        """Die; the published address expires."""
        self.application.end()
        self._surroundings.announcer.withdraw(self.application.session, self.application.name, self._uri)
        self._surroundings.applications.remove(self._uri)
        self._port.close()


class ControllerProgram:
    """A controller: finds its children in the connectivity service, takes them, then serves and is announced."""

    def __init__(
        self, surroundings: Surroundings, session: str, segment: Segment, log: ProcessLog, ended: Exit
    ) -> None:
        """Prepare the controller of a segment; ``ended`` is called if its children cannot be found."""
        self._surroundings = surroundings
        self._session = session
        self._segment = segment
        self._log = log
        self._ended = ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"simulator-boot-{segment.controller}", daemon=True)
        self._lock = threading.Lock()
        self._controller: Controller | TreeController | None = None
        self.ready = threading.Event()
        self.address = ""

    def start(self) -> None:
        """Begin to look for the children."""
        self._thread.start()

    def stop(self, *, orderly: bool) -> None:
        """Answer no more; the published address expires."""
        self._stopping.set()
        name = self._segment.controller
        self._surroundings.announcer.withdraw(self._session, name, f"grpc://{self.address}")
        with self._lock:
            controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop(orderly=orderly)

    def _run(self) -> None:
        children = self._find_children()
        if self._stopping.is_set():
            return
        if children is None:
            self._log.write("Could not find all children in the connectivity service")
            self._ended(1)
            return
        self._serve(children)

    def _serve(self, children: list[Child]) -> None:
        surroundings, name = self._surroundings, self._segment.controller
        broadcaster = Broadcaster(surroundings.publisher, surroundings.kafka_address, self._session, name)
        fsm = FSM_CONF_TEST if self._segment.segments else FSM_NO_ACTION
        controller = Controller(self._session, name, fsm, children, broadcaster, interceptors=[self._counter()])
        controller.take_children()
        if self._begin_to_serve(controller):
            self.ready.set()

    @property
    def controller(self) -> Controller | TreeController | None:
        """The controller, once it serves and until it ends."""
        with self._lock:
            return self._controller

    def measure(self) -> None:
        """Let the controller measure itself; those of G1 do not."""
        controller = self.controller
        if isinstance(controller, TreeController):
            controller.measure()

    def _counter(self) -> Interceptor:
        return self._surroundings.traffic.counter(f"{self._session}/{self._segment.controller}")

    def _begin_to_serve(self, controller: Controller | TreeController) -> bool:
        """Serve and announce a controller; False when the program was stopped meanwhile."""
        name = self._segment.controller
        with self._lock:
            if self._stopping.is_set():
                controller.stop(orderly=False)
                return False
            self._controller = controller
            self.address = controller.serve()
            self._surroundings.announcer.announce(self._session, name, f"grpc://{self.address}")
        self._log.write(f"{name} is listening on grpc://{self.address}")
        return True

    def _find_children(self) -> list[Child] | None:
        found: list[Child] = []
        for name in self._segment.children:
            child = self._find(name)
            if child is None:
                return None
            found.append(child)
        return found

    def _find(self, name: str) -> Child | None:
        for _ in range(LOOK_UPS):
            uri = self._look_up(name)
            if uri is not None:
                return self._child(name, uri)
            if self._stopping.wait(LOOK_UP_PAUSE_S):
                return None
        return None

    def _look_up(self, name: str) -> str | None:
        connections = self._surroundings.registry.lookup(self._session, re.escape(f"{name}_control"), RUN_CONTROL)
        return connections[0].uri if connections else None

    def _child(self, name: str, uri: str) -> Child:
        kind, _, address = uri.partition("://")
        if kind == "grpc":
            return ControllerChild(name, address)
        return ApplicationChild(self._application(name, uri))

    def _application(self, name: str, uri: str) -> Application:
        return self._surroundings.applications.find(uri) or self._dead(name)

    def _dead(self, name: str) -> Application:
        """Return what listens at the address of an application that died less than an expiry ago: nobody."""
        application = Application(self._session, name, self._surroundings.work, self._log, lambda *_: None)
        application.end()
        return application


class TreeControllerProgram(ControllerProgram):
    """A controller of G2 or G3: a child that is not found does not end it."""

    def __init__(
        self, surroundings: Surroundings, layout: SessionLayout, segment: Segment, log: ProcessLog, dialect: Dialect
    ) -> None:
        """Prepare the controller of a segment."""
        super().__init__(surroundings, layout.name, segment, log, lambda _code: None)
        self._layout = layout
        self._dialect = dialect
        self._rules = G3_RULES if layout.generation is Generation.G3 else G2_RULES

    def _run(self) -> None:
        controller = self._made()
        if self._rules.serves_at_once and not self._begin_to_serve(controller):
            return
        children = [self._find_for_tree(name) for name in self._segment.children]
        if self._stopping.is_set():
            return
        controller.adopt(children)
        if self._rules.serves_at_once or self._begin_to_serve(controller):
            self.ready.set()

    def _made(self) -> TreeController:
        surroundings, name = self._surroundings, self._segment.controller
        broadcaster = Broadcaster(surroundings.publisher, surroundings.kafka_address, self._session, name)
        fsm = FSM_CONF_TEST if self._segment.segments else FSM_NO_ACTION
        identity = Identity(name, self._session, CONFIGURATION_FILE, self._layout.configuration_id)
        monitor = Monitor(surroundings.publisher, layout_of_entries(self._layout.generation), self._session, name)
        voices = Voices(broadcaster, monitor, self._complain)
        return TreeController(identity, fsm, voices, self._dialect, self._rules, interceptors=[self._counter()])

    def _complain(self, text: str) -> None:
        """Log to ERS what the controller says, as those of G3 do (contract 16.3)."""
        if self._layout.generation is Generation.G3:
            self._surroundings.complain(self._session, self._segment.controller, text)

    def _find_for_tree(self, name: str) -> TreeChild:
        """Look for a child until it is found and ready, or for good."""
        for _ in range(LOOK_UPS):
            uri = self._look_up(name)
            child = None if uri is None else self._tree_child(name, uri)
            if child is not None:
                return child
            if self._stopping.wait(LOOK_UP_PAUSE_S):
                break
        self._log.write(f"Could not find {name} in the connectivity service")
        return MissingChild(name)

    def _tree_child(self, name: str, uri: str) -> TreeChild | None:
        """Return the child that listens at an address, None while it initialises (contract 10.3)."""
        kind, _, address = uri.partition("://")
        if kind != "grpc":
            application = self._application(name, uri)
            return TreeApplication(application, uri, idle_after_failure=self._rules.idle_after_failure)
        child = RemoteController(name, address, self._dialect)
        if not self._rules.serves_at_once or child.ready():
            return child
        child.close()
        return None
