"""What polling costs, and how soon it shows what happens and sends what is ordered, with thousands of applications.

A simulated drunc without Kafka runs in a process of its own, with two example sessions and one of so many applications.
First the poller alone, in this process: its time of the processor and the bytes of requests and answers (payload of
gRPC). Then the whole console as it is deployed, web and collector: RPCs at the simulator with one browser and with
many, commands from the row to the controller, and deaths until they are rows. The command rows are written by this
process, so nothing wakes the collector: the slowest way that a command can come.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import func, select

from benchmarks.databases import fresh_database, fresh_url
from benchmarks.figures import Figures
from benchmarks.simulated import Simulated, running_simulator
from models.database import Database
from models.run_control import DaqSession, Process
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from services.coordination import Leases
from services.errors import ConsoleError
from services.run_control.channels import Channels
from services.run_control.commands import CommandLimits, CommandService
from services.run_control.config import RunControlConfig
from services.run_control.detection import DetectingAdapters
from services.run_control.endpoints import Endpoints
from services.run_control.poller import Poller
from services.run_control.process_types import ProcessStatus
from services.run_control.store import RunControlStore
from services.run_control.support import Deadlines
from tests.console import Console, running_console
from tests.waiting import wait_until

EXAMPLES = ("local-1x1-config", "local-2x3-config")
# Often enough for the figures, and seldom enough not to be what is measured.
_LOOK_S = 0.02
_PATIENCE_S = 60.0
# What a death may take beyond one interval, and a command from its row to the controller.
DEATH_SLACK_S = 0.3
CLICK_S = 0.2


def main() -> int:
    """Run the benchmark; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=2_000, help="of the largest of the three sessions")
    parser.add_argument("--generation", choices=("G1", "G2", "G3"), default="G3")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from poll to poll")
    parser.add_argument("--polls", type=int, default=30, help="polls to measure")
    parser.add_argument("--repeats", type=int, default=30, help="deaths, and commands, to measure")
    parser.add_argument("--window", type=float, default=30.0, help="seconds to count RPCs for")
    parser.add_argument("--browsers", type=int, default=50)
    given = parser.parse_args()
    figures = Figures()
    with running_simulator(EXAMPLES, given.generation, given.applications) as drunc:
        _measure_polls(figures, drunc, given.engine, given.interval, given.polls)
        with _running(drunc, given.engine, given.interval) as (console, database):
            measure_requests(figures, drunc, console, given.interval, window_s=given.window, browsers=given.browsers)
            _measure_clicks(figures, drunc, database, given.interval, given.repeats)
            _measure_deaths(figures, drunc, database, given.interval, given.repeats)
    return figures.exit_code()


# The poller alone


class _CountingChannels(Channels):
    """Channels that count calls and the bytes of their messages."""

    def __init__(self) -> None:
        super().__init__()
        self._counts = threading.Lock()
        self.calls = 0
        self.polls = 0
        self.bytes = 0

    def call(self, address: str, path: str, request: bytes, deadline_s: float) -> bytes:
        answer = super().call(address, path, request, deadline_s)
        with self._counts:
            self.calls += 1
            self.polls += path.endswith("/ps")
            self.bytes += len(request) + len(answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Count:
    calls: int
    polls: int
    bytes: int
    used_s: float


def _measure_polls(figures: Figures, drunc: Simulated, engine: str, interval_s: float, polls: int) -> None:
    config = RunControlConfig(
        drunc.addresses["process_manager"], drunc.addresses["connectivity"], poll_interval_s=interval_s
    )
    with fresh_database(engine) as database:
        leases, channels, errors = Leases(database), _CountingChannels(), list[str]()
        poller = Poller(
            config,
            adapters=DetectingAdapters(channels, Deadlines(config.rpc_deadline_s, config.command_deadline_s), None),
            endpoints=Endpoints(),
            store=RunControlStore(database, leases, utc_now),
            clock=utc_now,
            on_error=errors.append,
        )
        fence = leases.acquire("run_control", "benchmark", timedelta(hours=1))
        if fence is None:
            raise SystemExit("The lease is taken")

        def count() -> _Count:
            return _Count(channels.calls, channels.polls, channels.bytes, time.process_time())

        def turns(until: Callable[[], bool]) -> None:
            pause = threading.Event()
            while not until():
                started = time.monotonic()
                poller.turn(fence)
                pause.wait(max(0.0, interval_s - (time.monotonic() - started)))

        # First polls describe everything; and a large session takes its time to be found whole.
        started = time.monotonic()
        turns(lambda: sessions_polled(database) == len(drunc.sessions))
        figures.note("first_picture", time.monotonic() - started, "s")
        warm = channels.polls + 3
        turns(lambda: channels.polls >= warm)
        before = count()
        turns(lambda: channels.polls >= before.polls + polls)
        after = count()
        poller.stop(10)
        channels.close()
    if errors:
        raise SystemExit(f"The poller failed: {errors[0]}")
    done = after.polls - before.polls
    figures.note("poll_own_processor", (after.used_s - before.used_s) / done * 1_000, "ms")
    figures.note("poll_bytes", (after.bytes - before.bytes) / done / 1_000, "kB")
    figures.note("poll_calls", (after.calls - before.calls) / done, "RPCs")


def sessions_polled(database: Database) -> int:
    """Return how many sessions have been polled at least once."""
    with database.read() as session:
        return int(session.scalar(select(func.count()).where(DaqSession.polled_at.is_not(None))) or 0)


# The whole console


@contextmanager
def _running(drunc: Simulated, engine: str, interval_s: float) -> Iterator[tuple[Console, Database]]:
    """Run the console against the simulator until all sessions were polled; give it and its database."""
    with (
        tempfile.TemporaryDirectory(prefix="console-bench-") as directory,
        fresh_url(engine) as url,
        running_console(
            Path(directory),
            process_manager=drunc.addresses["process_manager"],
            connectivity=drunc.addresses["connectivity"],
            # Nothing listens there.
            kafka="127.0.0.1:9",
            CONSOLE_DATABASE_URL=url,
            CONSOLE_POLL_INTERVAL_S=str(interval_s),
        ) as console,
    ):
        database = Database(url)
        try:
            wait_until(lambda: sessions_polled(database) == len(drunc.sessions), _PATIENCE_S, "all sessions")
            yield console, database
        finally:
            database.close()


def measure_requests(
    figures: Figures, drunc: Simulated, console: Console, interval_s: float, *, window_s: float, browsers: int
) -> None:
    """Count RPCs with one browser, then with many: what a poll asks, and how often polls are, must stay the same."""
    first = console.log_in("victor")
    clients = [_clone(first) for _ in range(browsers)]
    alone, alone_polls = _requests_per_minute(figures, drunc, console, [first], window_s)
    together, together_polls = _requests_per_minute(figures, drunc, console, clients, window_s)
    figures.note("rpcs_with_1_browser", alone, "RPCs/min")
    figures.note(f"rpcs_with_{browsers}_browsers", together, "RPCs/min")
    # The windows begin and end somewhere in a poll.
    most = 1 + 2 * interval_s / window_s
    a_poll = alone / alone_polls
    figures.at_most(f"rpcs_a_poll_with_{browsers}_browsers", together / together_polls, "RPCs", a_poll * most)
    figures.at_most(f"polls_with_{browsers}_browsers", together_polls, "polls/min", 60 / interval_s * most)


def _clone(http: requests.Session) -> requests.Session:
    """Return another client of the same account, with connections of its own."""
    clone = requests.Session()
    clone.trust_env = False
    clone.headers.update(http.headers)
    clone.cookies.update(http.cookies)  # type: ignore[no-untyped-call]  # without types in the library's stubs
    return clone


def _requests_per_minute(
    figures: Figures, drunc: Simulated, console: Console, clients: list[requests.Session], window_s: float
) -> tuple[float, float]:
    """Return RPCs and polls a minute while these clients ask for ``/live``."""
    ended = threading.Event()
    times: list[float] = []
    threads = [threading.Thread(target=_browse, args=(console, client, ended, times)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        # They have all begun, and polls are under way as ever.
        ended.wait(2.0)
        (requests_before, polls_before), started = drunc.requests(), time.monotonic()
        ended.wait(window_s)
        (requests_after, polls_after), lasted_s = drunc.requests(), time.monotonic() - started
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    figures.note(f"live_with_{len(clients)}_p95", _p95(times) * 1_000, "ms")
    per_minute = 60 / lasted_s
    return (requests_after - requests_before) * per_minute, (polls_after - polls_before) * per_minute


def _browse(console: Console, http: requests.Session, ended: threading.Event, times: list[float]) -> None:
    """Ask for ``/live`` every second, as a page does."""
    tag = ""
    # Browsers do not tick at the same moment.
    ended.wait(random.random())  # noqa: S311 - no secret
    while not ended.is_set():
        started = time.monotonic()
        answer = http.get(f"{console.url}/live", headers={"If-None-Match": tag}, timeout=30)
        answer.raise_for_status()
        times.append(time.monotonic() - started)
        tag = answer.headers["ETag"]
        ended.wait(max(0.0, 1.0 - (time.monotonic() - started)))


def _measure_deaths(figures: Figures, drunc: Simulated, database: Database, interval_s: float, deaths: int) -> None:
    """Let processes die at any moment of the interval, and wait for their rows."""
    session = drunc.sessions[-1]
    times: list[float] = []
    pause = threading.Event()
    for number in range(1, deaths + 1):
        name = f"app-{number:04}"
        pause.wait(random.random() * interval_s)  # noqa: S311 - no secret
        started = time.monotonic()
        drunc.order("kill", session=session, name=name)
        wait_until(partial(_is_dead, database, session, name), _PATIENCE_S, f"the death of {name}")
        times.append(time.monotonic() - started)
    figures.note("death_to_row_median", sorted(times)[len(times) // 2], "s")
    figures.at_most("death_to_row_p95", _p95(times), "s", interval_s + DEATH_SLACK_S)


def _is_dead(database: Database, session: str, name: str) -> bool:
    with database.read() as reading:
        status = reading.scalar(select(Process.status_code).where(Process.session == session, Process.name == name))
    return bool(status == ProcessStatus.DEAD.value)


def _measure_clicks(figures: Figures, drunc: Simulated, database: Database, interval_s: float, clicks: int) -> None:
    """Order to take control, again and again, and see when it arrives."""
    session = EXAMPLES[0]
    arrived = f"{session}/root-controller/take_control"
    audit = AuditTrail(database, utc_now)
    commands = CommandService(database, audit, utc_now, CommandLimits.for_polling(interval_s), lambda: None)
    alice = Identity("alice", Role.OPERATOR)
    times: list[float] = []
    for _ in range(clicks):
        has_arrived = partial(_is_beyond, drunc, arrived, drunc.arrivals(arrived)[0])
        started = submitted(lambda: commands.take_control(alice, session))
        wait_until(has_arrived, _PATIENCE_S, "the command to arrive")
        times.append(drunc.arrivals(arrived)[1] - started)
    figures.note("click_to_controller_median", sorted(times)[len(times) // 2], "s")
    figures.at_most("click_to_controller_p95", _p95(times), "s", CLICK_S)


def _is_beyond(drunc: Simulated, request: str, number: int) -> bool:
    return drunc.arrivals(request)[0] > number


def submitted(submit: Callable[[], object]) -> float:
    """Submit a command as soon as nothing stands against it; return when that began."""
    deadline = time.monotonic() + _PATIENCE_S
    pause = threading.Event()
    while True:
        started = time.time()
        try:
            submit()
        except ConsoleError:
            if time.monotonic() > deadline:
                raise
            pause.wait(random.random() * _LOOK_S)  # noqa: S311 - no secret
        else:
            return started


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(0.95 * len(times)) - 1)]


if __name__ == "__main__":
    sys.exit(main())
