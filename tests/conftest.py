"""Fixtures for all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from models.database import Database
from tests.apache_kafka.server import ApacheKafka, running_kafka, why_not_here
from tests.kafka import KafkaBroker, running_broker
from tests.postgres import empty, find_binaries, running_postgres
from tests.stalls import stalls


@pytest.fixture(scope="session", autouse=True)
def standing_still() -> Iterator[None]:
    """With ``STALLS`` in the environment everything stands still now and then, for so many seconds."""
    length_s = float(os.environ.get("STALLS", "0"))
    if not length_s:
        yield
        return
    with stalls(length_s):
        yield


@pytest.fixture(autouse=True)
def closed_databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test has opened, also inside an app: from Python 3.13 on a forgotten connection is a warning.

    A database that other tests share is not harmed: it opens its connections again when it is used.
    """
    opened: list[Database] = []
    initialise = Database.__init__

    def remember(self: Database, url: str) -> None:
        initialise(self, url)
        opened.append(self)

    monkeypatch.setattr(Database, "__init__", remember)
    yield
    for database in opened:
        database.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL cluster that lives as long as the test run."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    with running_postgres(binaries) as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database at head, shared by the tests of this run."""
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE console"))
    engine.dispose()
    database = Database(postgres_url.removesuffix("postgres") + "console")
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker in another process, shared by the tests of this run: topics keep what earlier tests sent."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def shared_apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """Apache Kafka in a process of its own, started once for the tests of this run."""
    if missing := why_not_here():
        pytest.skip(missing)
    with running_kafka(tmp_path_factory.mktemp("apache-kafka")) as kafka:
        yield kafka


@pytest.fixture
def apache_kafka(shared_apache_kafka: ApacheKafka) -> ApacheKafka:
    """The shared Apache Kafka, running and without topics, whatever earlier tests did to it."""
    shared_apache_kafka.empty()
    return shared_apache_kafka


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty SQLite database at head; made once, copied for each test."""
    file = tmp_path_factory.mktemp("migrated") / "console.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database at head, once on each engine."""
    if request.param == "postgresql":
        shared: Database = request.getfixturevalue("migrated_postgres")
        empty(shared)
        yield shared
        return
    file = tmp_path / "console.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
    fresh = Database(f"sqlite:///{file}")
    yield fresh
    fresh.close()
