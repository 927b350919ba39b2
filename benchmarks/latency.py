"""How long it takes from publishing a record until a query of the feed shows it, under a steady load.

Broker and collector are programs of their own, as in a deployment; here is who publishes and who asks. A few of the
records are probes: what is new of their sender is asked for, as an open feed with a filter does, again and again, and
each is timed by itself. What a browser adds (the heartbeat, the network) is not in it.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from statistics import quantiles

from confluent_kafka import Producer

from benchmarks.databases import chosen, fresh_url, prepared
from benchmarks.figures import Figures
from services.clock import utc_now
from services.messages.queries import MessageQueries
from services.messages.types import MessageFilter
from tests.crash.load import Fate, Load, broadcast, mark, number_in
from tests.crash.programs import CollectorProgram
from tests.kafka import running_broker
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, and the longest that 95 of 100 probes may take, ms (performance.md of the project's plan).

    Who sends so many sends them in batches: of each partition what came within ``linger_ms``.
    """

    per_s: int
    linger_ms: int
    target_ms: float


RATES = (Rate(1_000, 5, 100.0), Rate(10_000, 30, 200.0))
NEW_TOPIC_TARGET_MS = 1_000.0
NEW_TOPICS = 10

WARM_UP_S = 5.0
TICK_S = 0.01
# A probe in so many ticks.
PROBE_TICKS = 2
# In what is measured, as much of it as a probe waits for the next question.
ASK_PAUSE_S = 0.01
# What has not come by then never does.
PATIENCE_S = 60.0
# So many different records are published again and again.
DIFFERENT = 4_000

SESSION = "np04-day"
PROBE = "latency-probe"
PROBE_TOPIC = f"control.{SESSION}.{PROBE}"


def main() -> int:
    """Run the benchmark; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load is measured")
    given = parser.parse_args()
    figures = Figures()
    for engine in chosen(given.engine):
        with _stage(engine) as stage:
            stage.probes(RATES[0].linger_ms).time_one(PROBE_TOPIC)
            for rate in RATES:
                name = f"{engine}_{rate.per_s}_per_s"
                probes = stage.probes(rate.linger_ms)
                published_per_s = _load(probes, rate.per_s, given.seconds)
                figures.note(f"{name}_published", published_per_s, "msg/s")
                figures.at_most(f"{name}_never_seen", probes.await_all(), "probes", 0)
                _tell(figures, name, probes.taken_s, rate.target_ms)
            probes = stage.probes(RATES[0].linger_ms)
            slowest_s = max(probes.time_one(f"control.{SESSION}.later-{number}") for number in range(NEW_TOPICS))
            figures.at_most(f"{engine}_new_topic_slowest", slowest_s * 1_000, "ms", NEW_TOPIC_TARGET_MS)
    return figures.exit_code()


def _load(probes: "Probes", rate: int, seconds: float) -> float:
    """Ask for probes under a steady load; return the rate that it really had, records a second."""
    load = SteadyLoad(probes, rate)
    load.start()
    probes.ask_for(WARM_UP_S)
    probes.forget()
    probes.ask_for(seconds)
    return load.stop()


def _tell(figures: Figures, name: str, taken_s: list[float], target_ms: float) -> None:
    shares_ms = [share * 1_000 for share in quantiles(taken_s, n=100)]
    figures.note(f"{name}_probes", len(taken_s), "probes")
    figures.note(f"{name}_p50", shares_ms[49], "ms")
    figures.at_most(f"{name}_p95", shares_ms[94], "ms", target_ms)
    figures.note(f"{name}_p99", shares_ms[98], "ms")


class Probes:
    """Records that are timed, each by itself. One thread sends, another asks."""

    def __init__(self, producer: Producer, queries: MessageQueries) -> None:
        """Have sent none; what came before is of no interest."""
        self.producer = producer
        self._queries = queries
        self._wanted = MessageFilter(applications=frozenset({PROBE}))
        self._numbers = count()
        self._sent: dict[int, float] = {}
        self._reached = queries.newest_id()
        self.taken_s: list[float] = []

    def send(self, topic: str = PROBE_TOPIC) -> None:
        """Publish one."""
        number = next(self._numbers)
        value = broadcast("STATUS_UPDATE", SESSION, PROBE, f"sent as {mark(number)}")
        self._sent[number] = time.monotonic()
        self.producer.produce(topic, value, partition=0)

    def ask(self) -> int:
        """Take what can be seen now; return how many are still to come."""
        news = self._queries.news(self._wanted, self._reached, limit=500, known=self._reached)
        now = time.monotonic()
        self._reached = news.reached
        for item in news.items:
            sent = self._sent.pop(number_in(item.text) or 0, None)
            # None: it was given up before.
            if sent is not None:
                self.taken_s.append(now - sent)
        return len(self._sent)

    def ask_for(self, seconds: float) -> None:
        """Ask again and again for some time."""
        end = time.monotonic() + seconds
        pause = threading.Event()
        while time.monotonic() < end:
            self.ask()
            pause.wait(ASK_PAUSE_S)

    def await_all(self) -> int:
        """Ask until all that were sent have come, or nothing comes any more; return how many have not."""
        with suppress(AssertionError):
            wait_until(lambda: self.ask() == 0, PATIENCE_S, "all probes")
        lost = len(self._sent)
        self._sent.clear()
        return lost

    def forget(self) -> None:
        """Begin to count anew; what is on its way counts."""
        self.taken_s = []

    def time_one(self, topic: str) -> float:
        """Publish one to a topic and return how long it takes, seconds; the topic may be new."""
        self.forget()
        self.send(topic)
        self.producer.flush(PATIENCE_S)
        wait_until(lambda: self.ask() == 0, PATIENCE_S, f"a probe of {topic}")
        return self.taken_s[-1]


class SteadyLoad:
    """Publishes records at an even rate in a thread, probes among them."""

    def __init__(self, probes: Probes, rate: int) -> None:
        """Prepare ``rate`` records a second."""
        self._producer = probes.producer
        self._probes = probes
        self._rate = rate
        self._records = cycle(_records())
        self._published = 0
        self._began = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steady-load", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> float:
        """End; return how many records were published a second."""
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        took_s = time.monotonic() - self._began
        self._producer.flush(PATIENCE_S)
        return self._published / took_s

    def _run(self) -> None:
        for tick in count(1):
            # From the beginning, so that a late tick does not make all later ones late.
            if self._stopping.wait(max(self._began + tick * TICK_S - time.monotonic(), 0)):
                return
            due = int(tick * TICK_S * self._rate) - self._published
            for topic, partition, value in islice(self._records, due):
                self._producer.produce(topic, value, partition=partition)
            self._published += due
            if tick % PROBE_TICKS == 0:
                self._probes.send()
            self._producer.poll(0)


def _records() -> list[tuple[str, int, bytes]]:
    load = Load(time.time_ns())
    planned = (load.planned(number) for number in count())
    messages = (one for one in planned if one.fate == Fate.MESSAGE)
    return [(one.topic, one.partition, one.value) for one in islice(messages, DIFFERENT)]


@dataclass(frozen=True, slots=True)
class _Stage:
    """A broker and what a collector has stored of it."""

    address: str
    queries: MessageQueries

    def probes(self, linger_ms: int) -> Probes:
        producer = Producer({"bootstrap.servers": self.address, "linger.ms": linger_ms, "log_level": 2})
        return Probes(producer, self.queries)


@contextmanager
def _stage(engine: str) -> Iterator[_Stage]:
    """Give a broker and a database, with a collector between them."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="console-latency-")))
        url = stack.enter_context(fresh_url(engine))
        broker = stack.enter_context(running_broker(directory))
        database = prepared(url, engine)
        stack.callback(database.close)
        collector = CollectorProgram(url, broker.address, directory / "collector.log")
        stack.callback(collector.discard)
        collector.start()
        wait_until(collector.is_reading, PATIENCE_S, "the collector")
        yield _Stage(broker.address, MessageQueries(database, utc_now))


if __name__ == "__main__":
    sys.exit(main())
