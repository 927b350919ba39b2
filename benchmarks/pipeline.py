"""The way of the consumer from records to committed rows, without Kafka before it."""

import time
from collections.abc import Sequence

from models.database import Database
from services.clock import utc_now
from services.messages.backlog import Backlog
from services.messages.batch import PartitionKey, Position, make_batch
from services.messages.echo import own_echo
from services.messages.ledger import OffsetLedger
from services.messages.store import MessageStore
from services.messages.types import Record

_CLUSTER = "benchmark"


class Pipeline:
    """Decodes and stores what was fetched, as the consumer does: every partition from offset 0 on."""

    def __init__(self, database: Database) -> None:
        """Make a cluster known that has no offsets yet."""
        self._backlog = Backlog()
        self._store = MessageStore(database, utc_now, self._backlog.decode_next)
        self._positions: dict[PartitionKey, Position] = {}
        self._is_echo = own_echo("console")
        ledger = OffsetLedger(database, utc_now)
        ledger.open_cluster(_CLUSTER)
        self._incarnation_id = ledger.lives(_CLUSTER, {"any": None})["any"].incarnation_id

    def drain(self, fetched: Sequence[Record]) -> float:
        """Store what was fetched at once; return how long it took, seconds."""
        started = time.perf_counter()
        self._backlog.fill(fetched, time.time_ns())
        for record in fetched:
            self._positions.setdefault((record.topic, record.partition), Position(self._incarnation_id, None, 0))
        while self._backlog:
            self._store_first()
        return time.perf_counter() - started

    def _store_first(self) -> None:
        batch = make_batch(self._backlog.first(), self._positions, time.time_ns(), self._is_echo)
        self._store.write(batch)
        for step in batch.advances:
            following = Position(self._incarnation_id, step.next_offset, step.next_offset)
            self._positions[step.topic, step.partition] = following
        self._backlog.drop_first()
