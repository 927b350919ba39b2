"""The partitions a consumer reads: which it should, where reading of each stands, and which cannot be read now."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.messages.batch import Advance, PartitionKey, Position
from services.messages.broker import BrokerClient, BrokerGoneError
from services.messages.ledger import OffsetLedger

# A partition without a leader must not hold up the others: it is asked again soon, as a new one is led after a moment,
# and then ever more seldom.
UNREADY_RETRY_S = 0.5
UNREADY_RETRY_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class _Unready:
    """A partition without a leader: when it is asked again (monotonic), and how long that pause was, seconds."""

    until: float
    pause_s: float


class Partitions:
    """Where reading stands, started from the database; one thread uses it."""

    def __init__(self, ledger: OffsetLedger) -> None:
        """Keep the ledger; nothing is wanted yet."""
        self._ledger = ledger
        self._wanted: frozenset[PartitionKey] = frozenset()
        self._positions: dict[PartitionKey, Position] = {}
        self._unready: dict[PartitionKey, _Unready] = {}
        # The id under which each topic that is read was started.
        self._topic_ids: dict[str, str] = {}

    @property
    def positions(self) -> Mapping[PartitionKey, Position]:
        """The partitions that are read, and how far."""
        return self._positions

    @property
    def leaderless(self) -> PartitionKey | None:
        """One of the partitions that have no leader; None when all have."""
        return min(self._unready, default=None)

    @property
    def are_started(self) -> bool:
        """Whether all that are wanted, and have a leader as far as is known, are read; and no others."""
        return self._positions.keys() == self._wanted - self._unready_yet()

    def want(self, keys: Iterable[PartitionKey]) -> None:
        """Read these partitions from now on, and no others; what is read already goes on."""
        self._wanted = frozenset(keys)

    def want_anew(self, keys: Iterable[PartitionKey]) -> None:
        """The same, but all of them are started from the database again: others may have read them meanwhile."""
        self.want(keys)
        self._unready.clear()
        self.forget()

    def forget(self) -> None:
        """Start all partitions from the database again."""
        self._positions = {}
        self._topic_ids = {}

    def drop(self, keys: Iterable[PartitionKey]) -> None:
        """Start these partitions from the database again."""
        for key in keys:
            self._positions.pop(key, None)

    @property
    def topics(self) -> frozenset[str]:
        """The topics that are read."""
        return frozenset(topic for topic, _ in self._positions)

    def recognise(self, topic_ids: Mapping[str, str]) -> bool:
        """Tell whether topics are still those that are read; the partitions of others are dropped.

        A topic that ``topic_ids`` says nothing about is taken for the same.
        """
        others = {topic for topic, id_ in topic_ids.items() if self._topic_ids.get(topic, id_) != id_}
        for topic in others:
            del self._topic_ids[topic]
        self.drop([key for key in self._positions if key[0] in others])
        return not others

    def start(self, client: BrokerClient, cluster_id: str) -> None:
        """Start what is wanted and not read yet; stop what is not wanted any more.

        Raises:
            BrokerGoneError: The brokers do not answer at all.
            OffsetConflictError: Another collector moved an offset meanwhile.
        """
        new = self._wanted - self._unready_yet() - self._positions.keys()
        positions = {key: position for key, position in self._positions.items() if key in self._wanted}
        topics = {topic for topic, _ in new}
        ids = client.topic_ids(topics)()
        # Before the watermarks: what another collector stores from now on must not look like an end that Kafka lost.
        lives = self._ledger.lives(cluster_id, {topic: ids.get(topic) for topic in topics})
        watermarks = {key: self._watermarks(client, key) for key in sorted(new)}
        # Only between two equal answers it is sure which topic the watermarks are of; another is for the next turn.
        ids_after = client.topic_ids(topics)()
        same = {topic for topic in topics if ids.get(topic) == ids_after.get(topic)}
        for key, found in watermarks.items():
            if found is not None and key[0] in same:
                positions[key] = self._ledger.start(cluster_id, key, lives[key[0]], found)
        client.assign({key: position.following for key, position in positions.items()})
        self._positions = positions
        self._topic_ids.update({topic: ids[topic] for topic in same if topic in ids})

    def advance(self, steps: Iterable[Advance]) -> dict[PartitionKey, int]:
        """Note what was stored; return the next offset of each partition it was of."""
        moved: dict[PartitionKey, int] = {}
        for step in steps:
            key = (step.topic, step.partition)
            moved[key] = step.next_offset
            self._positions[key] = replace(self._positions[key], stored=step.next_offset, following=step.next_offset)
        return moved

    def _watermarks(self, client: BrokerClient, key: PartitionKey) -> tuple[int, int] | None:
        """Return what the broker has of a partition; None when only this partition has no leader."""
        before = self._unready.pop(key, None)
        try:
            return client.watermarks(key)
        except BrokerGoneError:
            client.look()
            pause_s = UNREADY_RETRY_S if before is None else min(2 * before.pause_s, UNREADY_RETRY_MOST_S)
            self._unready[key] = _Unready(time.monotonic() + pause_s, pause_s)
            return None

    def _unready_yet(self) -> frozenset[PartitionKey]:
        now = time.monotonic()
        return frozenset(key for key, wait in self._unready.items() if now < wait.until)
