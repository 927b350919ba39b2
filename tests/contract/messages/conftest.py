"""Brokers in processes of their own, and consumers that read from them."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.database import Database
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer
from tests.apache_kafka.server import ApacheKafka
from tests.kafka import KafkaBroker, running_broker

TOPICS = (
    "^control\\..+",
    "^erscontrol\\..+",
    "^erskafka-reporting$",
    "^monitoring\\.ers_stream$",
    "^monitoring\\.opmon_stream$",
)

MakeConsumer = Callable[..., MessageConsumer]
Broker = KafkaBroker | ApacheKafka


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what adds time and no knowledge: on Apache Kafka, PostgreSQL stands for both databases."""
    spared = [item for item in items if _is_spared(item)]
    if spared:
        config.hook.pytest_deselected(items=spared)
        items[:] = [item for item in items if item not in spared]


def _is_spared(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    needs_apache = params.get("broker") == "apache" or "apache_kafka" in getattr(item, "fixturenames", ())
    return needs_apache and params.get("database") == "sqlite"


@pytest.fixture(params=["embedded", "apache"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """A broker without topics: the embedded one, and Apache Kafka."""
    name = "embedded_broker" if request.param == "embedded" else "apache_kafka"
    found: Broker = request.getfixturevalue(name)
    return found


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """An embedded broker of the test's own: it is stalled, and its topics are counted."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
def group() -> str:
    """A consumer group of the test's own: Apache Kafka remembers the members of others."""
    return f"console-{uuid.uuid4().hex}"


@pytest.fixture
def make_consumer(database: Database, group: str) -> Iterator[MakeConsumer]:
    """Makes consumers that are stopped at the end."""
    made: list[MessageConsumer] = []

    def make(address: str, *, store_own_echo: bool = False, other_group: str = "") -> MessageConsumer:
        config = ConsumerConfig(address, TOPICS, other_group or group, store_own_echo=store_own_echo)
        made.append(MessageConsumer(config, database, utc_now))
        return made[-1]

    yield make
    for consumer in made:
        consumer.stop(20)
