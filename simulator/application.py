"""A simulated DAQ application: the leaf of the tree that does, or fails to do, the work."""

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from simulator.faults import Faults, usual_duration_s
from simulator.g1 import DruncError
from simulator.process_log import ProcessLog

# A controller waits so long for an application's reply (contract 17).
REPLY_TIMEOUT_S = 150.0


class UnreachableError(DruncError):
    """The application does not answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An application's reply to a command (contract 17)."""

    success: bool
    result: str
    appname: str

    def as_json(self) -> str:
        """Return the JSON text that travels to the client."""
        return json.dumps({"success": self.success, "result": self.result, "appname": self.appname, "data": {}})


@dataclass(frozen=True, slots=True)
class Work:
    """How applications work.

    Attributes:
        faults: Failures and delays ordered.
        time_scale: How long things take: 1 is natural, 0 is at once.
        reply_timeout_s: How long a controller waits for a reply.
    """

    faults: Faults
    time_scale: float
    reply_timeout_s: float = REPLY_TIMEOUT_S


class Application:
    """One incarnation of a DAQ application; it lives until its process ends, and never again."""

    def __init__(
        self, session: str, name: str, work: Work, log: ProcessLog, report: Callable[[str, str], None]
    ) -> None:
        """Live; ``report`` takes severity and text of an ERS issue."""
        self.session = session
        self.name = name
        self._work = work
        self.log = log
        self._report = report
        self._ended = threading.Event()
        self.running = False
        self.run: int | None = None
        self.trigger_rate_hz = 0.0

    @property
    def alive(self) -> bool:
        """Whether its TCP port would answer."""
        return not self._ended.is_set()

    @property
    def reachable(self) -> bool:
        """Whether its TCP port answers: it lives and was not ordered to be silent."""
        return self.alive and not self._work.faults.silent(self.session, self.name)

    def end(self) -> None:
        """Die; a command under way gets no reply."""
        self._ended.set()

    def execute(self, transition: str, data: str) -> Reply:
        """Make a transition and reply; takes its time.

        Raises:
            UnreachableError: The application is dead, dies meanwhile, or takes longer than the parent waits.
        """
        ordered_s = self._work.faults.delay_s(self.session, transition)
        duration_s = ordered_s or usual_duration_s(transition, self.name, self._work.time_scale)
        self.log.write(f"Command {transition} received with {data or '{}'}")
        timeout_s = self._work.reply_timeout_s
        if self._work.faults.silent(self.session, self.name):
            duration_s = math.inf
        if self._ended.wait(min(duration_s, timeout_s)):
            raise UnreachableError(f"Connection to {self.name} refused")
        if duration_s > timeout_s:
            raise UnreachableError(f"No response from {self.name} within {timeout_s:g} s")
        return self._finish(transition, data)

    def _finish(self, transition: str, data: str) -> Reply:
        if self._work.faults.take_failure(self.session, transition, self.name):
            text = f"Command {transition} failed in {self.name}"
            self._report("ERROR", text)
            return Reply(success=False, result=text, appname=self.name)
        self.running = self.running_after(transition)
        self._note_run(transition, data)
        self._report("INFO", f"{self.name} executed {transition}")
        return Reply(success=True, result=f"{transition} OK", appname=self.name)

    def _note_run(self, transition: str, data: str) -> None:
        """Remember run number and trigger rate as the root controller's actions tell them (contract 13)."""
        known = json.loads(data or "{}")
        self.trigger_rate_hz = float(known.get("trigger_rate", self.trigger_rate_hz))
        if transition == "start":
            self.run = known.get("run")
        elif transition == "stop":
            self.run = None

    def running_after(self, transition: str) -> bool:
        """Tell whether data flow after a transition."""
        flowing = {"enable_triggers": True, "disable_triggers": False, "stop": False, "scrap": False}
        return flowing.get(transition, self.running)
