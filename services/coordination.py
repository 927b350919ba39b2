"""Leases: the right to be the only one that does a job, fenced, on the database's clock."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.coordination import Lease as LeaseRow
from models.database import Database

log = logging.getLogger(__name__)

# Tells the time by the database, so that processes on several machines agree.
DatabaseClock = Callable[[Session], datetime]


class LeaseLostError(Exception):
    """The fence has moved: somebody else does the job now, and nothing of the unit of work was written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof of one tour of duty: it ends when somebody else takes the lease over, and never comes back."""

    lease: str
    holder: str
    number: int

    def __str__(self) -> str:
        """Return what stands in ``command.claimed_by``."""
        return f"{self.holder}#{self.number}"


def database_now(tx: Session) -> datetime:
    """Return the database server's present time."""
    if tx.get_bind().dialect.name == "sqlite":
        text = tx.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now")))
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    now = tx.scalar(select(func.clock_timestamp()))
    if not isinstance(now, datetime):
        raise TypeError(f"the database told the time as {now!r}")
    return now.astimezone(UTC)


class Leases:
    """Takes, renews and checks leases (table ``lease``)."""

    def __init__(self, database: Database, now: DatabaseClock = database_now) -> None:
        """Keep the collaborators."""
        self._database = database
        self._now = now

    def acquire(self, name: str, holder: str, ttl: timedelta) -> Fence | None:
        """Take the lease if it is free or expired, or renew it if it is ``holder``'s; None if somebody else has it."""
        try:
            with self._database.write() as tx:
                return self._acquire(tx, name, holder, ttl)
        except IntegrityError:
            # Two took a lease that never was, at the same moment.
            return None

    def _acquire(self, tx: Session, name: str, holder: str, ttl: timedelta) -> Fence | None:
        row = tx.get(LeaseRow, name, with_for_update=True)
        # Read after the lock was got: waiting for it takes time.
        now = self._now(tx)
        if row is None:
            tx.add(LeaseRow(name=name, holder=holder, fence=1, expires_at=now + ttl))
            return Fence(name, holder, 1)
        if row.holder != holder:
            if row.expires_at > now:
                return None
            row.holder = holder
            row.fence += 1
        row.expires_at = now + ttl
        return Fence(name, holder, row.fence)

    def release(self, fence: Fence) -> None:
        """Let the lease expire at once, so that a standby need not wait."""
        with self._database.write() as tx:
            row = tx.get(LeaseRow, fence.lease, with_for_update=True)
            if row is not None and _is_valid(row, fence):
                row.expires_at = self._now(tx)
                # The next tour is another one, even of the same holder.
                row.holder = ""

    @contextmanager
    def fenced(self, fence: Fence) -> Iterator[Session]:
        """Give a session for one unit of work of a tour of duty; nobody can take the lease over until it ends.

        Raises:
            LeaseLostError: The fence has moved; nothing is written.
        """
        with self._database.write() as tx:
            row = tx.get(LeaseRow, fence.lease, with_for_update={"read": True})
            if row is None or not _is_valid(row, fence):
                raise LeaseLostError(f"{fence} no longer holds the lease {fence.lease}")
            yield tx


def _is_valid(row: LeaseRow, fence: Fence) -> bool:
    return row.holder == fence.holder and row.fence == fence.number


class LeaseKeeper:
    """Keeps trying to hold one lease. ``keep`` is one turn of it; `fence` says what may be done now."""

    def __init__(self, leases: Leases, name: str, holder: str, ttl_s: float) -> None:
        """Keep the collaborators; a lease not renewed for ``ttl_s`` seconds is given up and can be taken over."""
        self._leases = leases
        self._name = name
        self._holder = holder
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._fence: Fence | None = None
        self._good_until = 0.0

    @property
    def fence(self) -> Fence | None:
        """The present tour of duty; None for a standby, or when the lease could not be renewed in time."""
        with self._lock:
            return self._fence if time.monotonic() < self._good_until else None

    def keep(self) -> None:
        """Take or renew the lease.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database does not answer; the fence ends by itself.
        """
        # Counted from before the call: the database cannot have begun to count later.
        started = time.monotonic()
        fence = self._leases.acquire(self._name, self._holder, timedelta(seconds=self._ttl_s))
        with self._lock:
            if fence != self._fence:
                log.info("lease=%s holder=%s fence=%s", self._name, self._holder, fence)
            self._fence = fence
            self._good_until = started + self._ttl_s if fence else 0.0

    def release(self) -> None:
        """Give the lease up at once."""
        with self._lock:
            fence, self._fence = self._fence, None
        if fence is not None:
            self._leases.release(fence)
