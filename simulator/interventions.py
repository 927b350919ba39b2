"""What a trainer can do to a running installation: let things fail, die, vanish, be slow or be said (contract 21.2)."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc

from simulator import g1
from simulator.checks import SimulatorError, check_severity, check_transition
from simulator.faults import Death, Faults
from simulator.flags import ProcessStatus
from simulator.flood import Flood
from simulator.generation import Generation
from simulator.issues import Issue
from simulator.layouts import OLDER_STREAM, Role
from simulator.process_manager import ProcessManager
from simulator.processes import ProcessTable
from simulator.publisher import CAPACITY, KafkaPublisher
from simulator.replies import Dialect, Order
from simulator.session_book import SessionBook
from simulator.sessions import ROOT_CONTROLLER, Sessions
from simulator.surroundings import Surroundings
from simulator.voice import Voice

CALL_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What an installation is made of.

    Attributes:
        book: Sessions by name.
        sessions: Sessions as they run.
        table: Processes.
        process_manager: Its server.
        faults: What was ordered to go wrong.
        voice: What applications and controllers say.
        surroundings: What all processes share.
        dialects: How controllers from G2 on are spoken to.
        kafka: The way to the brokers; None without, or with another publisher.
        stopping: Set when the installation ends.
    """

    book: SessionBook
    sessions: Sessions
    table: ProcessTable
    process_manager: ProcessManager
    faults: Faults
    voice: Voice
    surroundings: Surroundings
    dialects: Mapping[Generation, Dialect]
    kafka: KafkaPublisher | None
    stopping: threading.Event = field(default_factory=threading.Event)


class Interventions:
    """Orders to an installation; what of it they concern must be there."""

    def __init__(self, parts: Parts) -> None:
        """Act on these parts."""
        self._parts = parts

    def kill(self, session: str, name: str, exit_code: int = 255) -> None:
        """Let a process die by itself: ``ps`` shows it dead with the exit code.

        Raises:
            SimulatorError: There is no such process, or it is dead already.
        """
        process = self._parts.sessions.process(session, name)
        if process.status is ProcessStatus.DEAD:
            raise SimulatorError(f"{name} of {session} is dead already")
        self._parts.table.end(process, exit_code)
        witness = next(
            (known for known in self._parts.surroundings.applications.living() if known.session == session), None
        )
        if witness is not None:
            self._parts.voice.miss(witness, name, exit_code)

    def die_after_boot(self, session: str, name: str, seconds: float, exit_code: int = 255) -> None:
        """Let a process die by itself so long after it is booted or restarted the next time.

        The session need not run: its configuration may be known only.

        Raises:
            SimulatorError: Session or process is unknown, or the time is negative.
        """
        if self._parts.book.layout(session).planned(name) is None:
            raise SimulatorError(f"{session} has no process {name!r}")
        if seconds < 0:
            raise SimulatorError("Nothing dies before it is booted")
        self._parts.faults.die(session, name, Death(seconds, exit_code))

    def write_log(self, session: str, name: str, lines: Iterable[str]) -> None:
        """Let a process write lines into its log.

        Raises:
            SimulatorError: There is no such process.
        """
        log = self._parts.sessions.process(session, name).log
        for line in lines:
            log.write(line)

    def controller_down(self, session: str, name: str) -> None:
        """Let a controller answer no more although its process runs on.

        Raises:
            SimulatorError: There is no such controller.
        """
        self._parts.sessions.controller(session, name).stop(orderly=False)

    def fail(self, session: str, transition: str, node: str) -> None:
        """Let the next such transition fail in an application.

        Raises:
            SimulatorError: Session, transition or application is unknown.
        """
        check_transition(transition)
        planned = self._parts.book.layout(session).planned(node)
        if planned is None or planned.role is not Role.APPLICATION:
            raise SimulatorError(f"{session} has no application {node!r}")
        self._parts.faults.fail(session, transition, node)

    def silence(self, session: str, node: str) -> None:
        """Let an application answer nothing any more although its process runs, until `reset`.

        Raises:
            SimulatorError: Session or application is unknown.
        """
        planned = self._parts.book.layout(session).planned(node)
        if planned is None or planned.role is not Role.APPLICATION:
            raise SimulatorError(f"{session} has no application {node!r}")
        self._parts.faults.silence(session, node)

    def wedge(self, session: str, name: str = ROOT_CONTROLLER) -> None:
        """Leave a controller in the middle of a transition, as a failed action does (contract 10.5, step 3).

        Raises:
            SimulatorError: There is no such controller.
        """
        self._parts.sessions.serving(session, name).wedge()

    def to_error(self, session: str, name: str) -> None:
        """Put a controller in error.

        Raises:
            SimulatorError: There is no such controller.
        """
        self._parts.sessions.serving(session, name).to_error()

    def exclude(self, session: str, name: str) -> None:
        """Exclude a node and what is below it, as whoever holds control would; in G1 a controller only.

        Raises:
            SimulatorError: There is no such node, or it is excluded already.
        """
        self._include(session, name, included=False)

    def include(self, session: str, name: str) -> None:
        """Include a node and what is below it again; see `exclude`."""
        self._include(session, name, included=True)

    def raise_issue(self, session: str, node: str, severity: str, text: str) -> None:
        """Let an application raise one ERS issue.

        Raises:
            SimulatorError: There is no such application, or it does not live.
        """
        check_severity(severity)
        living = self._parts.surroundings.applications.living()
        application = next((known for known in living if (known.session, known.name) == (session, node)), None)
        if application is None:
            raise SimulatorError(f"{session} has no living application {node!r}")
        self._parts.voice.speak(
            application, Issue(severity, "simulator::Scenario", text, package="simulator", function="play")
        )

    def restart_process_manager(self) -> None:
        """Let the process manager end, with all that it started, and start again at its address, knowing nothing."""
        self._parts.process_manager.stop()
        self._parts.table.forget()
        port = int(self._parts.process_manager.address.rpartition(":")[2])
        self._parts.process_manager.serve(port)

    def empty_connectivity(self, *, emptied: bool = True) -> None:
        """Let the connectivity service forget everything and hear nothing any more, or let it hear again."""
        self._parts.surroundings.announcer.mute(muted=emptied)

    def stall_kafka(self, *, stalled: bool) -> None:
        """Let nothing reach the brokers, or let it flow again.

        Raises:
            SimulatorError: The installation has no Kafka.
        """
        if self._parts.kafka is None:
            raise SimulatorError("The installation has no Kafka")
        self._parts.kafka.stall(stalled=stalled)

    def kafka_down(self, *, down: bool = True) -> None:
        """Let nothing reach the brokers and the process manager fail in every call, as drunc's does, or end it.

        Raises:
            SimulatorError: The installation has no Kafka.
        """
        if self._parts.surroundings.kafka_address is None:
            raise SimulatorError("The installation has no Kafka")
        self._parts.faults.cut_kafka(down=down)
        if self._parts.kafka is not None:
            self._parts.kafka.stall(stalled=down)

    def slow(self, session: str, transition: str, seconds: float) -> None:
        """Let such transitions take ``seconds`` in every application until further notice; 0 ends it.

        Raises:
            SimulatorError: Session or transition is unknown.
        """
        check_transition(transition)
        self._parts.faults.slow(self._parts.book.layout(session).name, transition, seconds)

    def steal(self, session: str, user: str) -> None:
        """Let somebody else take control of a session, as a shell would.

        Raises:
            SimulatorError: The session has no root controller, or it does not answer.
        """
        layout = self._parts.book.layout(session)
        address = self._parts.sessions.controller(session, layout.root.controller).address
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
        applications = [known for known in self._parts.surroundings.applications.living() if known.name != OLDER_STREAM]
        if not applications:
            raise SimulatorError("No application lives")
        return Flood(self._parts.voice.speak, self._has_room, self._parts.stopping).run(
            applications, count, rate_hz, severity
        )

    def publish_raw(self, topic: str, value: bytes) -> None:
        """Publish any bytes to a topic."""
        self._parts.surroundings.publisher.publish(topic, value)

    def _take_control(self, channel: grpc.Channel, generation: Generation, owner: g1.Owner) -> None:
        if generation is Generation.G1:
            request = g1.request(g1.token_message(owner))
            g1.Stub(channel, g1.CONTROLLER).call("take_control", request, CALL_TIMEOUT_S)
        else:
            self._parts.dialects[generation].ask(channel, Order("take_control", owner), CALL_TIMEOUT_S)

    def _include(self, session: str, name: str, *, included: bool) -> None:
        layout = self._parts.book.layout(session)
        path = layout.root.path_to(name)
        if path is None:
            raise SimulatorError(f"{session} has no node {name!r}")
        asked = name if layout.generation is Generation.G1 else layout.root.controller
        try:
            self._parts.sessions.serving(session, asked).include_as_holder(path, included=included)
        except g1.DruncError as error:
            raise SimulatorError(str(error)) from error

    def _has_room(self, timeout_s: float) -> bool:
        """Tell whether a flood may go on: it leaves half of the queue to everybody else."""
        return self._parts.kafka is None or self._parts.kafka.has_room(CAPACITY // 2, timeout_s)
