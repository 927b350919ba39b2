"""Plays scenarios, one at a time."""

import logging
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.checks import SimulatorError
from simulator.installation import Installation
from simulator.orders import BadOrderError
from simulator.scenario import Condition, Scenario, ScenarioError, Step

log = logging.getLogger(__name__)

MOST_SPEED = 1_000.0
_LOOK_PERIOD_S = 0.1


class Outcome(StrEnum):
    """How far a scenario is."""

    PLAYING = "playing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a scenario is.

    Attributes:
        title: Its title.
        steps: How many steps it has.
        step: At which it is, from 1.
        doing: What that step says, waits for or does.
        outcome: Whether it goes on; a failure says why in ``doing``.
    """

    title: str
    steps: int
    step: int
    doing: str
    outcome: Outcome


class Player:
    """Plays one scenario at a time, in a thread."""

    def __init__(self, installation: Installation, speed: float = 1.0) -> None:
        """Give orders to ``installation``; waiting times are divided by ``speed``."""
        self._installation = installation
        self._speed = speed
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress: Progress | None = None

    @property
    def progress(self) -> Progress | None:
        """Where the scenario is that plays or played last; None before the first."""
        return self._progress

    def play(self, scenario: Scenario, session: str = "", speed: float | None = None) -> None:
        """Begin to play.

        Args:
            scenario: The scenario.
            session: Session to play in; that of the scenario, or the first one, when empty.
            speed: By how much waiting times are shorter; that of the player when None.

        Raises:
            SimulatorError: Another one plays, or the session is unknown.
        """
        chosen = session or scenario.session or self._installation.sessions[0]
        if chosen not in self._installation.sessions:
            raise SimulatorError(f"There is no session {chosen!r}; there are {', '.join(self._installation.sessions)}")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise SimulatorError("A scenario plays already")
            self._stopping.clear()
            self._progress = Progress(scenario.title, len(scenario.steps), 0, "begins", Outcome.PLAYING)
            self._thread = threading.Thread(
                target=self.run, args=(scenario, chosen, speed or self._speed), name="simulator-player", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the scenario that plays, if any; what it ordered stays."""
        self._stopping.set()
        with self._lock:
            if self._thread is not None:
                self._thread.join()

    def run(self, scenario: Scenario, session: str, speed: float) -> None:
        """Play a scenario to its end."""
        self._progress = Progress(scenario.title, len(scenario.steps), 0, "begins", Outcome.PLAYING)
        for number, step in enumerate(scenario.steps, start=1):
            try:
                self._take(step, number, session, speed)
            except (SimulatorError, BadOrderError, ScenarioError) as error:
                log.warning("scenario failed title=%r step=%d error=%s", scenario.title, number, error)
                self._tell(number, f"line {step.line}: {error}", Outcome.FAILED)
                return
            if self._stopping.is_set():
                self._tell(number, "was told to stop", Outcome.STOPPED)
                return
        self._tell(len(scenario.steps), "came to its end", Outcome.DONE)

    def _take(self, step: Step, number: int, session: str, speed: float) -> None:
        if step.condition is not None:
            self._tell(number, step.say or f"waits for {step.condition}")
            self._wait_for(step.condition, step.patience_s, session)
        if step.after_s:
            self._tell(number, step.say or f"waits {step.after_s / speed:g} s")
            self._stopping.wait(step.after_s / speed)
        if step.order is not None and not self._stopping.is_set():
            self._tell(number, step.say or step.order.does)
            log.info("scenario orders order=%s session=%s", step.order.name, session)
            step.order.carry_out(self._installation, **step.arguments_in(session))

    def _wait_for(self, condition: Condition, patience_s: float, session: str) -> None:
        deadline = time.monotonic() + patience_s
        while not self._holds(condition, session):
            if self._stopping.wait(_LOOK_PERIOD_S):
                return
            if time.monotonic() > deadline:
                raise ScenarioError(f"waited {patience_s:g} s in vain for {condition}")

    def _holds(self, condition: Condition, session: str) -> bool:
        found = self._installation.node(session, condition.node)
        if found is None:
            return False
        return condition.state in (None, found.state) and condition.in_error in (None, found.in_error)

    def _tell(self, step: int, doing: str, outcome: Outcome = Outcome.PLAYING) -> None:
        if self._progress is not None:
            self._progress = replace(self._progress, step=step, doing=doing, outcome=outcome)
