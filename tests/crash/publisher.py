"""Publish the numbered load in a thread, and remember at which place the broker took each record."""

import threading
from collections.abc import Callable

from confluent_kafka import KafkaError, Message, Producer

from tests.crash.load import Load
from tests.crash.verdict import Place, Published

# No more than this is published and not accounted for: the embedded broker keeps 5 MB of a partition, and whoever was
# killed must find all of it when it is back.
AHEAD = 6_000
# So many records are published between two looks at what is accounted for.
CHUNK = 100
PAUSE_S = 0.005
FLUSH_S = 30.0


class Publisher:
    """Publishes numbers 0, 1, ... as fast as they are accounted for, until it is told to finish."""

    def __init__(self, address: str, load: Load, accounted: Callable[[], int]) -> None:
        """Keep the collaborators; ``accounted`` says how many records the database knows of."""
        self._load = load
        self._accounted = accounted
        self._address = address
        self._producer = _producer(address)
        self._places: dict[int, Place] = {}
        self._failures: list[str] = []
        self._next = 0
        self._lock = threading.Lock()
        self._paused = threading.Event()
        self._finishing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def pause(self) -> int:
        """Publish nothing until `resume`; return how many records there are, all of them taken by the broker.

        Raises:
            AssertionError: The broker refused some, or did not take them in time.
        """
        self._paused.set()
        with self._lock:
            self._flush()
            return self._next

    def resume(self) -> None:
        """Go on, with a new client: what the old one knows of topics may not be true any more."""
        with self._lock:
            self._producer = _producer(self._address)
        self._paused.clear()

    def finish(self) -> Published:
        """Publish nothing more; return what was published, all of it taken by the broker.

        Raises:
            AssertionError: As `pause`.
        """
        self._finishing.set()
        self._thread.join(FLUSH_S)
        self._flush()
        return Published(self._load, dict(self._places))

    def discard(self) -> None:
        """Let the thread end; nothing happens when it has ended."""
        self._finishing.set()

    def _run(self) -> None:
        while not self._finishing.is_set():
            with self._lock:
                self._producer.poll(0)
                is_ahead = self._paused.is_set() or self._next - self._accounted() >= AHEAD
                if not is_ahead:
                    self._publish_chunk()
            # The price of a lock that another thread wants too: time to take it.
            self._finishing.wait(PAUSE_S if is_ahead else 0)

    def _publish_chunk(self) -> None:
        for number in range(self._next, self._next + CHUNK):
            planned = self._load.planned(number)
            self._producer.produce(
                planned.topic, planned.value, partition=planned.partition, on_delivery=self._delivered(number)
            )
        self._next += CHUNK

    def _delivered(self, number: int) -> Callable[[KafkaError | None, Message], None]:
        def note(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failures.append(f"{number}: {error.str()}")
            else:
                self._places[number] = (str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))

        return note

    def _flush(self) -> None:
        left = self._producer.flush(FLUSH_S)
        assert left == 0, f"the broker did not take {left} records"
        assert not self._failures, f"the broker refused {len(self._failures)} records: {self._failures[:3]}"


def _producer(address: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": address,
            "linger.ms": 5,
            "log_level": 2,
            # Also where the broker goes away meanwhile, each record is taken once and in order.
            "enable.idempotence": True,
        }
    )
