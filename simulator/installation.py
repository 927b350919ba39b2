"""A whole drunc installation in one process, each part in the generation it is told (contract 1, 18, 21.2)."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import grpc

from simulator import g1
from simulator.application import REPLY_TIMEOUT_S, Work
from simulator.broadcast import Broadcaster
from simulator.chatter import Chatter
from simulator.checks import (
    SimulatorError,
    check_generations,
    check_severity,
    check_transition,
    read_generation,
    read_session,
)
from simulator.connectivity import Announcer, Registry
from simulator.connectivity_server import ConnectivityServer
from simulator.controller import Controller
from simulator.faults import Death, Faults
from simulator.flags import ProcessStatus
from simulator.flood import Flood
from simulator.g2 import G2Dialect
from simulator.g3 import G3Dialect
from simulator.g3_process_manager import G3ProcessManagerDialect
from simulator.g3_process_manager import boot as g3_boot
from simulator.generation import Generation
from simulator.issues import Issue
from simulator.launches import Launches
from simulator.layouts import (
    LAYOUTS,
    MANAGER_LOG,
    OLDER_STREAM,
    OPERATOR,
    Role,
    SessionLayout,
    boot_request,
    layout_of,
)
from simulator.opmon import Monitor, layout_of_entries, process_status
from simulator.process_manager import NAME as PROCESS_MANAGER_NAME
from simulator.process_manager import EnvelopeDialect, ProcessManager, ProcessManagerDialect
from simulator.process_manager import boot as g1_boot
from simulator.processes import KILL_TIMEOUT_S, LiveProcess, ProcessTable
from simulator.programs import (
    ControllerProgram,
)
from simulator.publisher import CAPACITY, KafkaPublisher, Publisher, SilentPublisher
from simulator.replies import Dialect, Order
from simulator.site import NAME as SESSION_MANAGER
from simulator.site import RUN_CONTROL_NAME, SiteServer, run_control, session_manager
from simulator.surroundings import Surroundings
from simulator.telemetry import Telemetry
from simulator.traffic import Traffic
from simulator.tree_controller import TreeController
from simulator.voice import Voice
from wire import G2Layout

DEFAULT_SESSIONS = ("local-1x1-config", "local-2x3-config")
ROOT_CONTROLLER = "root-controller"
BOOT_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 10.0
NO_GENERATIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NodeReport:
    """How a controller is."""

    state: str
    in_error: bool


class Installation:
    """Process manager, controllers, applications and connectivity service, with faults on demand.

    Everything listens on loopback, on ports that the system chooses. ``start`` boots the sessions and returns
    when their root controllers can be found.
    """

    def __init__(
        self,
        sessions: Sequence[str] = DEFAULT_SESSIONS,
        kafka_address: str | None = None,
        *,
        time_scale: float = 0.0,
        chatter_hz: float = 0.0,
        opmon_period_s: float = 0.0,
        seed: int | None = None,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        publisher: Publisher | None = None,
        generations: Mapping[str, str] = NO_GENERATIONS,
        process_manager_generation: str = Generation.G1,
        g2_layout: G2Layout = "b",
        faulty_refusals: bool = False,
    ) -> None:
        """Prepare an installation.

        Args:
            sessions: Sessions to boot: configuration ids that `simulator.layouts.layout_of` knows, or, from G2 on,
                ``<session name>:<configuration id>``.
            kafka_address: Brokers (``host:port``) for broadcasts and ERS issues; None for an installation without.
            time_scale: How long things take: 1 is natural (0.3 to 1.5 s a transition), 0 is at once.
            chatter_hz: ERS issues a second of the whole idle installation; four times as many while all run.
            opmon_period_s: Seconds between two OpMon readings of everything; 0 for none.
            seed: Makes the background trickle of issues the same every time.
            reply_timeout_s: How long controllers wait for an application's reply.
            clock: Seconds by which addresses expire in the connectivity service.
            publisher: Takes the messages instead of Kafka, for tests.
            generations: ``G1``, ``G2`` or ``G3`` by session name; sessions left out are G1.
            process_manager_generation: Generation of the process manager.
            g2_layout: Lay-out of ``AddressedCommand`` that the controllers of G2 expect (contract 2.3).
            faulty_refusals: Whether the controllers of G3 send refusals as the wrong message (contract 7.4).

        Raises:
            SimulatorError: A session or a generation is unknown, or G1 is to tell name and configuration apart.
        """
        self._layouts = [read_session(session, generations) for session in sessions]
        check_generations(self._layouts, generations)
        self._manager_generation = read_generation(process_manager_generation)
        self._dialects: Mapping[Generation, Dialect] = {
            Generation.G2: G2Dialect(g2_layout),
            Generation.G3: G3Dialect(faulty_refusals=faulty_refusals),
        }
        self._kafka_address = kafka_address
        self._time_scale = time_scale
        self._kafka = None if kafka_address is None or publisher is not None else KafkaPublisher(kafka_address)
        self._publisher = publisher or self._kafka or SilentPublisher()
        self._voice = Voice(self._publisher, self._known)
        self._faults = Faults()
        registry = Registry(clock)
        self._connectivity = ConnectivityServer(registry)
        self._surroundings = Surroundings(
            registry=registry,
            announcer=Announcer(registry),
            work=Work(self._faults, time_scale, reply_timeout_s),
            publisher=self._publisher,
            kafka_address=kafka_address,
            report=self._voice.report,
            complain=self._voice.complain,
            traffic=Traffic(),
        )
        self._manager_monitor = Monitor(
            self._publisher, layout_of_entries(self._manager_generation), OPERATOR, PROCESS_MANAGER_NAME
        )
        broadcaster = Broadcaster(self._publisher, kafka_address, OPERATOR, PROCESS_MANAGER_NAME)
        launches = Launches(self._surroundings, self._dialects, self._known, time_scale)
        self._table = ProcessTable(launches.launch, broadcaster, self._faults, KILL_TIMEOUT_S * time_scale)
        self._process_manager = ProcessManager(
            self._manager_dialect(broadcaster), broadcaster, [self.traffic.counter(PROCESS_MANAGER_NAME)]
        )
        self._site_servers = self._site()
        self._site_addresses: dict[str, str] = {}
        self._process_manager_address = ""
        self._stopping = threading.Event()
        living = self._surroundings.applications.living
        # Not for secrets: it only makes up what applications say and measure.
        talk, noise = random.Random(seed), random.Random(seed)  # noqa: S311
        self._chatter = Chatter(chatter_hz, living, self._voice.speak, talk)
        self._telemetry = Telemetry(opmon_period_s, living, self._voice.measured, self._measure_drunc, noise)

    @property
    def traffic(self) -> Traffic:
        """Counts of the requests that controllers and process manager got."""
        return self._surroundings.traffic

    @property
    def process_manager_address(self) -> str:
        """``host:port`` of the process manager; empty before ``start``."""
        return self._process_manager_address

    @property
    def connectivity_address(self) -> str:
        """``host:port`` of the connectivity service."""
        return self._connectivity.address

    @property
    def session_manager_address(self) -> str | None:
        """``host:port`` of the session manager, in the process manager's generation; None in G1."""
        return self._site_addresses.get(SESSION_MANAGER)

    @property
    def run_control_address(self) -> str | None:
        """``host:port`` of the run control service; None unless the process manager is of G3."""
        return self._site_addresses.get(RUN_CONTROL_NAME)

    @property
    def kafka_address(self) -> str | None:
        """``host:port`` of the broker; None without Kafka."""
        return self._kafka_address

    @property
    def generations(self) -> Mapping[str, str]:
        """Generation of every session booted at start, by its name."""
        return {layout.name: layout.generation.value for layout in self._layouts}

    @property
    def process_manager_generation(self) -> str:
        """Generation of the process manager."""
        return self._manager_generation.value

    @property
    def sessions(self) -> tuple[str, ...]:
        """Names of the sessions booted at start."""
        return tuple(layout.name for layout in self._layouts)

    def controller_address(self, session: str, name: str = ROOT_CONTROLLER) -> str:
        """Return ``host:port`` of a controller.

        Raises:
            SimulatorError: There is no such controller.
        """
        return self._controller(session, name).address

    def start(self) -> None:
        """Start all servers, boot the sessions, wait until they are ready.

        Raises:
            SimulatorError: A root controller did not come up in time.
        """
        if self._kafka is not None:
            self._kafka.start()
        self._connectivity.start()
        self._surroundings.announcer.start()
        self._process_manager_address = self._process_manager.serve()
        self._boot(self._layouts)
        self._site_addresses = {name: server.serve() for name, server in self._site_servers.items()}
        if self.session_manager_address is not None:
            uri = f"grpc://{self.session_manager_address}"
            self._surroundings.announcer.announce(SESSION_MANAGER, SESSION_MANAGER, uri)
        self._chatter.start()
        self._telemetry.start()

    def stop(self) -> None:
        """End everything; takes less than two seconds."""
        self._stopping.set()
        self._telemetry.stop()
        self._chatter.stop()
        for server in self._site_servers.values():
            server.stop()
        self._process_manager.stop()
        _each_in_a_thread(self._table)
        self._surroundings.announcer.stop()
        self._connectivity.stop()
        if self._kafka is not None:
            self._kafka.stop(timeout_s=0.5)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until the brokers have everything that was published; False when they have not in time."""
        return self._kafka is None or self._kafka.flush(timeout_s)

    def kill(self, session: str, name: str, exit_code: int = 255) -> None:
        """Let a process die by itself: ``ps`` shows it dead with the exit code.

        Raises:
            SimulatorError: There is no such process, or it is dead already.
        """
        process = self._process(session, name)
        if process.status is ProcessStatus.DEAD:
            raise SimulatorError(f"{name} of {session} is dead already")
        self._table.end(process, exit_code)
        witness = next((known for known in self._surroundings.applications.living() if known.session == session), None)
        if witness is not None:
            self._voice.miss(witness, name, exit_code)

    def die_after_boot(self, session: str, name: str, seconds: float, exit_code: int = 255) -> None:
        """Let a process die by itself so long after it is booted or restarted the next time.

        The session need not run: its configuration may be known only.

        Raises:
            SimulatorError: Session or process is unknown, or the time is negative.
        """
        if self._layout(session).planned(name) is None:
            raise SimulatorError(f"{session} has no process {name!r}")
        if seconds < 0:
            raise SimulatorError("Nothing dies before it is booted")
        self._faults.die(session, name, Death(seconds, exit_code))

    def write_log(self, session: str, name: str, lines: Iterable[str]) -> None:
        """Let a process write lines into its log.

        Raises:
            SimulatorError: There is no such process.
        """
        log = self._process(session, name).log
        for line in lines:
            log.write(line)

    def controller_down(self, session: str, name: str) -> None:
        """Let a controller answer no more although its process runs on.

        Raises:
            SimulatorError: There is no such controller.
        """
        self._controller(session, name).stop(orderly=False)

    def fail(self, session: str, transition: str, node: str) -> None:
        """Let the next such transition fail in an application.

        Raises:
            SimulatorError: Session, transition or application is unknown.
        """
        check_transition(transition)
        planned = self._layout(session).planned(node)
        if planned is None or planned.role is not Role.APPLICATION:
            raise SimulatorError(f"{session} has no application {node!r}")
        self._faults.fail(session, transition, node)

    def silence(self, session: str, node: str) -> None:
        """Let an application answer nothing any more although its process runs, until `reset`.

        Raises:
            SimulatorError: Session or application is unknown.
        """
        planned = self._layout(session).planned(node)
        if planned is None or planned.role is not Role.APPLICATION:
            raise SimulatorError(f"{session} has no application {node!r}")
        self._faults.silence(session, node)

    def wedge(self, session: str, name: str = ROOT_CONTROLLER) -> None:
        """Leave a controller in the middle of a transition, as a failed action does (contract 10.5, step 3).

        Raises:
            SimulatorError: There is no such controller.
        """
        self._serving(session, name).wedge()

    def to_error(self, session: str, name: str) -> None:
        """Put a controller in error.

        Raises:
            SimulatorError: There is no such controller.
        """
        self._serving(session, name).to_error()

    def exclude(self, session: str, name: str) -> None:
        """Exclude a node and what is below it, as whoever holds control would; in G1 a controller only.

        Raises:
            SimulatorError: There is no such node, or it is excluded already.
        """
        self._include(session, name, included=False)

    def include(self, session: str, name: str) -> None:
        """Include a node and what is below it again; see `exclude`."""
        self._include(session, name, included=True)

    def node(self, session: str, name: str = ROOT_CONTROLLER) -> NodeReport | None:
        """Return the state of a controller, None while there is none that serves."""
        process = self._table.find(session, name)
        program = None if process is None else process.program
        controller = program.controller if isinstance(program, ControllerProgram) else None
        return None if controller is None else NodeReport(controller.node.state, in_error=controller.node.in_error)

    def raise_issue(self, session: str, node: str, severity: str, text: str) -> None:
        """Let an application raise one ERS issue.

        Raises:
            SimulatorError: There is no such application, or it does not live.
        """
        check_severity(severity)
        living = self._surroundings.applications.living()
        application = next((known for known in living if (known.session, known.name) == (session, node)), None)
        if application is None:
            raise SimulatorError(f"{session} has no living application {node!r}")
        self._voice.speak(
            application, Issue(severity, "simulator::Scenario", text, package="simulator", function="play")
        )

    def processes(self, session: str) -> Mapping[str, bool]:
        """Return the processes of a session by name, and whether each of them runs."""
        of_session = [process for process in self._table.everything() if process.session == session]
        return {process.name: process.status is ProcessStatus.RUNNING for process in of_session}

    def restart_process_manager(self) -> None:
        """Let the process manager end, with all that it started, and start again at its address, knowing nothing."""
        self._process_manager.stop()
        self._table.forget()
        port = int(self._process_manager_address.rpartition(":")[2])
        self._process_manager.serve(port)

    def empty_connectivity(self, *, emptied: bool = True) -> None:
        """Let the connectivity service forget everything and hear nothing any more, or let it hear again."""
        self._surroundings.announcer.mute(muted=emptied)

    def stall_kafka(self, *, stalled: bool) -> None:
        """Let nothing reach the brokers, or let it flow again.

        Raises:
            SimulatorError: The installation has no Kafka.
        """
        if self._kafka is None:
            raise SimulatorError("The installation has no Kafka")
        self._kafka.stall(stalled=stalled)

    def slow(self, session: str, transition: str, seconds: float) -> None:
        """Let such transitions take ``seconds`` in every application until further notice; 0 ends it.

        Raises:
            SimulatorError: Session or transition is unknown.
        """
        check_transition(transition)
        self._faults.slow(self._layout(session).name, transition, seconds)

    def steal(self, session: str, user: str) -> None:
        """Let somebody else take control of a session, as a shell would.

        Raises:
            SimulatorError: The session has no root controller, or it does not answer.
        """
        layout = self._layout(session)
        address = self.controller_address(session, layout.root.controller)
        with grpc.insecure_channel(address) as channel:
            try:
                self._take_control(channel, layout.generation, g1.owner_of(user))
            except grpc.RpcError as error:
                raise SimulatorError(f"The root controller of {session} does not answer") from error

    def flood(self, count: int, rate_hz: float = 0.0, severity: str = "INFO") -> int:
        """Publish ERS issues, ``rate_hz`` a second (0: as fast as they go); return how many were published.

        It takes as long as it takes; `stop` ends it early.

        Raises:
            SimulatorError: The severity is unknown, or no application lives.
        """
        check_severity(severity)
        # All of a flood is on one topic, so that it can be counted.
        applications = [known for known in self._surroundings.applications.living() if known.name != OLDER_STREAM]
        if not applications:
            raise SimulatorError("No application lives")
        return Flood(self._voice.speak, self._has_room, self._stopping).run(applications, count, rate_hz, severity)

    def publish_raw(self, topic: str, value: bytes) -> None:
        """Publish any bytes to a topic."""
        self._publisher.publish(topic, value)

    def reset(self) -> None:
        """Forget all faults and boot every session anew, with new processes.

        Raises:
            SimulatorError: A root controller did not come up in time.
        """
        self._faults.clear()
        self._surroundings.announcer.mute(muted=False)
        if self._kafka is not None:
            self._kafka.stall(stalled=False)
        self._table.forget()
        self._surroundings.registry.forget_everything()
        self._boot(self._layouts)

    @property
    def running(self) -> Sequence[SessionLayout]:
        """Sessions with processes: those of the start, and those that run control started."""
        alive = {process.session for process in self._table.everything()}
        return tuple(layout for layout in self._layouts if layout.name in alive)

    def boot_session(self, name: str, configuration: str) -> None:
        """Boot another session, of G3.

        Raises:
            SimulatorError: The configuration is unknown, or the root controller did not come up in time.
        """
        layout = read_session(f"{name}:{configuration}", {name: Generation.G3})
        self._layouts = [known for known in self._layouts if known.name != name] + [layout]
        self._boot([layout])

    def end_session(self, name: str) -> None:
        """End all processes of a session and forget it."""
        self._layouts = [layout for layout in self._layouts if layout.name != name]
        self._table.kill([process for process in self._table.everything() if process.session == name])

    def _site(self) -> dict[str, SiteServer]:
        generation = self._manager_generation
        if generation is Generation.G1:
            return {}
        servers = {SESSION_MANAGER: session_manager(self, generation)}
        return servers | ({RUN_CONTROL_NAME: run_control(self)} if generation is Generation.G3 else {})

    def _boot(self, layouts: Sequence[SessionLayout]) -> None:
        """Send the boot requests that the shells would send, and wait for the root controllers."""
        with grpc.insecure_channel(self._process_manager_address) as channel:
            boot = g3_boot if self._manager_generation is Generation.G3 else g1_boot
            for layout in layouts:
                for planned in layout.processes():
                    boot(channel, boot_request(layout, planned, self._kafka_address), g1.owner_of(OPERATOR))
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        for layout in layouts:
            controller = self._controller(layout.name, layout.root.controller)
            if not controller.ready.wait(max(0.0, deadline - time.monotonic())):
                raise SimulatorError(f"The root controller of {layout.name} did not come up")

    def _known(self, session: str) -> SessionLayout | None:
        """Return the layout of a session by its name; one that was not booted at start is G1."""
        booted = next((layout for layout in self._layouts if layout.name == session), None)
        return booted or layout_of(session)

    def _layout(self, session: str) -> SessionLayout:
        layout = self._known(session)
        if layout is None:
            known = dict.fromkeys((*self.sessions, *LAYOUTS))
            raise SimulatorError(f"Unknown session {session!r}; known are {', '.join(known)}")
        return layout

    def _manager_dialect(self, broadcaster: Broadcaster) -> ProcessManagerDialect:
        match self._manager_generation:
            case Generation.G1:
                return EnvelopeDialect(self._table, broadcaster, OPERATOR)
            case Generation.G2:
                return EnvelopeDialect(self._table, broadcaster, OPERATOR, MANAGER_LOG, self._manager_monitor)
            case Generation.G3:
                return G3ProcessManagerDialect(self._table, broadcaster, OPERATOR, MANAGER_LOG, self._manager_monitor)

    def _take_control(self, channel: grpc.Channel, generation: Generation, owner: g1.Owner) -> None:
        if generation is Generation.G1:
            request = g1.request(g1.token_message(owner))
            g1.Stub(channel, g1.CONTROLLER).call("take_control", request, CALL_TIMEOUT_S)
        else:
            self._dialects[generation].ask(channel, Order("take_control", owner), CALL_TIMEOUT_S)

    def _process(self, session: str, name: str) -> LiveProcess:
        process = self._table.find(session, name)
        if process is None:
            raise SimulatorError(f"{session} has no process {name!r}")
        return process

    def _controller(self, session: str, name: str) -> ControllerProgram:
        program = self._process(session, name).program
        if not isinstance(program, ControllerProgram):
            raise SimulatorError(f"{name} is not a controller")
        return program

    def _serving(self, session: str, name: str) -> Controller | TreeController:
        controller = self._controller(session, name).controller
        if controller is None:
            raise SimulatorError(f"{name} of {session} does not serve")
        return controller

    def _include(self, session: str, name: str, *, included: bool) -> None:
        layout = self._layout(session)
        path = layout.root.path_to(name)
        if path is None:
            raise SimulatorError(f"{session} has no node {name!r}")
        asked = name if layout.generation is Generation.G1 else layout.root.controller
        try:
            self._serving(session, asked).include_as_holder(path, included=included)
        except g1.DruncError as error:
            raise SimulatorError(str(error)) from error

    def _measure_drunc(self) -> None:
        """Let the controllers and the process manager measure themselves; those of G1 do not."""
        processes = self._table.everything()
        for process in processes:
            if isinstance(process.program, ControllerProgram):
                process.program.measure()
        if self._manager_generation is not Generation.G1:
            running = sum(process.status is ProcessStatus.RUNNING for process in processes)
            sessions = len({process.session for process in processes})
            self._manager_monitor.publish(process_status(running, len(processes) - running, sessions))

    def _has_room(self, timeout_s: float) -> bool:
        """Tell whether a flood may go on: it leaves half of the queue to everybody else."""
        return self._kafka is None or self._kafka.has_room(CAPACITY // 2, timeout_s)


def _each_in_a_thread(table: ProcessTable) -> None:
    """Stop the table aside, so that a hanging server cannot hold up the end for ever."""
    thread = threading.Thread(target=table.stop, name="simulator-stop", daemon=True)
    thread.start()
    thread.join(1.5)
