"""A Kafka broker for one machine: librdkafka's mock cluster, in a process of its own.

It keeps nothing on disk: a broker started anew has a new cluster id and begins at offset 0. Of each partition it
keeps the newest 5 MB.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click
from confluent_kafka import Producer

from simulator.files import write_private_json
from simulator.lifetime import Lifetime

FILE_NAME = "broker.json"
START_TIMEOUT_S = 10.0


class BrokerError(Exception):
    """The broker did not start."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker; it lives as long as this object.

    Attributes:
        address: ``host:port``, on loopback.
        cluster_id: Identity of this incarnation.
    """

    address: str
    cluster_id: str
    _cluster: Producer


def start_broker() -> Broker:
    """Start the mock cluster with one broker.

    Raises:
        BrokerError: It did not come up.
    """
    cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 3})
    metadata = cluster.list_topics(timeout=START_TIMEOUT_S)
    broker = next(iter(metadata.brokers.values()), None)
    if broker is None:
        raise BrokerError("the mock cluster has no broker")
    return Broker(f"{broker.host}:{broker.port}", str(metadata.cluster_id), cluster)


@click.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=f"Where {FILE_NAME} is written when the broker answers.",
)
def main(directory: Path) -> None:
    """Run a Kafka broker until SIGTERM or SIGINT, or until the parent process ends."""
    lifetime = Lifetime(with_parent=True)
    path = directory / FILE_NAME
    path.unlink(missing_ok=True)
    try:
        broker = start_broker()
    except BrokerError as error:
        click.echo(f"The Kafka broker did not start: {error}", err=True)
        sys.exit(1)
    write_private_json(path, {"kafka": broker.address, "pid": os.getpid(), "cluster_id": broker.cluster_id})
    lifetime.wait()
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
