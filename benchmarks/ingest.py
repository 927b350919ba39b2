"""How fast a backlog is stored, with all indexes, search and roll-ups, beside a plain implementation in the same run.

The way measured is from the bytes of records to committed rows: decode, dimensions, rows, search index, roll-ups,
offsets. Taking records from Kafka is not in it, for either. On a machine that does other things too, the time of the
processor says more than the rates; it leaves out what PostgreSQL's server uses.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import islice

from benchmarks.databases import NO_TRIGRAMS, chosen, fresh_database, fresh_url
from benchmarks.figures import Figures
from benchmarks.pipeline import Pipeline
from benchmarks.plain import PlainConsumer
from benchmarks.records import records
from services.messages.backlog import BATCH_RECORDS, FETCH_RECORDS
from services.messages.types import Record

# performance.md of the project's plan; a table of ten million rows may be half as fast.
TARGETS = {"sqlite": 20_000, "postgresql": 5_000, NO_TRIGRAMS: 15_000}
MANY_ROWS = 10_000_000
# The last tenth shows what a full table costs.
PARTS = 10
# The plain way needs no more to show how it slows down, and an hour for ten million.
PLAIN_MOST = 1_000_000


def main() -> int:
    """Run the benchmark; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="messages to store")
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    figures = Figures()
    for engine in chosen(given.engine):
        _measure(figures, engine, given.size)
        if engine != NO_TRIGRAMS:
            _measure_plain(figures, engine, min(given.size, PLAIN_MOST))
    return figures.exit_code()


def _measure(figures: Figures, engine: str, size: int) -> None:
    with fresh_database(engine) as database:
        pipeline = Pipeline(database)
        rates: list[float] = []
        used_s = 0.0
        for taken in _tenths(size, FETCH_RECORDS):
            used_s -= time.process_time()
            rates.append(sum(map(len, taken)) / sum(map(pipeline.drain, taken)))
            used_s += time.process_time()
    target = TARGETS[engine]
    figures.at_least(f"{engine}_drain_first_tenth", rates[0], "msg/s", target)
    figures.at_least(f"{engine}_drain_last_tenth", rates[-1], "msg/s", target / 2 if size >= MANY_ROWS else target)
    figures.note(f"{engine}_drain_slowest_tenth", min(rates), "msg/s")
    figures.note(f"{engine}_drain_own_processor", used_s / size * 1e6, "us/msg")


def _measure_plain(figures: Figures, engine: str, size: int) -> None:
    """Measure the plain way in tenths too, so that its last one shows what a full table costs."""
    with fresh_url(engine) as url:
        plain = PlainConsumer(url)
        rates: list[float] = []
        used_s = 0.0
        for taken in _tenths(size, BATCH_RECORDS):
            started, started_used = time.perf_counter(), time.process_time()
            plain.store(taken, time.time_ns())
            used_s += time.process_time() - started_used
            rates.append(sum(map(len, taken)) / (time.perf_counter() - started))
        plain.close()
    figures.note(f"{engine}_plain_first_tenth", rates[0], "msg/s")
    figures.note(f"{engine}_plain_last_tenth", rates[-1], "msg/s")
    figures.note(f"{engine}_plain_own_processor", used_s / size * 1e6, "us/msg")


def _tenths(size: int, at_once: int) -> Iterator[list[list[Record]]]:
    """Give the records in tenths, each as lists of so many as are taken from Kafka at once."""
    backlog = records(size, time.time_ns() // 1_000_000, batch=at_once)
    lists = -(-size // at_once)
    for part in range(PARTS):
        if taken := list(islice(backlog, lists * (part + 1) // PARTS - lists * part // PARTS)):
            yield taken


if __name__ == "__main__":
    sys.exit(main())
