"""The embedded Kafka broker as a process that tests can freeze, end and make anew, and a producer for it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Producer

from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]


class BrokerProcess:
    """One life of the broker; made anew it has another cluster id and address."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "simulator.broker", "--directory", str(directory)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        file = directory / "broker.json"
        wait_until(file.exists, 20, "the broker's file")
        told = json.loads(file.read_text())
        self.address: str = told["kafka"]
        self.cluster_id: str = told["cluster_id"]

    def freeze(self) -> None:
        """It hangs: its sockets stay open, nothing answers."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        if self._process.poll() is None:
            self.thaw()
            self._process.terminate()
            self._process.wait(10)

    def publish(self, topic: str, values: Iterable[bytes | None], *, partition: int = 0) -> None:
        """Publish to one partition, in order, and wait until the broker has everything."""
        failures: list[object] = []
        producer = Producer(
            {"bootstrap.servers": self.address, "message.max.bytes": 20_000_000, "linger.ms": 5, "log_level": 2}
        )
        for value in values:
            producer.produce(
                topic,
                value,
                partition=partition,
                on_delivery=lambda error, _message: failures.append(error) if error else None,
            )
            producer.poll(0)
        assert producer.flush(30) == 0
        assert failures == []
