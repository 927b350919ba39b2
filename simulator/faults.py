"""What is to go wrong next, and how long things take."""

import threading
import zlib
from dataclasses import dataclass

# How long the applications of one transition work at time scale 1, in seconds; conf and start take longest.
DURATIONS_S = {
    "conf": 1.5,
    "start": 1.2,
    "enable_triggers": 0.4,
    "disable_triggers": 0.4,
    "drain_dataflow": 0.9,
    "stop_trigger_sources": 0.7,
    "stop": 0.8,
    "scrap": 0.5,
    "change_rate": 0.3,
}


@dataclass(frozen=True, slots=True)
class Death:
    """That a process dies ``after_s`` seconds after it was booted, and its exit code."""

    after_s: float
    exit_code: int


class Faults:
    """Failures, delays and deaths that were ordered."""

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._failures: set[tuple[str, str, str]] = set()
        self._delays_s: dict[tuple[str, str], float] = {}
        self._silent: set[tuple[str, str]] = set()
        self._deaths: dict[tuple[str, str], Death] = {}
        self._kafka_is_down = False

    def fail(self, session: str, transition: str, node: str) -> None:
        """Let the next such transition fail in an application."""
        with self._lock:
            self._failures.add((session, transition, node))

    def take_failure(self, session: str, transition: str, node: str) -> bool:
        """Tell whether this transition shall fail here; the order is used up by asking."""
        with self._lock:
            ordered = (session, transition, node)
            known = ordered in self._failures
            self._failures.discard(ordered)
            return known

    def slow(self, session: str, transition: str, seconds: float) -> None:
        """Let such transitions take ``seconds`` in every application from now on; 0 takes the order back."""
        with self._lock:
            self._delays_s[session, transition] = seconds

    def delay_s(self, session: str, transition: str) -> float:
        """Return the ordered duration of a transition, 0 if none."""
        with self._lock:
            return self._delays_s.get((session, transition), 0.0)

    def silence(self, session: str, node: str) -> None:
        """Let an application answer nothing from now on although it lives."""
        with self._lock:
            self._silent.add((session, node))

    def silent(self, session: str, node: str) -> bool:
        """Tell whether an application was ordered to be silent."""
        with self._lock:
            return (session, node) in self._silent

    def die(self, session: str, name: str, death: Death) -> None:
        """Let a process die soon after it is booted the next time."""
        with self._lock:
            self._deaths[session, name] = death

    def take_death(self, session: str, name: str) -> Death | None:
        """Return how a process that is booted shall die, if it shall; the order is used up by asking."""
        with self._lock:
            return self._deaths.pop((session, name), None)

    @property
    def kafka_is_down(self) -> bool:
        """Whether nobody reaches the brokers."""
        with self._lock:
            return self._kafka_is_down

    def cut_kafka(self, *, down: bool) -> None:
        """Let nobody reach the brokers, or let them be reached again."""
        with self._lock:
            self._kafka_is_down = down

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._silent.clear()
            self._deaths.clear()
            self._kafka_is_down = False
            self._failures.clear()
            self._delays_s.clear()


def usual_duration_s(transition: str, node: str, time_scale: float) -> float:
    """Return how long a node works on a transition: 60 to 100 % of the transition's time, always the same."""
    share = 0.6 + 0.4 * (zlib.crc32(node.encode()) % 1000) / 1000
    return DURATIONS_S.get(transition, 0.3) * share * time_scale
