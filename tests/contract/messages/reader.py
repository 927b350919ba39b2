"""A consumer as a program of its own, so that a test can kill it: ``python -m tests.contract.messages.reader ...``."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from models.database import Database
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer
from tests.kafka import REPOSITORY


@contextmanager
def running_reader(database_url: str, brokers: str, group: str) -> Iterator[None]:
    """Run a reader for the length of a block; at its end it is killed."""
    command = [sys.executable, "-m", "tests.contract.messages.reader", database_url, brokers, group]
    with subprocess.Popen(command, cwd=REPOSITORY) as reader:
        try:
            yield
        finally:
            reader.kill()


def main(database_url: str, brokers: str, group: str) -> None:
    """Read until killed."""
    consumer = MessageConsumer(ConsumerConfig(brokers, ("^control\\..+",), group), Database(database_url), utc_now)
    consumer.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
