"""Broadcasts of process manager and controllers (contract 16.1, 16.2)."""

from collections.abc import Callable

from simulator import g1
from simulator.flags import BroadcastType
from simulator.publisher import Publisher
from wire import WireMessage


class KafkaTimeoutError(Exception):
    """The brokers did not take a broadcast; whoever wanted to announce a call fails with it."""


class Broadcaster:
    """Sends the broadcasts of one server to its topic ``control.<session>.<process>``."""

    def __init__(
        self,
        publisher: Publisher,
        kafka_address: str | None,
        session: str,
        process: str,
        is_cut_off: Callable[[], bool] = lambda: False,
    ) -> None:
        """Speak for ``process``; its ``session`` is the OS user for a process manager.

        ``is_cut_off`` tells whether it cannot reach the brokers.
        """
        self._is_cut_off = is_cut_off
        self._publisher = publisher
        self._kafka_address = kafka_address
        self._emitter = g1.make("Emitter", process=process, session=session)
        self.topic = f"control.{session}.{process}"

    def send(self, kind: BroadcastType, text: str) -> None:
        """Broadcast a text; the data is always a packed ``PlainText``, whatever the kind."""
        message = g1.make("BroadcastMessage", emitter=self._emitter, type=int(kind), data=g1.pack(g1.plain_text(text)))
        self._publisher.publish(self.topic, message.SerializeToString())

    def announce(self, kind: BroadcastType, text: str) -> None:
        """Broadcast what is done for a call, before and after it.

        Raises:
            KafkaTimeoutError: The brokers cannot be reached; drunc waits for them and gives up.
        """
        if self._is_cut_off():
            raise KafkaTimeoutError("KafkaTimeoutError: Failed to update metadata after 2.0 secs.")
        self.send(kind, text)

    def configuration(self) -> WireMessage | None:
        """Return what ``Description.broadcast`` says, None without Kafka."""
        if self._kafka_address is None:
            return None
        return g1.pack(
            g1.make("KafkaBroadcastHandlerConfiguration", kafka_address=self._kafka_address, topic=self.topic)
        )
