"""The process manager's tables: what was ever booted, and what lives or died (contract 9.1 to 9.4)."""

import itertools
import socket
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.faults import Faults
from simulator.flags import BroadcastType, ProcessStatus
from simulator.g1 import BadQueryError, DruncError
from simulator.process_log import ProcessLog
from simulator.programs import Exit, Program
from simulator.queries import Query
from wire import WireMessage

# What is left of an ssh client that SIGKILL had to end.
KILLED = -9
KILL_TIMEOUT_S = 0.5

T = TypeVar("T")

Launch = Callable[[WireMessage, str, ProcessLog, Exit], Program]


@dataclass(eq=False)
class LiveProcess:
    """One incarnation of a process, running or dead; ``pid`` is the one on its host."""

    uuid: str
    request: WireMessage
    host: str
    log: ProcessLog = field(default_factory=ProcessLog)
    program: Program | None = None
    status: ProcessStatus = ProcessStatus.RUNNING
    return_code: int = 0
    pid: int = 0

    @property
    def name(self) -> str:
        """Name of the process."""
        return str(self.request.process_description.metadata.name)

    @property
    def session(self) -> str:
        """Session of the process."""
        return str(self.request.process_description.metadata.session)

    def instance(self) -> WireMessage:
        """Return the ``ProcessInstance``: the request with the host filled in (contract 9.3)."""
        instance = g1.make(
            "ProcessInstance",
            process_description=self.request.process_description,
            process_restriction=self.request.process_restriction,
            status_code=int(self.status),
            return_code=self.return_code,
            uuid=g1.make("ProcessUUID", uuid=self.uuid),
        )
        instance.process_description.metadata.hostname = self.host
        return instance


class ProcessTable:
    """All processes of the process manager, in boot order."""

    def __init__(self, launch: Launch, broadcaster: Broadcaster, faults: Faults, kill_timeout_s: float) -> None:
        """Start empty; ``launch`` makes the program of a boot request, ``faults`` knows who dies soon."""
        self._launch = launch
        self._faults = faults
        self._broadcaster = broadcaster
        self._kill_timeout_s = kill_timeout_s
        self._pids = itertools.count(20_001)
        self._lock = threading.RLock()
        self._requests: dict[str, WireMessage] = {}
        self._live: dict[str, LiveProcess] = {}
        self._stopping = threading.Event()

    def boot(self, request: WireMessage, known_uuid: str | None = None) -> LiveProcess:
        """Start a process on the first host allowed.

        Raises:
            DruncError: No host is allowed.
        """
        hosts = request.process_restriction.allowed_hosts
        if not hosts:
            raise DruncError("No allowed host provided! bailing")
        process = LiveProcess(known_uuid or str(uuid.uuid4()), request, hosts[0])
        user = request.process_description.metadata.user
        process.pid = next(self._pids)
        process.log.write(f"SSHPM: Starting process {process.pid} on host {socket.gethostname()} as user {user}")
        process.program = self._launch(request, process.host, process.log, lambda code: self.end(process, code))
        with self._lock:
            self._requests[process.uuid] = request
            self._live[process.uuid] = process
        process.program.start()
        self._doom(process)
        return process

    def _doom(self, process: LiveProcess) -> None:
        death = self._faults.take_death(process.session, process.name)
        if death is not None:
            timer = threading.Timer(death.after_s, self.end, (process, death.exit_code))
            timer.daemon = True
            timer.start()

    def select(self, query: Query) -> list[LiveProcess]:
        """Return the live entries, running or dead, that a query selects."""
        with self._lock:
            return [process for process in self._live.values() if _selected(query, process.uuid, process.request)]

    def everything(self) -> list[LiveProcess]:
        """Return all live entries."""
        with self._lock:
            return list(self._live.values())

    def find(self, session: str, name: str) -> LiveProcess | None:
        """Return the running process of a name in a session, or a dead one, or None."""
        named = [process for process in self.everything() if (process.session, process.name) == (session, name)]
        return min(named, key=lambda process: process.status, default=None)

    def end(self, process: LiveProcess, code: int, *, orderly: bool = False) -> None:
        """The process has ended, for whatever reason; it stays listed as dead."""
        with self._lock:
            if process.status is ProcessStatus.DEAD:
                return
            process.status = ProcessStatus.DEAD
            process.return_code = code
        if process.program is not None:
            process.program.stop(orderly=orderly)
        metadata = process.request.process_description.metadata
        self._broadcaster.send(
            BroadcastType.SUBPROCESS_STATUS_UPDATE,
            f"Process '{metadata.name}' (session: '{metadata.session}', user: '{metadata.user}') "
            f"process exited with exit code {code or None}",
        )

    def kill(self, processes: Iterable[LiveProcess]) -> list[LiveProcess]:
        """End processes one after the other, each after the kill time-out, and remove them from the live table."""
        killed = list(processes)
        for process in killed:
            if process.status is ProcessStatus.RUNNING:
                self._stopping.wait(self._kill_timeout_s)
                self.end(process, KILLED)
            self._remove(process)
        return killed

    def flush(self, query: Query) -> list[LiveProcess]:
        """Remove and return the dead ones that a query selects."""
        dead = [process for process in self.select(query) if process.status is ProcessStatus.DEAD]
        for process in dead:
            self._remove(process)
        return dead

    def restart(self, query: Query) -> LiveProcess:
        """Boot a process again under its UUID.

        Raises:
            BadQueryError: Not exactly one process ever booted matches.
            KeyError: The process was killed or flushed.
        """
        with self._lock:
            matching = [known for known, request in self._requests.items() if _selected(query, known, request)]
            process = self._live[only(matching)]
        if process.status is ProcessStatus.RUNNING:
            self._stopping.wait(self._kill_timeout_s)
            self.end(process, KILLED)
        return self.boot(process.request, process.uuid)

    def stop(self) -> None:
        """End everything at once, orderly; leaves first, so that no controller waits for a reply any more."""
        self._stopping.set()
        for process in reversed(self.everything()):
            self.end(process, KILLED, orderly=True)

    def forget(self) -> None:
        """End everything and forget that it was ever booted."""
        for process in self.everything():
            self.end(process, KILLED)
        with self._lock:
            self._live.clear()
            self._requests.clear()

    def _remove(self, process: LiveProcess) -> None:
        with self._lock:
            if self._live.get(process.uuid) is process:
                del self._live[process.uuid]


def only(matching: list[T]) -> T:
    """Return the single match.

    Raises:
        BadQueryError: There is none, or there are several (contract 9.4).
    """
    if not matching:
        raise BadQueryError("The process corresponding to the query doesn't exist")
    if len(matching) > 1:
        raise BadQueryError("There are more than 1 processes corresponding to the query")
    return matching[0]


def _selected(query: Query, known_uuid: str, request: WireMessage) -> bool:
    metadata = request.process_description.metadata
    return query.matches(known_uuid, metadata.name, metadata.user, metadata.session)
