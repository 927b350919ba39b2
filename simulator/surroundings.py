"""What the simulated processes of an installation share."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.application import Application, Work
from simulator.connectivity import Announcer, Registry
from simulator.publisher import Publisher
from simulator.traffic import Traffic


class ApplicationBook:
    """Applications by the address that they publish: a controller's way from a found address to its child."""

    def __init__(self) -> None:
        """Start empty."""
        self._applications: dict[str, Application] = {}
        self._lock = threading.Lock()

    def add(self, uri: str, application: Application) -> None:
        """An application listens at ``uri``."""
        with self._lock:
            self._applications[uri] = application

    def remove(self, uri: str) -> None:
        """Nobody listens at ``uri`` any more."""
        with self._lock:
            self._applications.pop(uri, None)

    def find(self, uri: str) -> Application | None:
        """Return who listens at ``uri``."""
        with self._lock:
            return self._applications.get(uri)

    def living(self) -> list[Application]:
        """Return all applications that live."""
        with self._lock:
            return [application for application in self._applications.values() if application.alive]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Shared by all processes of an installation.

    Attributes:
        registry: What the connectivity service knows.
        announcer: Keeps the addresses of living nodes in it.
        work: Faults ordered and the time scale.
        publisher: Way to Kafka.
        kafka_address: Brokers, as ``describe`` tells them; None without Kafka.
        report: Publishes an ERS issue: application, severity, text.
        complain: Publishes the ERS issue of a controller: session, controller, text.
        traffic: Counts requests.
        applications: Living applications by address.
    """

    registry: Registry
    announcer: Announcer
    work: Work
    publisher: Publisher
    kafka_address: str | None
    report: Callable[[Application, str, str], None]
    complain: Callable[[str, str, str], None]
    traffic: Traffic
    applications: ApplicationBook = field(default_factory=ApplicationBook)
