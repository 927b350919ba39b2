"""Records that were fetched and are not stored yet, in batches: while one is stored, the next is decoded."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Thread

from services.messages.decode import Arrival, decode_all
from services.messages.types import Record

# More at once cost less each, most of all in SQLite's search index, but whoever else writes waits longer.
BATCH_RECORDS = 2_000
# Keeps memory small and the transaction short when messages are large; a single larger one is a batch of its own.
BATCH_BYTES = 4 * 1024 * 1024
# So many batches are fetched at once, for all but the first to be decoded ahead; no more bytes than of one, though.
FETCH_RECORDS = 5 * BATCH_RECORDS
# Fewer are not worth a thread; and it would keep much memory for itself where a few are very large.
AHEAD_LEAST = 200


class Backlog:
    """Batches in the order in which they were fetched; one thread uses it."""

    def __init__(self) -> None:
        """Start empty."""
        self._batches: deque[_Batch] = deque()

    def __bool__(self) -> bool:
        """Tell whether there is anything to store."""
        return bool(self._batches)

    def fill(self, records: Sequence[Record], arrived_ns: int) -> None:
        """Take records in place of all that were here; they arrived then, nanoseconds since 1970 UTC."""
        self._batches = deque(_Batch(part, arrived_ns) for part in _parts(records))

    def first(self) -> Sequence[Arrival]:
        """Return the records to store next, with what is in them; `fill` brought some."""
        return self._batches[0].arrivals()

    def decode_next(self) -> None:
        """Begin to decode the batch after the first, if it is many records, in a thread of its own.

        Good for a moment in which this thread waits for the database: Python lets only one of them compute. It may be
        asked for more than once.
        """
        if len(self._batches) > 1:
            self._batches[1].begin()

    def drop_first(self) -> None:
        """Forget what `first` returned: it is stored."""
        self._batches.popleft()

    def clear(self) -> None:
        """Forget everything: it will be fetched again."""
        self._batches.clear()


class _Batch:
    """Records of one batch, decoded once: by a thread of its own where that was begun, else when they are wanted."""

    def __init__(self, records: Sequence[Record], arrived_ns: int) -> None:
        self._records = records
        self._arrived_ns = arrived_ns
        self._thread: Thread | None = None
        self._arrivals: list[Arrival] | None = None

    def begin(self) -> None:
        if self._thread is None and self._arrivals is None and len(self._records) >= AHEAD_LEAST:
            self._thread = Thread(target=self._decode_ahead, name="messages-decode", daemon=True)
            self._thread.start()

    def arrivals(self) -> list[Arrival]:
        if self._thread is not None:
            self._thread.join()
        if self._arrivals is None:
            self._arrivals = decode_all(self._records, self._arrived_ns)
        return self._arrivals

    def _decode_ahead(self) -> None:
        # What is wrong is found again, and told, by whoever wants the batch.
        with suppress(Exception):
            self._arrivals = decode_all(self._records, self._arrived_ns)


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut records into batches."""
    first, size = 0, 0
    for number, record in enumerate(records):
        size += record.size_bytes
        if number > first and (size > BATCH_BYTES or number - first == BATCH_RECORDS):
            yield records[first:number]
            first, size = number, record.size_bytes
    if first < len(records):
        yield records[first:]
