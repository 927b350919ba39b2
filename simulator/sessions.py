"""The sessions of an installation as they run: booted, found, ended (contract 1, 15)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc

from simulator import g1
from simulator.checks import SimulatorError, read_session
from simulator.controller import Controller
from simulator.flags import ProcessStatus
from simulator.g3_process_manager import boot as g3_boot
from simulator.generation import Generation
from simulator.layouts import OPERATOR, SessionLayout, boot_request
from simulator.process_manager import ProcessManager
from simulator.process_manager import boot as g1_boot
from simulator.processes import LiveProcess, ProcessTable
from simulator.programs import ControllerProgram
from simulator.session_book import SessionBook
from simulator.tree_controller import TreeController

BOOT_TIMEOUT_S = 20.0
ROOT_CONTROLLER = "root-controller"


@dataclass(frozen=True, slots=True)
class NodeReport:
    """How a controller is."""

    state: str
    in_error: bool


class Sessions:
    """Boots sessions through the process manager as the shells do, and finds their processes."""

    def __init__(
        self,
        book: SessionBook,
        table: ProcessTable,
        process_manager: ProcessManager,
        generation: Generation,
        kafka_address: str | None,
    ) -> None:
        """Boot with a process manager of ``generation``; brokers as the environment of processes tells them."""
        self.book = book
        self._table = table
        self._process_manager = process_manager
        self._boot_one = g3_boot if generation is Generation.G3 else g1_boot
        self._kafka_address = kafka_address

    def boot(self, layouts: Sequence[SessionLayout]) -> None:
        """Send the boot requests that the shells would send, and wait for the root controllers.

        Raises:
            SimulatorError: A root controller did not come up in time.
        """
        with grpc.insecure_channel(self._process_manager.address) as channel:
            for layout in layouts:
                for planned in layout.processes():
                    request = boot_request(layout, planned, self._kafka_address)
                    self._boot_one(channel, request, g1.owner_of(OPERATOR))
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        for layout in layouts:
            controller = self.controller(layout.name, layout.root.controller)
            if not controller.ready.wait(max(0.0, deadline - time.monotonic())):
                raise SimulatorError(f"The root controller of {layout.name} did not come up")

    @property
    def running(self) -> Sequence[SessionLayout]:
        """Sessions with processes: those of the start, and those that run control started."""
        alive = {process.session for process in self._table.everything()}
        return tuple(layout for layout in self.book.layouts if layout.name in alive)

    def boot_session(self, name: str, configuration: str) -> None:
        """Boot another session, of G3.

        Raises:
            SimulatorError: The configuration is unknown, or the root controller did not come up in time.
        """
        layout = read_session(f"{name}:{configuration}", {name: Generation.G3})
        self.book.add(layout)
        self.boot([layout])

    def end_session(self, name: str) -> None:
        """End all processes of a session and forget it."""
        self.book.remove(name)
        self._table.kill([process for process in self._table.everything() if process.session == name])

    def processes(self, session: str) -> Mapping[str, bool]:
        """Return the processes of a session by name, and whether each of them runs."""
        of_session = [process for process in self._table.everything() if process.session == session]
        return {process.name: process.status is ProcessStatus.RUNNING for process in of_session}

    def node(self, session: str, name: str) -> NodeReport | None:
        """Return the state of a controller, None while there is none that serves."""
        process = self._table.find(session, name)
        program = None if process is None else process.program
        controller = program.controller if isinstance(program, ControllerProgram) else None
        return None if controller is None else NodeReport(controller.node.state, in_error=controller.node.in_error)

    def process(self, session: str, name: str) -> LiveProcess:
        """Return a process.

        Raises:
            SimulatorError: There is none of that name.
        """
        process = self._table.find(session, name)
        if process is None:
            raise SimulatorError(f"{session} has no process {name!r}")
        return process

    def controller(self, session: str, name: str) -> ControllerProgram:
        """Return the program of a controller.

        Raises:
            SimulatorError: There is no such process, or it is no controller.
        """
        program = self.process(session, name).program
        if not isinstance(program, ControllerProgram):
            raise SimulatorError(f"{name} is not a controller")
        return program

    def serving(self, session: str, name: str) -> Controller | TreeController:
        """Return a controller that serves.

        Raises:
            SimulatorError: It does not, or it is none.
        """
        controller = self.controller(session, name).controller
        if controller is None:
            raise SimulatorError(f"{name} of {session} does not serve")
        return controller
