"""A Kafka broker for tests: the simulator's, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class KafkaBroker:
    """A running broker: ``address`` is ``host:port``."""

    address: str
    pid: int
    cluster_id: str

    def stall(self) -> None:
        """Let it hang, as a dead machine would."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def running_broker(directory: Path) -> Iterator[KafkaBroker]:
    """Run a broker for the length of a block; its messages are gone afterwards."""
    process = subprocess.Popen([sys.executable, "-m", "simulator.broker", "--directory", directory], cwd=REPOSITORY)
    try:
        path = directory / "broker.json"
        wait_until(lambda: path.exists() or process.poll() is not None, 15, "the Kafka broker")
        answer = json.loads(path.read_text())
        yield KafkaBroker(answer["kafka"], answer["pid"], answer["cluster_id"])
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(10)
