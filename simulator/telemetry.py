"""The thread that lets everything measure itself, again and again."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from simulator.application import Application
from simulator.opmon import Measurement
from simulator.readings import Instruments, Neighbourhood

Publish = Callable[[Application, Measurement], None]


class Telemetry:
    """Reads all instruments every ``period_s`` seconds."""

    def __init__(
        self,
        period_s: float,
        applications: Callable[[], list[Application]],
        publish: Publish,
        others: Callable[[], None],
        rng: random.Random,
    ) -> None:
        """Let the living ``applications`` measure; at period 0 there is nothing to read.

        Args:
            period_s: Seconds between two readings.
            applications: Returns those that live.
            publish: Takes what one of them measured.
            others: Lets controllers and process manager measure, at each reading.
            rng: Makes up what is measured.
        """
        self._period_s = period_s
        self._applications = applications
        self._publish = publish
        self._others = others
        self._rng = rng
        self._instruments: dict[Application, Instruments] = {}
        self._known: defaultdict[str, set[str]] = defaultdict(set)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator-telemetry", daemon=True)

    def start(self) -> None:
        """Start reading."""
        if self._period_s > 0:
            self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def read_once(self) -> None:
        """Read everything once; an application that does not answer says nothing."""
        answering = [application for application in self._applications() if application.reachable]
        # A new incarnation has new instruments.
        self._instruments = {application: self._instruments_of(application) for application in answering}
        around = self._neighbourhoods(answering)
        for application, instruments in self._instruments.items():
            if self._stopping.is_set():
                return
            for measurement in instruments.read(around[application.session]):
                self._publish(application, measurement)
        self._others()

    def _instruments_of(self, application: Application) -> Instruments:
        return self._instruments.get(application) or Instruments(application, self._period_s, self._rng)

    def _neighbourhoods(self, answering: Iterable[Application]) -> dict[str, Neighbourhood]:
        answer: defaultdict[str, set[str]] = defaultdict(set)
        for application in answering:
            answer[application.session].add(application.name)
        for session, names in answer.items():
            self._known[session] |= names
        return {session: Neighbourhood(frozenset(self._known[session] - names)) for session, names in answer.items()}

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            self.read_once()
