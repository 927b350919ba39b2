"""A broker in a process of its own, and consumers that read from it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.database import Database
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer
from tests.contract.messages.brokers import BrokerProcess

TOPICS = ("^control\\..+", "^erscontrol\\..+", "^monitoring\\.ers_stream$")

MakeConsumer = Callable[..., MessageConsumer]


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[[], BrokerProcess]]:
    made: list[BrokerProcess] = []

    def make() -> BrokerProcess:
        made.append(BrokerProcess(tmp_path / f"broker-{len(made)}"))
        return made[-1]

    yield make
    for broker in made:
        broker.end()


@pytest.fixture
def broker(make_broker: Callable[[], BrokerProcess]) -> BrokerProcess:
    return make_broker()


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
