"""A whole drunc installation in one process, each part in the generation it is told (contract 1, 18, 21.2)."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from simulator.application import REPLY_TIMEOUT_S, Work
from simulator.broadcast import Broadcaster
from simulator.chatter import Chatter
from simulator.checks import check_generations, read_generation, read_session
from simulator.connectivity import Announcer, Registry
from simulator.connectivity_server import ConnectivityServer
from simulator.faults import Faults
from simulator.flags import ProcessStatus
from simulator.g2 import G2Dialect
from simulator.g3 import G3Dialect
from simulator.g3_process_manager import G3ProcessManagerDialect
from simulator.generation import Generation
from simulator.interventions import Interventions, Parts
from simulator.launches import Launches
from simulator.layouts import MANAGER_LOG, OPERATOR
from simulator.opmon import Monitor, layout_of_entries, process_status
from simulator.process_manager import NAME as PROCESS_MANAGER_NAME
from simulator.process_manager import EnvelopeDialect, ProcessManager, ProcessManagerDialect
from simulator.processes import KILL_TIMEOUT_S, ProcessTable
from simulator.programs import ControllerProgram
from simulator.publisher import KafkaPublisher, Publisher, SilentPublisher
from simulator.replies import Dialect
from simulator.session_book import SessionBook
from simulator.sessions import ROOT_CONTROLLER, NodeReport, Sessions
from simulator.site import NAME as SESSION_MANAGER
from simulator.site import RUN_CONTROL_NAME, SiteServer, run_control, session_manager
from simulator.surroundings import Surroundings
from simulator.telemetry import Telemetry
from simulator.traffic import Traffic
from simulator.voice import Voice
from wire import G2Layout

DEFAULT_SESSIONS = ("local-1x1-config", "local-2x3-config")
NO_GENERATIONS: Mapping[str, str] = MappingProxyType({})


class Installation(Interventions):
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
        layouts = [read_session(session, generations) for session in sessions]
        check_generations(layouts, generations)
        self._manager_generation = read_generation(process_manager_generation)
        book, faults, registry = SessionBook(layouts), Faults(), Registry(clock)
        kafka = None if kafka_address is None or publisher is not None else KafkaPublisher(kafka_address)
        speaker = publisher or kafka or SilentPublisher()
        voice = Voice(speaker, book.known)
        surroundings = Surroundings(
            registry=registry,
            announcer=Announcer(registry),
            work=Work(faults, time_scale, reply_timeout_s),
            publisher=speaker,
            kafka_address=kafka_address,
            report=voice.report,
            complain=voice.complain,
            traffic=Traffic(),
        )
        dialects: Mapping[Generation, Dialect] = {
            Generation.G2: G2Dialect(g2_layout),
            Generation.G3: G3Dialect(faulty_refusals=faulty_refusals),
        }
        broadcaster = Broadcaster(speaker, kafka_address, OPERATOR, PROCESS_MANAGER_NAME, lambda: faults.kafka_is_down)
        launches = Launches(surroundings, dialects, book.known, time_scale)
        table = ProcessTable(launches.launch, broadcaster, faults, KILL_TIMEOUT_S * time_scale)
        entries = layout_of_entries(self._manager_generation)
        self._manager_monitor = Monitor(speaker, entries, OPERATOR, PROCESS_MANAGER_NAME)
        process_manager = ProcessManager(
            _manager_dialect(self._manager_generation, table, broadcaster, self._manager_monitor),
            broadcaster,
            [surroundings.traffic.counter(PROCESS_MANAGER_NAME)],
        )
        running = Sessions(book, table, process_manager, self._manager_generation, kafka_address)
        super().__init__(Parts(book, running, table, process_manager, faults, voice, surroundings, dialects, kafka))
        self._connectivity = ConnectivityServer(registry)
        self._site_servers = _site_servers(running, self._manager_generation)
        self._site_addresses: dict[str, str] = {}
        living = surroundings.applications.living
        # Not for secrets: it only makes up what applications say and measure.
        talk, noise = random.Random(seed), random.Random(seed)  # noqa: S311
        self._chatter = Chatter(chatter_hz, living, voice.speak, talk)
        self._telemetry = Telemetry(opmon_period_s, living, voice.measured, self._measure_drunc, noise)

    @property
    def traffic(self) -> Traffic:
        """Counts of the requests that controllers and process manager got."""
        return self._parts.surroundings.traffic

    @property
    def process_manager_address(self) -> str:
        """``host:port`` of the process manager; empty before ``start``."""
        return self._parts.process_manager.address

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
        return self._parts.surroundings.kafka_address

    @property
    def generations(self) -> Mapping[str, str]:
        """Generation of every session that was booted, by its name."""
        return self._parts.book.generations

    @property
    def process_manager_generation(self) -> str:
        """Generation of the process manager."""
        return self._manager_generation.value

    @property
    def sessions(self) -> tuple[str, ...]:
        """Names of the sessions that were booted."""
        return self._parts.book.names

    def controller_address(self, session: str, name: str = ROOT_CONTROLLER) -> str:
        """Return ``host:port`` of a controller.

        Raises:
            SimulatorError: There is no such controller.
        """
        return self._parts.sessions.controller(session, name).address

    def node(self, session: str, name: str = ROOT_CONTROLLER) -> NodeReport | None:
        """Return the state of a controller, None while there is none that serves."""
        return self._parts.sessions.node(session, name)

    def processes(self, session: str) -> Mapping[str, bool]:
        """Return the processes of a session by name, and whether each of them runs."""
        return self._parts.sessions.processes(session)

    def start(self) -> None:
        """Start all servers, boot the sessions, wait until they are ready.

        Raises:
            SimulatorError: A root controller did not come up in time.
        """
        parts = self._parts
        if parts.kafka is not None:
            parts.kafka.start()
        self._connectivity.start()
        parts.surroundings.announcer.start()
        parts.process_manager.serve()
        parts.sessions.boot(parts.book.layouts)
        self._site_addresses = {name: server.serve() for name, server in self._site_servers.items()}
        if self.session_manager_address is not None:
            uri = f"grpc://{self.session_manager_address}"
            parts.surroundings.announcer.announce(SESSION_MANAGER, SESSION_MANAGER, uri)
        self._chatter.start()
        self._telemetry.start()

    def stop(self) -> None:
        """End everything; takes less than two seconds."""
        parts = self._parts
        parts.stopping.set()
        self._telemetry.stop()
        self._chatter.stop()
        for server in self._site_servers.values():
            server.stop()
        parts.process_manager.stop()
        _each_in_a_thread(parts.table)
        parts.surroundings.announcer.stop()
        self._connectivity.stop()
        if parts.kafka is not None:
            parts.kafka.stop(timeout_s=0.5)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until the brokers have everything that was published; False when they have not in time."""
        kafka = self._parts.kafka
        return kafka is None or kafka.flush(timeout_s)

    def reset(self) -> None:
        """Forget all faults and boot every session anew, with new processes.

        Raises:
            SimulatorError: A root controller did not come up in time.
        """
        parts = self._parts
        parts.faults.clear()
        parts.surroundings.announcer.mute(muted=False)
        if parts.kafka is not None:
            parts.kafka.stall(stalled=False)
        parts.table.forget()
        parts.surroundings.registry.forget_everything()
        parts.sessions.boot(parts.book.layouts)

    def _measure_drunc(self) -> None:
        """Let the controllers and the process manager measure themselves; those of G1 do not."""
        processes = self._parts.table.everything()
        for process in processes:
            if isinstance(process.program, ControllerProgram):
                process.program.measure()
        if self._manager_generation is not Generation.G1:
            running = sum(process.status is ProcessStatus.RUNNING for process in processes)
            sessions = len({process.session for process in processes})
            self._manager_monitor.publish(process_status(running, len(processes) - running, sessions))


def _manager_dialect(
    generation: Generation, table: ProcessTable, broadcaster: Broadcaster, monitor: Monitor
) -> ProcessManagerDialect:
    match generation:
        case Generation.G1:
            return EnvelopeDialect(table, broadcaster, OPERATOR)
        case Generation.G2:
            return EnvelopeDialect(table, broadcaster, OPERATOR, MANAGER_LOG, monitor)
        case Generation.G3:
            return G3ProcessManagerDialect(table, broadcaster, OPERATOR, MANAGER_LOG, monitor)


def _site_servers(sessions: Sessions, generation: Generation) -> dict[str, SiteServer]:
    if generation is Generation.G1:
        return {}
    servers = {SESSION_MANAGER: session_manager(sessions, generation)}
    return servers | ({RUN_CONTROL_NAME: run_control(sessions)} if generation is Generation.G3 else {})


def _each_in_a_thread(table: ProcessTable) -> None:
    """Stop the table aside, so that a hanging server cannot hold up the end for ever."""
    thread = threading.Thread(target=table.stop, name="simulator-stop", daemon=True)
    thread.start()
    thread.join(1.5)
