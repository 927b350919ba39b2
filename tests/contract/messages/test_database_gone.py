"""The database is away, locked or full: reading halts, says so, and goes on from the same offset."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from models.database import Database
from services.clock import utc_now
from services.health import WorkerHealth
from services.messages.consumer import ConsumerConfig, MessageConsumer
from tests.contract.messages.conftest import TOPICS
from tests.contract.messages.observing import assert_consistent, gaps, number_stored, texts
from tests.contract.messages.publishing import CONTROLLER, broadcast, publish
from tests.kafka import KafkaBroker
from tests.postgres import PostgresServer, find_binaries, running_postgres
from tests.waiting import wait_until

# Takes the write lock of an SQLite file, says so, and keeps it until its input ends.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """An empty SQLite database at head."""
    database = Database(f"sqlite:///{tmp_path / 'halted.db'}")
    database.migrate()
    return database


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A cluster of the test's own."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    with running_postgres(binaries) as server:
        yield server


@contextmanager
def reading(broker: KafkaBroker, database: Database) -> Iterator[MessageConsumer]:
    """A consumer whose turns are done by hand, with one message stored."""
    publish(broker, CONTROLLER, [broadcast("before")])
    consumer = MessageConsumer(ConsumerConfig(broker.address, TOPICS), database, utc_now)
    try:
        wait_until(lambda: consumer.turn() >= 0 and number_stored(database) == 1, 20, "the first message")
        assert turned(consumer).state == "ok"
        yield consumer
    finally:
        consumer.stop(20)


def turned(consumer: MessageConsumer) -> WorkerHealth:
    consumer.turn()
    return consumer.health()


def assert_halted(consumer: MessageConsumer) -> None:
    """Reading halts, stays halted turn by turn, and its lag does not look fresh."""
    wait_until(lambda: is_halted(turned(consumer)), 30, "the database's absence in the health")
    halted = consumer.health()
    for _ in range(3):
        now = turned(consumer)
        assert is_halted(now)
        assert now.details["lag_messages"] is None
        assert float(now.details["lag_s"] or 0) >= float(halted.details["lag_s"] or 0)
    wait_until(lambda: float(turned(consumer).details["lag_s"] or 0) > 0, 5, "a lag that grows")


def is_halted(health: WorkerHealth) -> bool:
    is_told = (health.last_error or "").startswith("The database does not take messages: ")
    return is_told and health.state == "degraded"


def assert_goes_on(consumer: MessageConsumer, database: Database, sent: int) -> None:
    wait_until(lambda: turned(consumer).state == "ok" and number_stored(database) == sent + 1, 30, "all messages")
    assert texts(database) == {"before": 1, **{f"{n}": 1 for n in range(sent)}}
    assert_consistent(database, sent + 1)
    assert gaps(database) == []
    assert consumer.health().details["lag_messages"] is not None


def test_postgresql_is_stopped_and_started(embedded_broker: KafkaBroker, postgres: PostgresServer) -> None:
    database = Database(postgres.url)
    database.migrate()
    with reading(embedded_broker, database) as consumer:
        postgres.stop()
        publish(embedded_broker, CONTROLLER, (broadcast(f"{n}") for n in range(700)))
        assert_halted(consumer)
        postgres.start()
        # With connections of our own: what a reader may meet just after a restart is for `tests.db.models`.
        assert_goes_on(consumer, Database(postgres.url), 700)


def test_postgresql_is_stopped_while_there_is_nothing_to_read(
    embedded_broker: KafkaBroker, postgres: PostgresServer
) -> None:
    database = Database(postgres.url)
    database.migrate()
    with reading(embedded_broker, database) as consumer:
        postgres.stop()
        assert_halted(consumer)
        postgres.start()
        assert_goes_on(consumer, Database(postgres.url), 0)


@pytest.mark.timeout(180)
def test_another_process_keeps_sqlite_locked(embedded_broker: KafkaBroker, sqlite: Database) -> None:
    with reading(embedded_broker, sqlite) as consumer:
        command = [sys.executable, "-c", HOLDER, str(sqlite.url.database)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "locked\n"
            publish(embedded_broker, CONTROLLER, (broadcast(f"{n}") for n in range(700)))
            assert_halted(consumer)
            holder.communicate()
        assert_goes_on(consumer, sqlite, 700)


def test_the_disk_of_sqlite_is_full(embedded_broker: KafkaBroker, sqlite: Database) -> None:
    with reading(embedded_broker, sqlite) as consumer:
        # SQLite answers the same when the file may not grow.
        limit = {"pages": 1}
        event.listen(
            sqlite._writer, "checkout", lambda raw, *_: raw.execute(f"PRAGMA max_page_count = {limit['pages']}")
        )
        publish(embedded_broker, CONTROLLER, (broadcast(f"{n}") for n in range(700)))
        assert_halted(consumer)
        assert "full" in (consumer.health().last_error or "")
        limit["pages"] = 1_000_000
        assert_goes_on(consumer, sqlite, 700)
