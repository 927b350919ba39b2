"""One page of messages without those that are muted.

Candidates come by the same indexes as without mutes; of each stretch of them those that fit the mutes are left out and
counted. So a mute costs what the messages cost that it hides, and never a walk through a whole index: mutes as one more
condition would have each branch walk on until its own page is full.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import filterfalse

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message
from services.messages.filters import predicate
from services.messages.finding import find_ids
from services.messages.ids import among, given
from services.messages.selection import Selection
from services.messages.statements import Bounds, Found
from services.messages.time_limit import TimeLimit
from services.messages.types import NOTHING, Expression, MessageView
from services.messages.upsert import table_of

# One statement looks at so many candidates, at most.
MOST_AT_ONCE = 2_000
# A page looks at so many candidates before it says how far it got.
MOST_CANDIDATES = 20_000
_ID = table_of(Message).c.id


@dataclass(frozen=True, slots=True)
class Unmuted:
    """Ids of a page, and how many messages of the stretch that it covers fit the filter but are muted."""

    found: Found
    muted: int


@dataclass(slots=True)
class _Sieve:
    """A page while it fills; ``counted`` are the muted ones before the last that was taken."""

    limit: int
    ids: list[int] = field(default_factory=list)
    muted: int = 0
    counted: int = 0
    is_over: bool = False

    def take(self, candidates: Iterable[int], muted: set[int]) -> None:
        """Take candidates, in the order of reading, until there is one more than the page has room for."""
        for id_ in candidates:
            if id_ in muted:
                self.muted += 1
            elif len(self.ids) == self.limit:
                self.is_over = True
                return
            else:
                self.ids.append(id_)
                self.counted = self.muted

    def full(self) -> Unmuted:
        """Return the page where more comes after its last message: muted ones after that belong to the next."""
        return Unmuted(Found(self.ids, has_more=True), self.counted)

    def stopped(self, reached: int, *, timed_out: bool) -> Unmuted:
        """Return the page that is not full although there may be more behind ``reached``."""
        return Unmuted(Found(self.ids, has_more=True, scanned_to=reached, timed_out=timed_out), self.muted)


def find_unmuted(
    session: Session,
    selection: Selection,
    muted: ColumnElement[bool] | None,
    bounds: Bounds,
    limit: int,
    *,
    scan_ids: int,
    time_limit: TimeLimit,
) -> Unmuted:
    """Return the ids of one page as `find_ids` does, without those that fit ``muted``; None: nothing is muted."""
    if muted is None:
        return Unmuted(find_ids(session, selection, bounds, limit, scan_ids=scan_ids, time_limit=time_limit), 0)
    sieve, looked_at, step = _Sieve(limit), 0, limit
    reached: int | None = None
    while True:
        try:
            found = find_ids(session, selection, bounds, step, scan_ids=scan_ids, time_limit=time_limit)
            sieve.take(found.ids, _fitting(session, found.ids, muted))
        except DBAPIError as error:
            # Without any progress there is nothing to go on from: that is for the caller to say.
            if reached is None or not time_limit.has_stopped(error):
                raise
            return sieve.stopped(reached, timed_out=True)
        if sieve.is_over or (len(sieve.ids) == limit and found.has_more):
            return sieve.full()
        if not found.has_more:
            return Unmuted(Found(sieve.ids, has_more=False), sieve.muted)
        if found.scanned_to is not None:
            return sieve.stopped(found.scanned_to, timed_out=found.timed_out)
        reached = found.ids[-1]
        looked_at += len(found.ids)
        if looked_at >= MOST_CANDIDATES or time_limit.is_over:
            return sieve.stopped(reached, timed_out=time_limit.is_over)
        bounds, step = bounds.beyond(reached), min(2 * step, MOST_AT_ONCE)


def _fitting(session: Session, ids: list[int], muted: ColumnElement[bool]) -> set[int]:
    if not ids:
        return set()
    dialect = session.get_bind().dialect.name
    return set(session.scalars(select(_ID).where(among(dialect), muted), given(ids, dialect)).all())


def without(muted: Expression, messages: tuple[MessageView, ...]) -> tuple[MessageView, ...]:
    """Return the messages, in their order, that are not muted."""
    return messages if muted == NOTHING else tuple(filterfalse(predicate(muted), messages))
