"""The example sessions: trees, boot order, tree ids, and what their processes look like (contract 9.6, 18)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from simulator import g1
from simulator.generation import Generation
from wire import WireMessage

CONFIGURATION_FILE = "config/daqsystemtest/example-configs.data.xml"
CONFIGURATION = f"oksconflibs:{CONFIGURATION_FILE}"
OPERATOR = "dunedaq"
HOST = "localhost"
_RELEASE = "/cvmfs/dunedaq.opensciencegrid.org/spack/releases/fddaq-v5.1.0-a9"
_DIRECTORY = f"/home/{OPERATOR}/run"
# What the process manager says of its own log from G2 on.
MANAGER_LOG = f"{_DIRECTORY}/log_{OPERATOR}_process_manager.log"


# The one application of every session that still has the older way of ERS to Kafka: JSON, one record an issue.
OLDER_STREAM = "tp-stream-writer"


class Role(StrEnum):
    """What a process of a session does."""

    CONTROLLER = "controller"
    APPLICATION = "application"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Segment:
    """A controller, its applications and the segments below it."""

    controller: str
    applications: tuple[str, ...] = ()
    segments: tuple["Segment", ...] = ()

    @property
    def children(self) -> tuple[str, ...]:
        """Names of the direct children: controllers first, then applications, as they boot."""
        return tuple(segment.controller for segment in self.segments) + self.applications

    def path_to(self, name: str) -> str | None:
        """Return the path of a node from this controller on, None where it is not below it (contract 11)."""
        if self.controller == name:
            return name
        if name in self.applications:
            return f"{self.controller}/{name}"
        below = (segment.path_to(name) for segment in self.segments)
        return next((f"{self.controller}/{path}" for path in below if path is not None), None)


@dataclass(frozen=True, slots=True)
class PlannedProcess:
    """One process of a session; ``segment`` is set for controllers."""

    name: str
    role: Role
    tree_id: str
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class SessionLayout:
    """A session as its configuration describes it.

    Attributes:
        name: Name of the session.
        root: Segment of the root controller.
        infrastructure: Processes that serve the others.
        configuration: Configuration id; empty where it equals the name, as always in G1.
        generation: Generation of its controllers.
    """

    name: str
    root: Segment
    infrastructure: tuple[str, ...] = ()
    configuration: str = ""
    generation: Generation = Generation.G1

    @property
    def configuration_id(self) -> str:
        """Configuration that the session is booted from."""
        return self.configuration or self.name

    def processes(self) -> tuple[PlannedProcess, ...]:
        """Return the processes in boot order (contract 1, end)."""
        if self.generation is Generation.G1:
            return (*self._infrastructure(), *self._tree())
        return (*self._numbered_infrastructure(), *_branch(self.root, "0"))

    def planned(self, name: str) -> PlannedProcess | None:
        """Return one process by name."""
        return next((planned for planned in self.processes() if planned.name == name), None)

    def _infrastructure(self) -> Iterator[PlannedProcess]:
        for number, name in enumerate(self.infrastructure, start=1):
            yield PlannedProcess(name, Role.INFRASTRUCTURE, f"1.0.{number}")

    def _tree(self) -> Iterator[PlannedProcess]:
        yield PlannedProcess(self.root.controller, Role.CONTROLLER, "1.0.0", self.root)
        for n, segment in enumerate(self.root.segments, start=1):
            yield PlannedProcess(segment.controller, Role.CONTROLLER, f"1.{n}.0", segment)
            for m, application in enumerate(segment.applications, start=1):
                yield PlannedProcess(application, Role.APPLICATION, f"1.{n}.{m}")

    def _numbered_infrastructure(self) -> Iterator[PlannedProcess]:
        """G2 and G3 count on after the root (contract 9.6)."""
        for number, name in enumerate(self.infrastructure, start=1):
            yield PlannedProcess(name, Role.INFRASTRUCTURE, str(number))


def _branch(segment: Segment, tree_id: str) -> Iterator[PlannedProcess]:
    """Number a segment as G2 and G3 do: by the path of indices; segments and applications both begin at 0."""
    yield PlannedProcess(segment.controller, Role.CONTROLLER, tree_id, segment)
    for number, below in enumerate(segment.segments):
        yield from _branch(below, f"{tree_id}.{number}")
    for number, application in enumerate(segment.applications):
        yield PlannedProcess(application, Role.APPLICATION, f"{tree_id}.{number}")


_HSI_DTS = Segment("hsi-dts-controller", ("hsi-dts-01", "hsi-dts-to-tc-app", "dts-hsi-ctrl"))


def _root(readout: int, dataflow: int, *additional: Segment) -> Segment:
    return Segment(
        "root-controller",
        segments=(
            Segment("ru-controller", tuple(f"ru-{n:02}" for n in range(1, readout + 1))),
            Segment(
                "df-controller",
                ("tp-stream-writer", "dfo-01", *(f"df-{n:02}" for n in range(1, dataflow + 1))),
            ),
            Segment("trg-controller", ("tc-maker-1", "mlt")),
            *additional,
            Segment("hsi-fake-controller", ("hsi-fake-01", "hsi-fake-to-tc-app")),
        ),
    )


_LOCAL = ("local-connection-server",)

LAYOUTS = {
    layout.name: layout
    for layout in (
        SessionLayout("local-1x1-config", _root(1, 1), _LOCAL),
        SessionLayout("local-2x3-config", _root(2, 3), _LOCAL),
        SessionLayout("ehn1-local-1x1-config", _root(1, 1)),
        SessionLayout("ehn1-local-2x3-config", _root(2, 3)),
        SessionLayout("test-hsi-session", _root(1, 1, _HSI_DTS), _LOCAL),
        # About what a detector at EHN1 has.
        SessionLayout("ehn1-like-config", _root(40, 60)),
    )
}


_GENERATED = re.compile(r"generated-([1-9]\d{0,3})")
MOST_APPLICATIONS = 2_000
_APPLICATIONS_PER_SEGMENT = 50


def layout_of(configuration: str) -> SessionLayout | None:
    """Return the session of a configuration id, None if it is unknown.

    ``generated-<n>`` is a session of ``n`` applications, at most 2 000, under as many segments as they need.
    """
    match = _GENERATED.fullmatch(configuration)
    if match is None:
        return LAYOUTS.get(configuration)
    count = int(match.group(1))
    return None if count > MOST_APPLICATIONS else SessionLayout(configuration, _generated(count), _LOCAL)


def _generated(count: int) -> Segment:
    names = [f"app-{number:04}" for number in range(1, count + 1)]
    cuts = range(0, count, _APPLICATIONS_PER_SEGMENT)
    segments = (
        Segment(f"segment-{number:02}-controller", tuple(names[cut : cut + _APPLICATIONS_PER_SEGMENT]))
        for number, cut in enumerate(cuts, start=1)
    )
    return Segment("root-controller", segments=tuple(segments))


def boot_request(layout: SessionLayout, planned: PlannedProcess, kafka_address: str | None) -> WireMessage:
    """Return the ``BootRequest`` that the shell would send for a process (contract 18.2)."""
    session = layout.name
    suffix = "log" if layout.generation is Generation.G1 else "txt"
    return g1.make(
        "BootRequest",
        process_description=g1.make(
            "ProcessDescription",
            metadata=g1.make(
                "ProcessMetadata", user=OPERATOR, session=session, name=planned.name, tree_id=planned.tree_id
            ),
            env=_environment(layout, planned.name, kafka_address),
            executable_and_arguments=[
                {"exec": "source", "args": [f"{_RELEASE}/daq_app_rte.sh"]},
                _program(layout, planned),
            ],
            process_execution_directory=_DIRECTORY,
            process_logs_path=f"{_DIRECTORY}/log_{OPERATOR}_{session}_{planned.name}.{suffix}",
        ),
        process_restriction=g1.make("ProcessRestriction", allowed_hosts=[HOST]),
    )


def _environment(layout: SessionLayout, name: str, kafka_address: str | None) -> dict[str, str]:
    library = "erskafka" if name == OLDER_STREAM else "protobufstream"
    stream = "" if kafka_address is None else f",{library}({kafka_address})"
    severities = {
        f"DUNEDAQ_ERS_{severity}": f"erstrace,throttle,lstdout{stream}"
        for severity in ("INFO", "WARNING", "ERROR", "FATAL")
    }
    host = {"DRUNC_HOST_NAME": HOST} if layout.generation is Generation.G3 else {}
    libraries = {"DUNEDAQ_ERS_STREAM_LIBS": library} if name == OLDER_STREAM else {}
    return (severities | host | libraries) | {
        "DUNEDAQ_SESSION": layout.name,
        "DUNEDAQ_APPLICATION_NAME": name,
        "DUNEDAQ_DB_PATH": f"{_RELEASE}/share",
        "DUNE_DAQ_BASE_RELEASE": "fddaq-v5.1.0-a9",
        "SPACK_RELEASES_DIR": "/cvmfs/dunedaq.opensciencegrid.org/spack/releases",
        "DUNEDAQ_ERS_VERBOSITY_LEVEL": "1",
    }


def _program(layout: SessionLayout, planned: PlannedProcess) -> dict[str, object]:
    session = layout.name
    if layout.generation is not Generation.G1 and planned.role is not Role.INFRASTRUCTURE:
        return _named_program(layout, planned)
    if planned.role is Role.CONTROLLER:
        args = ["-l", "INFO", CONFIGURATION, "grpc://localhost:0", planned.name, session]
        return {"exec": "drunc-controller", "args": args}
    if planned.role is Role.APPLICATION:
        args = ["-s", session, "--name", planned.name, "-c", "rest://localhost:0"]
        return {"exec": "daq_application", "args": [*args, "--configurationService", CONFIGURATION]}
    gunicorn = "gunicorn -b 0.0.0.0:5000 --workers=1 --worker-class=gthread --threads=2 connection-service:app"
    return {"exec": "echo", "args": [f"Starting {planned.name}", ";", gunicorn]}


def _named_program(layout: SessionLayout, planned: PlannedProcess) -> dict[str, object]:
    """G2 and G3 tell session name and configuration id apart."""
    controller = planned.role is Role.CONTROLLER
    args = ["-s", layout.name, "-k", layout.configuration_id, "-n", planned.name]
    args += ["-c", "grpc://localhost:0" if controller else "rest://localhost:0", "-d", CONFIGURATION]
    if controller:
        return {"exec": "drunc-controller", "args": [*args, "-l", "INFO"]}
    return {"exec": "daq_application", "args": args}
