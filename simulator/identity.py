"""Who a controller of G2 or G3 is, and how it makes itself heard."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.broadcast import Broadcaster
from simulator.opmon import Monitor


@dataclass(frozen=True, slots=True)
class Voices:
    """How a controller makes itself heard on Kafka.

    Attributes:
        broadcaster: Sends its broadcasts.
        monitor: Publishes what it measures.
        complain: Tells in words, as an ERS issue, that it is in error; only G3 does.
    """

    broadcaster: Broadcaster
    monitor: Monitor
    complain: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a controller is: its name, its session, and the configuration that the session was booted from."""

    name: str
    session: str
    configuration_file: str
    configuration_id: str
