"""The collector as a program of its own beside a web that only reads: what it missed while down is there once."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from settings import child_environment
from simulator.installation import Installation
from tests.console import ROOT, Console, running_console
from tests.kafka import KafkaBroker, running_broker
from tests.waiting import wait_until

FLOOD = 5000


@contextmanager
def running_collector(environment: dict[str, str]) -> Iterator[None]:
    """Run ``collector.py`` until the end of the block; it must end well when told to."""
    process = subprocess.Popen([sys.executable, "collector.py"], cwd=ROOT, env=child_environment(**environment))
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker with nothing on it."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
def installation(broker: KafkaBroker) -> Iterator[Installation]:
    """A quiet installation of one session."""
    simulated = Installation(("local-1x1-config",), broker.address)
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture
def console(broker: KafkaBroker, installation: Installation, tmp_path: Path) -> Iterator[Console]:
    """A web without a collector."""
    with running_console(
        tmp_path / "console",
        process_manager=installation.process_manager_address,
        connectivity=installation.connectivity_address,
        kafka=broker.address,
        CONSOLE_EMBED_COLLECTOR="false",
    ) as running:
        yield running


def every_message(http: requests.Session, console: Console) -> list[dict[str, object]]:
    """Page through all of the feed."""
    found: list[dict[str, object]] = []
    before = ""
    while True:
        page = http.get(f"{console.url}/api/v1/messages?limit=500{before}", timeout=10).json()
        found += page["items"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def ready(console: Console) -> dict[str, dict[str, object]]:
    parts: dict[str, dict[str, object]] = requests.get(f"{console.url}/health/ready", timeout=10).json()["parts"]
    return parts


@pytest.mark.timeout(180)
def test_what_was_published_while_it_was_down_is_found_once(
    console: Console, installation: Installation, broker: KafkaBroker
) -> None:
    http = console.log_in("victor")
    environment = {
        "CONSOLE_SECRET_KEY": "a secret for tests only",
        "CONSOLE_DATABASE_URL": console.database_url,
        "CONSOLE_PROCESS_MANAGER_URL": installation.process_manager_address,
        "CONSOLE_CONNECTIVITY_URL": installation.connectivity_address,
        "CONSOLE_KAFKA_ADDRESS": broker.address,
    }

    def processes() -> int:
        return len(http.get(f"{console.url}/api/v1/processes", timeout=10).json()["items"])

    with running_collector(environment):
        wait_until(lambda: processes() == 14, 15, "the processes")
        wait_until(lambda: ready(console)["collector"]["state"] == "ok", 15, "readiness to tell of the collector")
        wait_until(lambda: len(every_message(http, console)) > 0, 15, "the first messages")

    assert installation.flood(FLOOD) == FLOOD
    installation.flush(20)

    with running_collector(environment):
        wait_until(lambda: len(flooded(http, console)) >= FLOOD, 60, f"{FLOOD} messages")
    places = Counter((m["topic"], m["partition"], m["offset"]) for m in every_message(http, console))
    assert max(places.values()) == 1
    assert len(flooded(http, console)) == FLOOD


def flooded(http: requests.Session, console: Console) -> list[dict[str, object]]:
    """The messages of the flood: the installation is quiet otherwise."""
    return [message for message in every_message(http, console) if message["topic"] == "monitoring.ers_stream"]
