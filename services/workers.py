"""How the workers of every collector are, through the database: a page need not be in a collector's process."""

import logging
import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import MessageCounter
from models.run_control import Backend
from services.clock import Clock
from services.health import WorkerHealth, WorkerState, WorkerView
from services.loop import Board, Loop
from services.messages.texts import cut, storable
from services.messages.upsert import insert_into
from services.revisions import LiveTopic, bump

log = logging.getLogger(__name__)

KIND = "worker"
LAG = "lag"
REPORT_INTERVAL_S = 2.0
# A collector that was killed leaves its rows behind: long enough to be seen, then the next collector removes them.
FORGET_AFTER = timedelta(minutes=10)
ADDRESS_LIMIT_BYTES = 255

_AT_WORK: frozenset[WorkerState] = frozenset({"starting", "ok", "degraded"})


class Reporting(Protocol):
    """A worker that can be asked how it is."""

    def health(self) -> WorkerHealth:
        """Return how it is."""


class WorkerReport:
    """Writes every 2 s how each worker of this process is (table ``backend``, kind ``worker``), and the lag.

    Pages that follow `LiveTopic.STATUS` are told by each report.
    """

    def __init__(self, database: Database, clock: Clock, workers: Sequence[Reporting]) -> None:
        """Keep the collaborators; the process is named when it reports, which is after the fork."""
        self._database = database
        self._clock = clock
        self._workers = tuple(workers)
        self._board = Board("report", clock)
        self._loop = Loop("worker-report", self.turn, _nothing, self._board)

    def start(self) -> None:
        """Start the thread.

        Raises:
            AlreadyStartedError: It runs already.
        """
        self._loop.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread and take back what it reported: a collector that was stopped on purpose is not missing.

        Raises:
            TimeoutError: It did not end in time.
        """
        self._loop.stop(timeout_s)
        try:
            self._withdraw()
        except SQLAlchemyError:
            # The next collector removes it.
            log.warning("the report on the workers could not be taken back")

    def health(self) -> WorkerHealth:
        """Return how reporting goes."""
        return self._board.read()

    def turn(self) -> float:
        """Report once. Returns seconds to pause before the next report."""
        try:
            self._write([worker.health() for worker in self._workers])
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            self._board.erred(f"The workers' state could not be written: {cause}.")
        else:
            self._board.turned("ok", {})
        return REPORT_INTERVAL_S

    def _write(self, found: Sequence[WorkerHealth]) -> None:
        now = self._clock()
        with self._database.write() as session:
            session.execute(delete(Backend).where(Backend.kind == KIND, Backend.tried_at < now - FORGET_AFTER))
            for health in found:
                _note(session, health, now)
            # A reader that is halted does not know.
            lags = [lag for health in found if (lag := health.details.get("lag_messages")) is not None]
            if lags:
                _set_lag(session, sum(int(lag) for lag in lags))
            bump(session, now, LiveTopic.STATUS)

    def _withdraw(self) -> None:
        addresses = [_address(worker.health().name) for worker in self._workers]
        with self._database.write() as session:
            session.execute(delete(Backend).where(Backend.kind == KIND, Backend.address.in_(addresses)))
            bump(session, self._clock(), LiveTopic.STATUS)


class WorkerQueries:
    """What pages read of the workers of all collectors."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    def workers(self) -> tuple[WorkerView, ...]:
        """Return the workers of every collector that reported lately, by name and collector."""
        statement = select(Backend).where(Backend.kind == KIND).order_by(Backend.address)
        with self._database.read() as session:
            return tuple(_view(row) for row in session.scalars(statement))


def _address(name: str) -> str:
    return cut(storable(f"{name}@{socket.gethostname()}:{os.getpid()}"), ADDRESS_LIMIT_BYTES)


def _note(session: Session, health: WorkerHealth, now: datetime) -> None:
    address = _address(health.name)
    row = session.get(Backend, (KIND, address))
    if row is None:
        row = Backend(kind=KIND, address=address, since=now)
        session.add(row)
    elif row.generation != health.state:
        row.since = now
    lag_s = health.details.get("lag_s")
    row.generation = health.state
    row.reachable = health.state in _AT_WORK
    row.answered_at = health.turned_at
    row.tried_at = now
    row.latency_ms = None if lag_s is None else float(lag_s) * 1_000
    row.error = None if health.last_error is None else storable(health.last_error)
    row.error_at = health.last_error_at


def _set_lag(session: Session, messages: int) -> None:
    statement = insert_into(session, MessageCounter).values(name=LAG, value=messages)
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
    )


def _view(row: Backend) -> WorkerView:
    name, _, collector = row.address.partition("@")
    return WorkerView(
        name=name,
        collector=collector,
        state=cast("WorkerState", row.generation),
        since=row.since,
        reported_at=row.tried_at,
        turned_at=row.answered_at,
        last_error=row.error,
        last_error_at=row.error_at,
        lag_s=None if row.latency_ms is None else row.latency_ms / 1_000,
    )


def _nothing() -> None:
    """Nothing is open that must be closed."""
