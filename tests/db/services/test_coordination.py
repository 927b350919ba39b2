"""Leases on both engines, with a clock that the test moves."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from models.coordination import Lease, Revision
from models.database import Database
from services.coordination import Fence, LeaseKeeper, LeaseLostError, Leases, database_now

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TTL = timedelta(seconds=5)


class MovedClock:
    """The database's clock, as the test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self, _tx: Session) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def leases(database: Database, clock: MovedClock) -> Leases:
    return Leases(database, clock)


def acquire(leases: Leases, holder: str) -> Fence | None:
    return leases.acquire("job", holder, TTL)


def test_the_first_gets_it_and_keeps_it(leases: Leases, clock: MovedClock) -> None:
    first = acquire(leases, "a")
    assert first == Fence("job", "a", 1)
    clock.advance(4)
    assert acquire(leases, "a") == first
    clock.advance(4)
    assert acquire(leases, "b") is None


def test_an_expired_lease_is_taken_over_with_a_higher_fence(leases: Leases, clock: MovedClock) -> None:
    acquire(leases, "a")
    clock.advance(5)
    assert acquire(leases, "b") == Fence("job", "b", 2)
    assert acquire(leases, "a") is None


def test_a_holder_that_is_late_keeps_it_if_nobody_came(leases: Leases, clock: MovedClock) -> None:
    first = acquire(leases, "a")
    clock.advance(60)
    assert acquire(leases, "a") == first


def test_a_released_lease_is_free_at_once_and_the_next_tour_is_another(leases: Leases) -> None:
    first = acquire(leases, "a")
    assert first is not None
    leases.release(first)
    assert acquire(leases, "a") == Fence("job", "a", 2)
    # An old tour cannot release a new one.
    leases.release(first)
    assert acquire(leases, "b") is None


def test_work_under_a_valid_fence_is_committed(leases: Leases, database: Database) -> None:
    fence = acquire(leases, "a")
    assert fence is not None
    with leases.fenced(fence) as tx:
        tx.add(Revision(topic="x", value=1, changed_at=START))
    with database.read() as tx:
        assert tx.get(Revision, "x") is not None


def test_work_under_an_old_fence_is_refused(leases: Leases, database: Database, clock: MovedClock) -> None:
    old = acquire(leases, "a")
    assert old is not None
    clock.advance(5)
    acquire(leases, "b")
    with pytest.raises(LeaseLostError, match="a#1"), leases.fenced(old) as tx:
        tx.add(Revision(topic="x", value=1, changed_at=START))
    with database.read() as tx:
        assert tx.get(Revision, "x") is None


def test_the_databases_clock_is_aware_and_runs(database: Database) -> None:
    with database.read() as tx:
        first, second = database_now(tx), database_now(tx)
    assert first.tzinfo is UTC
    assert first <= second
    assert abs((datetime.now(UTC) - first).total_seconds()) < 60


def test_a_keeper_knows_its_tour(leases: Leases, clock: MovedClock, database: Database) -> None:
    one, two = (LeaseKeeper(leases, "job", holder, TTL.total_seconds()) for holder in ("a", "b"))
    one.keep()
    two.keep()
    assert (one.fence, two.fence) == (Fence("job", "a", 1), None)
    clock.advance(5)
    two.keep()
    one.keep()
    assert (one.fence, two.fence) == (None, Fence("job", "b", 2))
    two.release()
    assert two.fence is None
    with database.read() as tx:
        row = tx.get(Lease, "job")
        assert row is not None
        assert row.expires_at == clock.now


def test_a_keeper_that_could_not_renew_stops_by_itself(leases: Leases) -> None:
    keeper = LeaseKeeper(leases, "job", "a", 0.0)
    keeper.keep()
    assert keeper.fence is None
