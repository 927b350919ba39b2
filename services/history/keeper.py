"""The history's worker: takes in what broadcasts tell, and removes what is too old."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Delete, Select, delete, select
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database, cause_of
from models.history import HistoryEntry, NodeTransition, TransitionRun
from services.clock import Clock
from services.history.broadcasts import BATCH, BroadcastReader
from services.loop import LoopWorker

INTERVAL_S: Final = 1.0
# While there is more to read or to remove; others may write in between.
PAUSE_S: Final = 0.02
RETRY_S: Final = 5.0
PRUNE_EVERY = timedelta(minutes=1)
# One transaction removes so many rows: larger ones would hold SQLite's write lock too long.
CHUNK_ROWS: Final = 1_000
CHUNK_RUNS: Final = 50


class HistoryKeeper(LoopWorker):
    """Reads broadcasts every second, and prunes by age a little at a time.

    Details of its health: broadcasts read and rows removed since the start of this process.
    """

    def __init__(self, database: Database, clock: Clock, reader: BroadcastReader, expire_s: int) -> None:
        """Keep the collaborators; what is older than ``expire_s`` seconds is removed."""
        super().__init__("history", clock)
        self._database = database
        self._clock = clock
        self._reader = reader
        self._expire = timedelta(seconds=expire_s)
        self._prune_at: datetime | None = None
        self._counts = {"broadcasts": 0, "removed": 0}

    def turn(self) -> float:
        """Read one batch, remove one chunk; return the seconds to pause before the next."""
        try:
            read = self._reader.turn()
            more = self._prune_when_due()
        except SQLAlchemyError as error:
            self._board.erred(f"The history could not be kept: {cause_of(error)}.")
            return RETRY_S
        self._counts["broadcasts"] += read
        self._board.turned("ok", self._counts)
        return PAUSE_S if more or read >= BATCH else INTERVAL_S

    def _prune_when_due(self) -> bool:
        """Remove one chunk of what is too old, if it is time; tell whether there is more."""
        now = self._clock()
        if self._prune_at is not None and now < self._prune_at:
            return False
        cutoff = now - self._expire
        changes = self._prune_changes(cutoff)
        runs = self._prune_runs(cutoff)
        self._counts["removed"] += changes + runs
        more = changes >= CHUNK_ROWS or runs >= CHUNK_RUNS
        self._prune_at = now if more else now + PRUNE_EVERY
        return more

    def _prune_changes(self, cutoff: datetime) -> int:
        oldest = (
            select(HistoryEntry.id)
            .where(HistoryEntry.at < cutoff)
            .order_by(HistoryEntry.at, HistoryEntry.id)
            .limit(CHUNK_ROWS)
        )
        return self._remove(oldest, lambda ids: (delete(HistoryEntry).where(HistoryEntry.id.in_(ids)),))

    def _prune_runs(self, cutoff: datetime) -> int:
        oldest = (
            select(TransitionRun.id)
            .where(TransitionRun.began_at < cutoff)
            .order_by(TransitionRun.began_at, TransitionRun.id)
            .limit(CHUNK_RUNS)
        )
        return self._remove(
            oldest,
            lambda ids: (
                delete(NodeTransition).where(NodeTransition.run_id.in_(ids)),
                delete(TransitionRun).where(TransitionRun.id.in_(ids)),
            ),
        )

    def _remove(self, oldest: Select[int], statements: Callable[[Sequence[int]], Iterable[Delete]]) -> int:
        with self._database.read() as tx:
            ids = tx.scalars(oldest).all()
        if ids:
            with self._database.write() as tx:
                for statement in statements(ids):
                    tx.execute(statement.execution_options(synchronize_session=False))
        return len(ids)
