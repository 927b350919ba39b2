"""The example sessions: trees, boot order, tree ids, and what their processes look like (contract 9.6, 18)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from simulator import g1
from wire import WireMessage

CONFIGURATION = "oksconflibs:config/daqsystemtest/example-configs.data.xml"
OPERATOR = "dunedaq"
HOST = "localhost"
_RELEASE = "/cvmfs/dunedaq.opensciencegrid.org/spack/releases/fddaq-v5.1.0-a9"
_DIRECTORY = f"/home/{OPERATOR}/run"


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


@dataclass(frozen=True, slots=True)
class PlannedProcess:
    """One process of a session; ``segment`` is set for controllers."""

    name: str
    role: Role
    tree_id: str
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class SessionLayout:
    """A session as its configuration describes it; session name and configuration id are the same in G1."""

    name: str
    root: Segment
    infrastructure: tuple[str, ...] = ()

    def processes(self) -> tuple[PlannedProcess, ...]:
        """Return the processes in boot order (contract 1, end)."""
        return (*self._infrastructure(), *self._tree())

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
    )
}


def boot_request(session: str, planned: PlannedProcess, kafka_address: str | None) -> WireMessage:
    """Return the ``BootRequest`` that the shell would send for a process (contract 18.2)."""
    return g1.make(
        "BootRequest",
        process_description=g1.make(
            "ProcessDescription",
            metadata=g1.make(
                "ProcessMetadata", user=OPERATOR, session=session, name=planned.name, tree_id=planned.tree_id
            ),
            env=_environment(session, planned.name, kafka_address),
            executable_and_arguments=[
                {"exec": "source", "args": [f"{_RELEASE}/daq_app_rte.sh"]},
                _program(session, planned),
            ],
            process_execution_directory=_DIRECTORY,
            process_logs_path=f"{_DIRECTORY}/log_{OPERATOR}_{session}_{planned.name}.log",
        ),
        process_restriction=g1.make("ProcessRestriction", allowed_hosts=[HOST]),
    )


def _environment(session: str, name: str, kafka_address: str | None) -> dict[str, str]:
    stream = "" if kafka_address is None else f",protobufstream({kafka_address})"
    severities = {
        f"DUNEDAQ_ERS_{severity}": f"erstrace,throttle,lstdout{stream}"
        for severity in ("INFO", "WARNING", "ERROR", "FATAL")
    }
    return severities | {
        "DUNEDAQ_SESSION": session,
        "DUNEDAQ_APPLICATION_NAME": name,
        "DUNEDAQ_DB_PATH": f"{_RELEASE}/share",
        "DUNE_DAQ_BASE_RELEASE": "fddaq-v5.1.0-a9",
        "SPACK_RELEASES_DIR": "/cvmfs/dunedaq.opensciencegrid.org/spack/releases",
        "DUNEDAQ_ERS_VERBOSITY_LEVEL": "1",
    }


def _program(session: str, planned: PlannedProcess) -> dict[str, object]:
    if planned.role is Role.CONTROLLER:
        args = ["-l", "INFO", CONFIGURATION, "grpc://localhost:0", planned.name, session]
        return {"exec": "drunc-controller", "args": args}
    if planned.role is Role.APPLICATION:
        args = ["-s", session, "--name", planned.name, "-c", "rest://localhost:0"]
        return {"exec": "daq_application", "args": [*args, "--configurationService", CONFIGURATION]}
    gunicorn = "gunicorn -b 0.0.0.0:5000 --workers=1 --worker-class=gthread --threads=2 connection-service:app"
    return {"exec": "echo", "args": [f"Starting {planned.name}", ";", gunicorn]}
