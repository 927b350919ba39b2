"""A simulated installation in which something happens all the time, far more than in any shift."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count

import requests

from benchmarks.simulated import Simulated
from models.database import Database
from services.accounts.types import Identity, Role
from services.alarms.queries import AlarmQueries
from services.alarms.service import AlarmService
from services.audit.trail import AuditTrail
from services.clock import utc_now
from services.errors import ConsoleError
from services.run_control.commands import CommandLimits, CommandService

_STOP_S = 60.0
# Something else may stand against a command: the one before, or a state that is not yet known.
_PATIENCE_S = 5.0
_LOOK_S = 0.05
_FIRST_RUN = 31_000
# One run, from nothing to nothing.
_RUN = (
    "conf",
    "start",
    "enable_triggers",
    "disable_triggers",
    "drain_dataflow",
    "stop_trigger_sources",
    "stop",
    "scrap",
)

Deed = Callable[[], object]


class BusySite:
    """Runs, faults, alarms and their answers, one after another, in a thread of its own."""

    def __init__(self, drunc: Simulated, database: Database, pause_s: float, poll_interval_s: float) -> None:
        """Prepare; ``pause_s`` seconds pass from deed to deed."""
        audit = AuditTrail(database, utc_now)
        limits = CommandLimits.for_polling(poll_interval_s)
        self._commands = CommandService(database, audit, utc_now, limits, lambda: None)
        self._alarms = AlarmQueries(database, utc_now)
        self._answers = AlarmService(database, audit, utc_now)
        self._alice = Identity("alice", Role.OPERATOR)
        self._drunc = drunc
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="busy-site", daemon=True)
        self.done = 0
        self.refused = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the deed that is under way."""
        self._stopping.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        for deed in self._deeds():
            try:
                deed()
                self.done += 1
            except (ConsoleError, requests.HTTPError):
                # What went wrong before stands against it; the next round begins anew.
                self.refused += 1
            if self._stopping.wait(self._pause_s):
                return

    def _deeds(self) -> Iterator[Deed]:
        """Yield a run of one session after another, with faults in between, without end."""
        for number in count(_FIRST_RUN):
            session = self._drunc.sessions[number % len(self._drunc.sessions)]
            yield self._taking_control(session)
            for transition in _RUN:
                yield self._executing(session, transition, {"run_number": str(number)} if transition == "start" else {})
                yield from self._faults(session)
            yield self._ordering("kill", session=session, name="df-01", exit_code=137)
            yield self._acknowledge
            yield self._ordering("reset")

    def _faults(self, session: str) -> Iterator[Deed]:
        """Yield what comes and goes within a moment."""
        for severity in ("ERROR", "FATAL"):
            yield self._ordering("issue", session=session, node="mlt", severity=severity, text=f"{severity} of a soak")
        for order in ("exclude", "include"):
            yield self._ordering(order, session=session, name="trg-controller")
        yield self._acknowledge

    def _ordering(self, name: str, /, **arguments: object) -> Deed:
        return lambda: self._drunc.order(name, **arguments)

    def _taking_control(self, session: str) -> Deed:
        return lambda: self._submitted(lambda: self._commands.take_control(self._alice, session))

    def _executing(self, session: str, transition: str, arguments: Mapping[str, str]) -> Deed:
        return lambda: self._submitted(
            lambda: self._commands.execute_transition(self._alice, session, transition, arguments)
        )

    def _submitted(self, submit: Deed) -> None:
        """Submit a command as soon as nothing stands against it any more.

        Raises:
            ConsoleError: Something still does.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                submit()
            except ConsoleError:
                if time.monotonic() > deadline or self._stopping.wait(_LOOK_S):
                    raise
            else:
                return

    def _acknowledge(self) -> None:
        waiting = [alarm.id for alarm in self._alarms.open() if alarm.calls]
        if waiting:
            self._answers.acknowledge(self._alice, waiting)
