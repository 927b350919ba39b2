"""A broker in a process of its own, and consumers that read from it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.database import Database
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer
from tests.kafka import KafkaBroker, running_broker

TOPICS = (
    "^control\\..+",
    "^erscontrol\\..+",
    "^erskafka-reporting$",
    "^monitoring\\.ers_stream$",
    "^monitoring\\.opmon_stream$",
)

MakeConsumer = Callable[..., MessageConsumer]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker of the test's own: it is stalled, and its topics are counted."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
def make_consumer(database: Database) -> Iterator[MakeConsumer]:
    """Makes consumers that are stopped at the end."""
    made: list[MessageConsumer] = []

    def make(address: str, *, store_own_echo: bool = False) -> MessageConsumer:
        config = ConsumerConfig(brokers=address, topics=TOPICS, store_own_echo=store_own_echo)
        made.append(MessageConsumer(config, database, utc_now))
        return made[-1]

    yield make
    for consumer in made:
        consumer.stop(20)
