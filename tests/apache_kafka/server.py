"""Apache Kafka for tests: one node that is broker and controller, with a directory of its own, on loopback."""

import base64
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.console import ROOT, free_port
from tests.waiting import wait_until

# `make programs` puts them there.
JARS = ROOT / ".cache" / "apache-kafka"

# Small, and quick to start: nothing here lives long enough for the second compiler.
_JAVA = (
    "java",
    *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    *("-cp", f"{JARS}/*"),
)
_PATIENCE_S = 60.0


def why_not_here() -> str | None:
    """Return why Apache Kafka cannot run on this machine; None when it can."""
    if shutil.which("java") is None:
        return "Java is not installed"
    if not (JARS / "pom.xml").exists():
        return "Apache Kafka is not there (make programs fetches it with Maven)"
    return None


class ApacheKafka:
    """A broker that keeps its address, its cluster id and its messages from one start to the next.

    ``address`` is ``host:port``. Topics come into being when they are first written to, with four partitions.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str | int] | None = None) -> None:
        """Make a cluster in an empty directory; ``settings`` win over those given here."""
        self._log = directory / "server.log"
        self._properties = directory / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        self.cluster_id = _new_cluster_id()
        port, controller_port = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self._admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        properties: dict[str, str | int] = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller_port}",
            "log.dirs": str(directory / "data"),
            "num.partitions": 4,
            "message.max.bytes": 20_000_000,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "group.initial.rebalance.delay.ms": 0,
            # A broker that was killed may come back so soon.
            "broker.session.timeout.ms": 1_500,
            "broker.heartbeat.interval.ms": 300,
            **(settings or {}),
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        formatting = ("kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", self._properties)
        subprocess.run([*_JAVA, *formatting], check=True, capture_output=True)

    def start(self) -> None:
        """Start the broker and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_JAVA, "kafka.Kafka", self._properties], stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(lambda: not self.is_running or self._answers(), _PATIENCE_S, "Apache Kafka")
        assert self.is_running, self._log.read_text()[-4_000:]

    def stop(self) -> None:
        """Stop the broker in order, as for maintenance."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the broker between any two instructions."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the broker in order and start it again."""
        self.stop()
        self.start()

    def stall(self) -> None:
        """Let it hang, as a dead machine would."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def empty(self) -> None:
        """Have it running, and without topics (its own stay)."""
        self.resume()
        if not self._answers():
            self.kill()
            self.start()
        # One that was stalled is not trusted by its controller for a moment.
        wait_until(self._is_emptied, _PATIENCE_S, "the end of all topics")

    def _is_emptied(self) -> bool:
        try:
            names = self._topics()
            if names:
                for deleted in self._admin.delete_topics(names).values():
                    deleted.result()
        except KafkaException:
            return False
        return not names

    def make_topic(self, name: str, partitions: int = 1) -> None:
        """Make a topic; one of that name that is being deleted goes first."""
        wait_until(lambda: name not in self._topics(), _PATIENCE_S, f"the end of the old topic {name}")
        self._admin.create_topics([NewTopic(name, partitions, 1)])[name].result()

    def delete_topic(self, name: str) -> None:
        """Delete a topic with all its records."""
        self._admin.delete_topics([name])[name].result()

    def grow_topic(self, name: str, partitions: int) -> None:
        """Give a topic more partitions, ``partitions`` in all."""
        self._admin.create_partitions([NewPartitions(name, partitions)])[name].result()

    def forget_records(self, name: str, partition: int, before: int) -> None:
        """Throw away the records of a partition before an offset, as retention does."""
        asked = TopicPartition(name, partition, before)
        self._admin.delete_records([asked])[asked].result()

    def move_group(self, group: str, name: str, partition: int, offset: int) -> None:
        """Set Kafka's own offset of a group without members."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(name, partition, offset)])
        self._admin.alter_consumer_group_offsets([asked])[group].result()

    def members(self, group: str) -> int:
        """Return how many members a consumer group has."""
        return len(self._admin.describe_consumer_groups([group])[group].result().members)

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        try:
            self._admin.list_topics(timeout=2)
        except KafkaException:
            return False
        return True

    def _topics(self) -> list[str]:
        return [name for name in self._admin.list_topics(timeout=10).topics if not name.startswith("__")]

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self.resume()
        self._send(number)
        if self._process is not None:
            self._process.wait(_PATIENCE_S)


@contextmanager
def running_kafka(directory: Path, settings: Mapping[str, str | int] | None = None) -> Iterator[ApacheKafka]:
    """Run Apache Kafka for the length of a block, whatever happens to it within."""
    kafka = ApacheKafka(directory, settings)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.kill()


def _new_cluster_id() -> str:
    """Return 16 random bytes as Kafka writes them: 22 characters, the first no dash (it would be an option)."""
    return "K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
