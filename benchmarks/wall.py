"""Whether pages that nobody closes keep their memory: the wall display, and the feed while it follows.

A simulated installation, a broker, the console, and a Chromium for each of the two pages. First it is calm, and what
comes into the tabs then is normal operation. Then runs, faults and alarms follow each other without a pause above a
flood of messages, and the timers of both pages run faster. Garbage is collected before each look at what a tab holds;
after a warm-up the last looks are compared with the first ones.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.busy import BusySite
from benchmarks.figures import Figures
from benchmarks.simulated import Simulated, running_simulator
from benchmarks.tabs import Held, Seen, Tab
from models.database import Database
from tests.browser.person import WALL, WIDE, Person
from tests.console import Console, running_console
from tests.kafka import running_broker

# performance.md of the project's plan.
GROWTH_PERCENT = 20.0

SESSIONS = ("local-2x3-config", "local-1x1-config", "ehn1-local-1x1-config")
# Transitions are quick; of themselves applications say three things a second, as in an idle installation.
PACE = ("--speed", "10", "--chatter", "0.3", "--opmon", "5")
POLL_INTERVAL_S = 0.2
PERSON = "victor"
BEATS_PER_H = 3_600
LOOKS = 40
# Looks that are left out at the beginning, and those that are taken together at either end of the rest.
WARM_UP = 8
AN_END = 5
# Of complaints that differ.
MOST_TOLD = 5
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """The running house."""

    directory: Path
    console: Console
    drunc: Simulated
    database: Database


def main() -> int:
    """Run the soak; return 1 when a tab grew by more than the target, or complained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long it is busy")
    parser.add_argument("--calm", type=float, default=1.0, help="for how many minutes it is calm before")
    parser.add_argument("--faster", type=float, default=10.0, help="by how much the timers of the pages are faster")
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second of the flood")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds from one thing that happens to the next")
    given = parser.parse_args()
    figures = Figures()
    with (
        _running() as stage,
        Person(stage.console, stage.directory, WALL) as wall,
        Person(stage.console, stage.directory, WIDE) as reader,
    ):
        tabs = (
            Tab("wall", wall.log_in(PERSON).resize(WALL), "/?wall=1", ".wall-alarm"),
            Tab("feed", reader.log_in(PERSON), "/messages", "#messages-grid .ag-row"),
        )
        calm = _calm(tabs, given.calm * 60)
        stage.drunc.order("flood", count=int(given.rate * given.minutes * 60), rate_hz=given.rate)
        site = BusySite(stage.drunc, stage.database, given.pause, POLL_INTERVAL_S)
        site.start()
        try:
            looks = _busy(tabs, given.minutes * 60, given.faster)
        finally:
            site.stop()
        figures.note("happened", site.done, "times")
        figures.note("refused", site.refused, "times")
        for tab, before, held in zip(tabs, calm, looks, strict=True):
            _tell(figures, tab, before, held)
    return figures.exit_code()


@contextmanager
def _running() -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory(prefix="console-wall-") as name,
        running_broker(Path(name)) as broker,
        running_simulator(SESSIONS, "G1", options=("--kafka", broker.address, *PACE)) as drunc,
        running_console(
            Path(name) / "console",
            process_manager=drunc.addresses["process_manager"],
            connectivity=drunc.addresses["connectivity"],
            kafka=broker.address,
            CONSOLE_POLL_INTERVAL_S=str(POLL_INTERVAL_S),
        ) as console,
    ):
        database = Database(console.database_url)
        try:
            yield Stage(Path(name), console, drunc, database)
        finally:
            database.close()


def _calm(tabs: Sequence[Tab], seconds: float) -> list[Seen]:
    """Leave the pages open as they are; return what came into each in an hour at that pace."""
    for tab in tabs:
        tab.open()
    before, started = [tab.seen() for tab in tabs], time.monotonic()
    threading.Event().wait(seconds)
    hours = (time.monotonic() - started) / 3_600
    came = [tab.seen().since(first) for tab, first in zip(tabs, before, strict=True)]
    return [Seen(*(round(number / hours) for number in (one.beats, one.updates, one.drawings))) for one in came]


def _busy(tabs: Sequence[Tab], seconds: float, faster: float) -> list[list[Held]]:
    """Open the pages anew, and look at what each holds, again and again."""
    for tab in tabs:
        tab.open(faster)
    looks: list[list[Held]] = [[] for _ in tabs]
    started, pause = time.monotonic(), threading.Event()
    for number in range(1, LOOKS + 1):
        pause.wait(max(0.0, started + number * seconds / LOOKS - time.monotonic()))
        for tab, held in zip(tabs, looks, strict=True):
            held.append(tab.held())
    return looks


def _tell(figures: Figures, tab: Tab, calm: Seen, looks: Sequence[Held]) -> None:
    """Say what a tab has lived through, and by how much it grew meanwhile."""
    seen = tab.seen()
    figures.note(f"{tab.name}_beats", seen.beats, "beats")
    figures.note(f"{tab.name}_beats_equal", seen.beats / BEATS_PER_H, "h")
    for what, number, an_hour in (
        ("updates", seen.updates, calm.updates),
        ("drawings", seen.drawings, calm.drawings),
    ):
        figures.note(f"{tab.name}_{what}", number, what)
        figures.note(f"{tab.name}_{what}_when_calm", an_hour, f"{what}/h")
        if an_hour:
            figures.note(f"{tab.name}_{what}_equal", number / an_hour, "h")
    steady = looks[WARM_UP:]
    for what, unit, values in (
        ("heap", "MB", [held.heap / _MB for held in steady]),
        ("nodes", "nodes", [float(held.nodes) for held in steady]),
        ("listeners", "listeners", [float(held.listeners) for held in steady]),
    ):
        first, last = median(values[:AN_END]), median(values[-AN_END:])
        figures.note(f"{tab.name}_{what}_first", first, unit)
        figures.note(f"{tab.name}_{what}_last", last, unit)
        figures.at_most(f"{tab.name}_{what}_growth", (last / first - 1) * 100, "%", GROWTH_PERCENT)
    figures.at_most(f"{tab.name}_complaints", len(tab.complaints), "complaints", 0)
    for complaint in list(dict.fromkeys(tab.complaints))[:MOST_TOLD]:
        print(f"# {tab.name}: {complaint}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
