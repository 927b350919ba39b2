"""A consumer as a program of its own, so that a test can kill it: ``python -m tests.contract.messages.reader ...``."""

import sys
import threading

from models.database import Database
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer


def main(database_url: str, brokers: str) -> None:
    """Read until killed."""
    consumer = MessageConsumer(ConsumerConfig(brokers, ("^control\\..+",)), Database(database_url), utc_now)
    consumer.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
