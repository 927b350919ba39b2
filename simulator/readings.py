"""What DAQ applications measure, made up so that it fits what happens to them.

The names are in the style of the DAQ's packages; only those of drunc itself are exact (contract 16.4).
"""

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.application import Application
from simulator.opmon import Measurement, ValueKind

LINKS = 2
FRAME_RATE_KHZ = 166.0
DEFAULT_TRIGGER_RATE_HZ = 1.0
RECORD_MB = 4.0
# Of the electronics, in degrees Celsius: at rest, and so much more at work.
REST_C = 34.0
WORK_C = 14.0
# Which part of the way to its goal a temperature goes at one reading.
_INERTIA = 0.25
_DEEPEST_QUEUE = 1_000
_LEAST_TRIGGER_RATE_HZ = 0.1


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How the rest of a session is: names of those applications that lived once and do not answer any more."""

    missing: frozenset[str] = frozenset()

    def misses(self, prefix: str) -> int:
        """Return how many applications of a family are missing."""
        return sum(name.startswith(prefix) for name in self.missing)


class Instruments:
    """The instruments of one application; readings follow each other ``period_s`` apart."""

    def __init__(self, application: Application, period_s: float, rng: random.Random) -> None:
        """Read ``application``."""
        self._application = application
        self._period_s = period_s
        self._rng = rng
        # Each crate is a little warmer or colder than the next, always the same.
        self._offset_c = zlib.crc32(application.name.encode()) % 60 / 10 - 3
        self._temperature_c = REST_C + self._offset_c
        self._records = 0
        self._queue = 0
        self._run: int | None = None

    def read(self, around: Neighbourhood) -> list[Measurement]:
        """Return what the application measures now."""
        if self._application.run != self._run:
            self._run, self._records = self._application.run, 0
        reader = next((known for prefix, known in _FAMILIES if self._application.name.startswith(prefix)), _trigger)
        return [self._board(), *reader(self, around)]

    @property
    def flows(self) -> bool:
        """Whether data flow."""
        return self._application.running

    @property
    def trigger_rate_hz(self) -> float:
        """Rate of triggers asked for; 0 while nothing flows."""
        wanted = self._application.trigger_rate_hz or DEFAULT_TRIGGER_RATE_HZ
        return max(wanted, _LEAST_TRIGGER_RATE_HZ) if self.flows else 0.0

    def around(self, value: float, spread: float = 0.03) -> float:
        """Return a value near another one, ``spread`` of it away at most times."""
        return max(0.0, self._rng.gauss(value, value * spread))

    def records(self, rate_hz: float) -> int:
        """Count what came since the last reading; return how many came in this run."""
        self._records += round(self.around(rate_hz * self._period_s))
        return self._records

    def queue(self, growth: int) -> int:
        """Let a queue grow while something is missing, and run empty while nothing is; return its depth."""
        self._queue = min(_DEEPEST_QUEUE, self._queue + growth) if growth and self.flows else self._queue // 2
        return self._queue + (self._rng.randint(0, 4) if self.flows else 0)

    def _board(self) -> Measurement:
        goal_c = REST_C + self._offset_c + (WORK_C if self.flows else 0.0)
        self._temperature_c += (goal_c - self._temperature_c) * _INERTIA + self._rng.gauss(0, 0.1)
        load = self.around(62.0 if self.flows else 4.0, 0.1)
        return Measurement(
            "dunedaq.hwmodel.opmon.BoardInfo",
            {
                "temperature_c": (ValueKind.FLOAT, round(self._temperature_c, 2)),
                "cpu_percent": (ValueKind.FLOAT, round(min(load, 100.0), 1)),
                "memory_mb": (ValueKind.UINT4, round(self.around(5_400.0 if self.flows else 900.0))),
            },
        )


def _readout(instruments: Instruments, _around: Neighbourhood) -> Iterator[Measurement]:
    for link in range(LINKS):
        rate = instruments.around(FRAME_RATE_KHZ, 0.005) if instruments.flows else 0.0
        yield Measurement(
            "dunedaq.datahandlinglibs.opmon.DataHandlerInfo",
            {
                "rate_payloads_consumed": (ValueKind.DOUBLE, round(rate, 3)),
                "num_buffer_elements": (ValueKind.UINT8, round(instruments.around(120_000.0)) * instruments.flows),
                "num_late_requests": (ValueKind.UINT8, instruments.queue(0)),
            },
            element=(f"datahandler-{link}",),
        )


def _dataflow(instruments: Instruments, around: Neighbourhood) -> Iterator[Measurement]:
    missing = around.misses("ru-") + around.misses("df-")
    rate_hz = instruments.trigger_rate_hz
    yield Measurement(
        "dunedaq.dfmodules.opmon.TRBuilderInfo",
        {
            "pending_trigger_records": (ValueKind.UINT4, instruments.queue(3 * missing)),
            "incomplete_trigger_records": (ValueKind.UINT4, round(rate_hz * around.misses("ru-"))),
            "received_trigger_decisions": (ValueKind.UINT8, instruments.records(rate_hz)),
        },
        element=("trb",),
    )
    yield Measurement(
        "dunedaq.dfmodules.opmon.DataWriterInfo",
        {"writing_rate_mb_s": (ValueKind.DOUBLE, round(instruments.around(rate_hz * RECORD_MB), 3))},
        element=("datawriter",),
    )


def _orchestrator(instruments: Instruments, around: Neighbourhood) -> Iterator[Measurement]:
    lost = around.misses("df-")
    yield Measurement(
        "dunedaq.dfmodules.opmon.DFOInfo",
        {
            "tokens_received": (ValueKind.UINT8, instruments.records(instruments.trigger_rate_hz)),
            "outstanding_decisions": (ValueKind.UINT4, instruments.queue(5 * lost)),
            "is_busy": (ValueKind.BOOLEAN, bool(lost)),
        },
    )


def _trigger(instruments: Instruments, around: Neighbourhood) -> Iterator[Measurement]:
    rate_hz = instruments.trigger_rate_hz
    inhibited = min(1.0, 0.25 * len(around.missing))
    yield Measurement(
        "dunedaq.trigger.opmon.ModuleLevelTriggerInfo",
        {
            "td_made_rate_hz": (ValueKind.DOUBLE, round(instruments.around(rate_hz), 3)),
            "td_inhibited_rate_hz": (ValueKind.DOUBLE, round(instruments.around(rate_hz * inhibited), 3)),
            "td_sent_count": (ValueKind.UINT8, instruments.records(rate_hz * (1 - inhibited))),
        },
    )


_Reader = Callable[[Instruments, Neighbourhood], Iterator[Measurement]]
_FAMILIES: tuple[tuple[str, _Reader], ...] = (
    ("ru-", _readout),
    ("dfo-", _orchestrator),
    ("df-", _dataflow),
    ("tp-", _dataflow),
)
