"""How the workers of every collector are, through the database: a page need not be in a collector's process."""

import logging
import os
import re
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.coordination import Worker
from models.database import Database, cause_of
from services.clock import Clock
from services.health import WorkerHealth, WorkerState, WorkerView
from services.loop import LoopWorker
from services.revisions import LiveTopic, bump
from services.texts import clean

log = logging.getLogger(__name__)

REPORT_INTERVAL_S = 2.0
# A collector that was killed leaves its rows behind: long enough to be seen, then the next collector removes them.
FORGET_AFTER = timedelta(minutes=10)
COLLECTOR_WIDTH = 255
# Linux's own account of this process.
_OWN_STATUS = Path("/proc/self/status")
_MEMORY_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


class Reporting(Protocol):
    """A worker that can be asked how it is."""

    def health(self) -> WorkerHealth:
        """Return how it is."""


class WorkerReport(LoopWorker):
    """Writes every 2 s how each worker of this process is (table ``worker``).

    Pages that follow `LiveTopic.STATUS` are told by each report.
    """

    def __init__(self, database: Database, clock: Clock, workers: Sequence[Reporting]) -> None:
        """Keep the collaborators; the process is named when it reports, which is after the fork."""
        super().__init__("report", clock)
        self._database = database
        self._clock = clock
        self._workers = tuple(workers)

    def stop(self, timeout_s: float) -> None:
        """End the thread and take back what it reported: a collector that was stopped on purpose is not missing.

        Raises:
            TimeoutError: It did not end in time.
        """
        super().stop(timeout_s)
        try:
            self._withdraw()
        except SQLAlchemyError:
            # The next collector removes it.
            log.warning("the report on the workers could not be taken back")

    def turn(self) -> float:
        """Report once. Returns seconds to pause before the next report."""
        try:
            self._write([worker.health() for worker in self._workers])
        except SQLAlchemyError as error:
            self._board.erred(f"The workers' state could not be written: {cause_of(error)}.")
        else:
            self._board.turned("ok", {})
        return REPORT_INTERVAL_S

    def _write(self, found: Sequence[WorkerHealth]) -> None:
        now, collector = self._clock(), _collector()
        with self._database.write() as session:
            session.execute(delete(Worker).where(Worker.reported_at < now - FORGET_AFTER))
            for health in found:
                _note(session, health, collector, now)
            bump(session, now, LiveTopic.STATUS)

    def _withdraw(self) -> None:
        with self._database.write() as session:
            session.execute(delete(Worker).where(Worker.collector == _collector()))
            bump(session, self._clock(), LiveTopic.STATUS)


class WorkerQueries:
    """What pages read of the workers of all collectors."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    def workers(self) -> tuple[WorkerView, ...]:
        """Return the workers of every collector that reported lately, by name and collector."""
        with self._database.read() as session:
            return tuple(_view(row) for row in session.scalars(select(Worker).order_by(Worker.name, Worker.collector)))


def _collector() -> str:
    return clean(f"{socket.gethostname()}:{os.getpid()}", COLLECTOR_WIDTH)


def _memory_peak_bytes() -> int | None:
    """Return the most memory that this process has taken, None where the system does not say."""
    try:
        # Not `resource`: what that says begins with the memory of the process that started this one.
        told = _MEMORY_PEAK.search(_OWN_STATUS.read_text())
    except OSError:
        return None
    return None if told is None else int(told[1]) * 1_024


def _note(session: Session, health: WorkerHealth, collector: str, now: datetime) -> None:
    row = session.get(Worker, (health.name, collector))
    if row is None:
        row = Worker(name=health.name, collector=collector, since=now)
        session.add(row)
    elif row.state != health.state:
        row.since = now
    lag_s, lag_messages = health.details.get("lag_s"), health.details.get("lag_messages")
    row.state = health.state
    row.reported_at = now
    row.turned_at = health.turned_at
    row.lag_s = None if lag_s is None else float(lag_s)
    # A reader that is halted does not know.
    row.lag_messages = None if lag_messages is None else int(lag_messages)
    row.memory_peak_bytes = _memory_peak_bytes()
    row.last_error = None if health.last_error is None else clean(health.last_error)
    row.last_error_at = health.last_error_at


def _view(row: Worker) -> WorkerView:
    return WorkerView(
        name=row.name,
        collector=row.collector,
        state=cast("WorkerState", row.state),
        since=row.since,
        reported_at=row.reported_at,
        turned_at=row.turned_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        lag_s=row.lag_s,
        lag_messages=row.lag_messages,
        memory_peak_bytes=row.memory_peak_bytes,
    )
