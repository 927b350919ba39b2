"""What pages cost the server, how many browsers it bears, and how soon a page is there.

The console as it is deployed, with SQLite: gunicorn with two workers of eight threads, the collector a program of its
own, a simulated drunc with a process table of so many rows, and a broker. Costs are times of the workers' processors,
what they use without being asked taken off. Browsers that tick are a program of their own (`benchmarks.browsers`);
pages are opened in Chromium with an empty cache, the server warm. On few processors all of these programs share them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests
from confluent_kafka import Producer

from api.heartbeat import LET_THROUGH_S
from benchmarks.databases import fresh_url
from benchmarks.figures import Figures
from benchmarks.latency import Probes, SteadyLoad
from benchmarks.plain_web import running_plain_web
from benchmarks.poll import EXAMPLES, measure_requests, sessions_polled, submitted
from benchmarks.processor import used_s, workers_of
from benchmarks.simulated import Simulated, running_simulator
from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from services.messages.queries import MessageQueries
from services.messages.types import Severity
from services.run_control.commands import CommandLimits, CommandService
from tests.browser.person import Person
from tests.console import ROOT, Console, running_console
from tests.crash.programs import CollectorProgram
from tests.kafka import KafkaBroker, running_broker
from tests.waiting import wait_until

# performance.md of the project's plan.
IDLE_TICK_MS = 0.8
FEED_TICK_MS = 1.5
COMMAND_MS = 250.0
BROWSERS = 500
BROWSER_P95_MS = 50.0
TABLE_S = 2.0
LOGIN_S = 0.3
USABLE_S = 2.5

WORKERS, THREADS = 2, 8
INTERVAL_S = 1.0
# Of so many ticks of a browser, one a second, one is the first that it is let through by (`api.heartbeat`).
TICKS_LET_THROUGH = int(LET_THROUGH_S)
NEW_ROWS = 50
# What the workers do by themselves is measured for so long.
REST_S = 3.0
# A collector that lags takes breaks of a second or two.
CALM_S = 5.0
PATIENCE_S = 120.0
PERSON = "victor"


@dataclass(frozen=True, slots=True)
class Stage:
    """The running house."""

    console: Console
    database: Database
    drunc: Simulated
    broker: KafkaBroker


def main() -> int:
    """Run the benchmark; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2_000, help="applications of the largest session")
    parser.add_argument("--ticks", type=int, default=2_000, help="ticks to measure the cost of")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second of the flood")
    parser.add_argument("--commands", type=int, default=100, help="command rows to write in the flood")
    parser.add_argument("--browsers", default="100,300,500,800", help="how many tick at once, rising")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long they tick")
    parser.add_argument("--window", type=float, default=20.0, help="seconds to count RPCs for")
    given = parser.parse_args()
    figures = Figures()
    with _running(given.processes) as stage:
        _measure_idle(figures, stage, given.ticks)
        _measure_browsers(figures, stage, [int(number) for number in given.browsers.split(",")], given.seconds)
        measure_requests(figures, stage.drunc, stage.console, INTERVAL_S, window_s=given.window, browsers=50)
        _measure_commands(figures, stage, given.rate, given.commands)
        _measure_feed(figures, stage, given.ticks)
        _measure_pages(figures, stage, given.processes)
    return figures.exit_code()


@contextmanager
def _running(processes: int) -> Iterator[Stage]:
    """Run it all until every session was polled."""
    with (
        tempfile.TemporaryDirectory(prefix="console-bench-") as name,
        fresh_url("sqlite") as url,
        running_broker(Path(name)) as broker,
        running_simulator(EXAMPLES, "G3", processes) as drunc,
    ):
        directory = Path(name)
        database = Database(url)
        addresses = {
            "process_manager": drunc.addresses["process_manager"],
            "connectivity": drunc.addresses["connectivity"],
        }
        with running_console(
            directory / "web",
            **addresses,
            kafka=broker.address,
            CONSOLE_DATABASE_URL=url,
            CONSOLE_WORKERS=str(WORKERS),
            CONSOLE_THREADS=str(THREADS),
            CONSOLE_EMBED_COLLECTOR="false",
        ) as console:
            collector = CollectorProgram(
                url,
                broker.address,
                directory / "collector.log",
                CONSOLE_PROCESS_MANAGER_URL=addresses["process_manager"],
                CONSOLE_CONNECTIVITY_URL=addresses["connectivity"],
                CONSOLE_POLL_INTERVAL_S=str(INTERVAL_S),
            )
            collector.start()
            try:
                wait_until(
                    lambda: sessions_polled(database) == len(drunc.sessions), PATIENCE_S, "all sessions to be polled"
                )
                yield Stage(console, database, drunc, broker)
            finally:
                collector.stop()
                database.close()


def _cost_ms(master: int, number: int, ask: Callable[[int], object]) -> float:
    """Return what asking so often costs gunicorn's workers each time, ms, without what they do by themselves."""
    workers = workers_of(master)
    before = used_s(workers)
    threading.Event().wait(REST_S)
    at_rest = (used_s(workers) - before) / REST_S
    before, started = used_s(workers), time.monotonic()
    for count in range(number):
        ask(count)
    used = used_s(workers) - before - at_rest * (time.monotonic() - started)
    return used / number * 1_000


def _measure_idle(figures: Figures, stage: Stage, ticks: int) -> None:
    """Tick one after the other, so often for each visitor as Flask is asked once; then at a server that only ticks."""
    headers = _headers_of_a_page(stage.console)
    console_ms, unchanged = _ticked(stage.console.url, stage.console.pid, headers, ticks)
    figures.at_most("idle_tick_processor", console_ms, "ms", IDLE_TICK_MS)
    figures.note("idle_tick_unchanged", unchanged, "%")
    with running_plain_web(WORKERS, THREADS) as (url, master):
        figures.note("plain_flask_tick_processor", _ticked(url, master, headers, ticks)[0], "ms")


def _ticked(url: str, master: int, headers: Mapping[str, str], ticks: int) -> tuple[float, float]:
    """Return what a tick costs, ms, and how many found nothing changed, %."""
    http = requests.Session()
    http.trust_env = False
    tag, unchanged = "", 0

    def tick(visit: int) -> None:
        nonlocal tag, unchanged
        own = {"Cookie": f"{headers['Cookie']}; visitor={visit // TICKS_LET_THROUGH}", "If-None-Match": tag}
        answer = http.get(f"{url}/live", headers={**headers, **own}, timeout=30)
        answer.raise_for_status()
        unchanged += answer.status_code == requests.codes.not_modified
        tag = answer.headers["ETag"]

    cost_ms = _cost_ms(master, ticks, tick)
    return cost_ms, unchanged / ticks * 100


def _measure_browsers(figures: Figures, stage: Stage, numbers: list[int], seconds: float) -> None:
    """Let more and more browsers tick; the number that counts is the last before the first that is too slow."""
    most = 0
    is_bearable = True
    headers = _headers_of_a_page(stage.console)
    for number in numbers:
        seen = _browse(stage.console.url, headers, number, seconds)
        shares_ms = [share * 1_000 for share in quantiles(seen["taken_s"], n=100, method="inclusive")]
        figures.note(f"browsers_{number}_ticks", len(seen["taken_s"]) / seconds, "ticks/s")
        figures.note(f"browsers_{number}_p50", shares_ms[49], "ms")
        figures.note(f"browsers_{number}_p95", shares_ms[94], "ms")
        figures.at_most(f"browsers_{number}_failures", seen["failures"], "ticks", 0)
        is_bearable = is_bearable and shares_ms[94] < BROWSER_P95_MS and not seen["failures"]
        most = number if is_bearable else most
    figures.at_least(f"browsers_with_p95_below_{BROWSER_P95_MS:.0f}_ms", most, "browsers", BROWSERS)


def _headers_of_a_page(console: Console) -> Mapping[str, str]:
    http = console.log_in(PERSON)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in http.cookies)
    return {"Cookie": cookie, "User-Agent": str(http.headers["User-Agent"]), "Accept": "application/json"}


def _browse(url: str, headers: Mapping[str, str], number: int, seconds: float) -> Mapping[str, Any]:
    """Let so many browsers tick for so long; return what `benchmarks.browsers` prints."""
    program = [sys.executable, "-m", "benchmarks.browsers", url, str(number), str(seconds)]
    done = subprocess.run(  # noqa: S603 - our own program only
        program, cwd=ROOT, input=json.dumps(dict(headers)), capture_output=True, text=True, check=True
    )
    seen: Mapping[str, Any] = json.loads(done.stdout)
    if set(seen["statuses"]) - {"200", "304"}:
        raise SystemExit(f"The console answered {seen['statuses']}")
    return seen


def _measure_commands(figures: Figures, stage: Stage, rate: int, number: int) -> None:
    """Write command rows while the collector stores a flood; wait between them until the one before is done."""
    commands = CommandService(
        stage.database,
        AuditTrail(stage.database, utc_now),
        utc_now,
        CommandLimits.for_polling(INTERVAL_S),
        lambda: None,
    )
    alice = Identity("alice", Role.OPERATOR)
    queries = MessageQueries(stage.database, utc_now)
    producer = Producer({"bootstrap.servers": stage.broker.address, "linger.ms": 5})
    flood = SteadyLoad(Probes(producer, queries), rate)
    flood.start()
    try:
        wait_until(lambda: queries.newest_id() > rate, PATIENCE_S, "the flood to arrive")
        taken_ms: list[float] = []
        first, started = queries.newest_id(), time.monotonic()
        for _ in range(number):
            begun = submitted(lambda: commands.take_control(alice, EXAMPLES[0]))
            taken_ms.append((time.time() - begun) * 1_000)
        stored_per_s = (queries.newest_id() - first) / (time.monotonic() - started)
    finally:
        published_per_s = flood.stop()
    figures.note("flood_published", published_per_s, "msg/s")
    figures.note("flood_stored_meanwhile", stored_per_s, "msg/s")
    figures.note("command_row_in_flood_p50", quantiles(taken_ms, n=100, method="inclusive")[49], "ms")
    figures.at_most("command_row_in_flood_p99", quantiles(taken_ms, n=100, method="inclusive")[98], "ms", COMMAND_MS)


def _measure_feed(figures: Figures, stage: Stage, ticks: int) -> None:
    """Fetch the newest rows again and again, as the page of messages does when there are as many new ones."""
    _await_calm(MessageQueries(stage.database, utc_now))
    newest = MessageQueries(stage.database, utc_now).newest_id()
    wanted = {"severity": ",".join(Severity.__members__)}
    body = {
        "output": "messages-delta.data",
        "outputs": {"id": "messages-delta", "property": "data"},
        "inputs": [
            {"id": "live-messages", "property": "data", "value": newest},
            {"id": "messages-filter", "property": "data", "value": wanted},
            {"id": "messages-ask", "property": "data", "value": 0},
        ],
        "state": [
            {"id": "messages-cursor", "property": "data", "value": {"key": wanted, "after": newest - NEW_ROWS}},
            {"id": "live-mutes", "property": "data", "value": 0},
        ],
        "changedPropIds": ["live-messages.data"],
    }
    http = stage.console.log_in(PERSON)
    http.get(f"{stage.console.url}/", timeout=30)
    http.headers["X-CSRFToken"] = http.cookies["_csrf_token"]

    def fetch() -> int:
        answer = http.post(f"{stage.console.url}/_dash-update-component", json=body, timeout=30)
        answer.raise_for_status()
        return len(answer.json()["response"]["messages-delta"]["data"]["rows"])

    if (rows := fetch()) != NEW_ROWS:
        raise SystemExit(f"The feed gave {rows} rows instead of {NEW_ROWS}")
    cost_ms = _cost_ms(stage.console.pid, ticks, lambda _count: fetch())
    figures.at_most(f"tick_with_{NEW_ROWS}_rows_processor", cost_ms, "ms", FEED_TICK_MS)


def _await_calm(queries: MessageQueries) -> None:
    """Wait until nothing new has come for so long that the whole flood must be stored."""
    seen, since = queries.newest_id(), time.monotonic()

    def is_calm() -> bool:
        nonlocal seen, since
        newest = queries.newest_id()
        if newest != seen:
            seen, since = newest, time.monotonic()
        return time.monotonic() - since > CALM_S

    wait_until(is_calm, PATIENCE_S, "the end of the flood")


def _measure_pages(figures: Figures, stage: Stage, processes: int) -> None:
    """Open pages as somebody does who was never here; the first such visit only warms the server."""
    session = stage.drunc.sessions[-1]
    table = f"/processes?session={session}"
    with tempfile.TemporaryDirectory(prefix="console-bench-") as name:
        downloads = Path(name)
        for measured in (False, True):
            with Person(stage.console, downloads) as visitor:
                visitor.open("/login")
                login_s = visitor.driver.execute_script(
                    "return performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
                )
            usable_s = _opened(stage.console, downloads, "/", lambda person: bool(person.find(".session-card")))
            table_s = _opened(stage.console, downloads, table, lambda person: _counted(person) >= processes)
            if measured:
                figures.at_most("login_page", login_s, "s", LOGIN_S)
                figures.at_most("first_page_usable", usable_s, "s", USABLE_S)
                figures.at_most(f"table_of_{processes}_processes", table_s, "s", TABLE_S)


def _opened(console: Console, downloads: Path, path: str, is_there: Callable[[Person], bool]) -> float:
    """Return the seconds from asking for a page until what it is for is there, with a new browser."""
    with Person(console, downloads) as person:
        person.log_in(PERSON)
        started = time.monotonic()
        person.open(path)
        wait_until(lambda: is_there(person), PATIENCE_S, path)
        return time.monotonic() - started


def _counted(person: Person) -> int:
    """Return how many rows the table has been given and drawn."""
    said = person.text("#processes-count-all")
    drawn = person.find("#processes-grid .ag-row")
    return int(said) if said.isdigit() and drawn else 0


if __name__ == "__main__":
    sys.exit(main())
