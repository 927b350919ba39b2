"""How often the worker asks drunc: it is the worker's business alone, whoever looks on."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from models.database import Database
from services.history.queries import HistoryQueries
from services.history.types import HistoryFilter
from services.run_control.channels import Channels
from services.run_control.config import RunControlConfig
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION, Console, config_for, running_console

# Long enough that what else the machine does cannot make two polls of one.
INTERVAL_S = 1.0
POLLS = 3


class Counted:
    """Calls to drunc by method."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        original = Channels.call

        def call(channels: Channels, address: str, path: str, request: bytes, deadline_s: float) -> bytes:
            with self._lock:
                self._calls[path.rpartition("/")[2]] += 1
            return original(channels, address, path, request, deadline_s)

        monkeypatch.setattr(Channels, "call", call)

    def of(self, method: str) -> int:
        with self._lock:
            return self._calls[method]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.fixture
def config(installation: Installation) -> RunControlConfig:
    return replace(config_for(installation), poll_interval_s=INTERVAL_S)


@contextmanager
def readers(console: Console, database: Database, count: int) -> Iterator[None]:
    """So many pages that look at everything as fast as they can."""
    history = HistoryQueries(database)
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            console.queries.sessions()
            console.queries.vanished_sessions()
            console.queries.processes()
            console.queries.tree(SESSION)
            console.queries.backends()
            history.changes(HistoryFilter(session=SESSION))
            history.transitions(SESSION)

    threads = [threading.Thread(target=look) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)


def watch_some_polls(console: Console, counted: Counted) -> None:
    """Wait for `POLLS` polls; nothing may be asked more often than once for each session and interval."""
    started, before = time.monotonic(), (counted.of("ps"), counted.of("who_is_in_charge"))
    for _ in range(POLLS):
        seen = console.session().polled_at
        console.until("the next poll", lambda summary, seen=seen: summary.polled_at != seen)  # type: ignore[misc]
    # However slow this machine is: what is late is not made up for. One may have begun before.
    most = (time.monotonic() - started) / INTERVAL_S + 1
    assert 1 <= counted.of("ps") - before[0] <= most
    assert POLLS <= counted.of("who_is_in_charge") - before[1] <= 2 * most


def test_drunc_does_not_feel_who_looks_on(console: Console, counted: Counted, database: Database) -> None:
    console.until("the other session", lambda summary: summary.polled_at is not None, "local-2x3-config")
    with readers(console, database, 4):
        watch_some_polls(console, counted)


@pytest.fixture
def other_console(config: RunControlConfig, console: Console, database: Database) -> Iterator[Console]:
    with running_console(config, database) as running:
        yield running


def test_a_standby_asks_nothing(console: Console, other_console: Console, counted: Counted, database: Database) -> None:
    console.until("the other session", lambda summary: summary.polled_at is not None, "local-2x3-config")
    assert {console.worker.health().details["duty"], other_console.worker.health().details["duty"]} == {
        "active",
        "standby",
    }
    watch_some_polls(console, counted)
