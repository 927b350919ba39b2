"""Read messages, rates and statistics. Every query is quick however many messages there are.

Pages go by id, never by OFFSET. With a filter each severity (and session or application) has a branch of its own on
its own index, and the branches are united in the order of ids: left to itself the planner sorts millions of rows. Words
are found by the full-text index. What no index covers (a part of the text) is looked at in a bounded stretch of ids, in
chunks.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from math import ceil
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, cast, func, literal_column, select
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import (
    MessageApplication,
    MessageCounter,
    MessageRollup,
    MessageSession,
)
from services.clock import Clock
from services.errors import NotFoundError
from services.messages import rollups
from services.messages.filters import condition, predicate
from services.messages.muting import find_unmuted, without
from services.messages.names import Names
from services.messages.recent import MOST, RecentMessages
from services.messages.selection import Selection
from services.messages.statements import MAX_ID, Bounds
from services.messages.time_limit import limited
from services.messages.types import (
    NOTHING,
    MessageFilter,
    MessagePage,
    MessageStatistics,
    MessageView,
    News,
    NotShown,
    RateBucket,
)
from services.messages.upsert import table_of
from services.messages.views import MESSAGE, messages_between, messages_of, messages_where, newest_id
from services.timed import Timed

MAX_LIMIT = 1_000
# A search looks at so many ids before it says how far it got.
SCAN_IDS = 200_000
# What has just come is read as it lies: no index is better than to look at so few.
STRETCH_IDS = 2_000
# A page must come sooner than its readers give up.
TIME_LIMIT_S = 3.0
# What pages say they cannot show: hundreds of readers then cost one query a second.
KEEP_S = 1.0

_ROLLUP = table_of(MessageRollup).c
_COUNTER = table_of(MessageCounter).c
_COUNTERS = select(_COUNTER.name, _COUNTER.value)


class MessageQueries:
    """What pages and the API read of messages (tables ``message``, ``message_rollup``, ``message_counter``)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        time_limit_s: float = TIME_LIMIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the collaborators; no page takes much longer than ``time_limit_s``."""
        self._database = database
        self._not_shown = Timed(self._count_not_shown, KEEP_S, monotonic)
        self._clock = clock
        self._time_limit_s = time_limit_s
        self._names = Names()
        self._recent = RecentMessages(database, self._names)

    def page(
        self,
        wanted: MessageFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 200,
        details: bool = True,
    ) -> MessagePage:
        """Return messages that fit a filter, newest first.

        Args:
            wanted: What to show.
            before: Only ids below this one; go on with ``next_before``.
            after: Only ids above this one. The oldest of them are taken first, so that a reader who goes on with the
                greatest id it got (or with ``scanned_to``) misses nothing; ``next_before`` is then None.
            limit: At most so many, 1 to 1000.
            details: Whether messages come with their details: a list shows none.

        Where the filter has a text, or sessions and applications together, a bounded stretch of ids is looked at, or
        for words a bounded number of those that the index names; if it, or the time, ends before the page is full,
        ``scanned_to`` says where: the last id that was looked at.

        What is muted is left out after the filter has found it. Where nearly all is muted, a page may end like such a
        search before it is full. ``not_shown`` is at most 1 s old.

        Raises:
            BusyError: The time was up before anything was found out.
        """
        limit = min(max(limit, 1), MAX_LIMIT)
        bounds = Bounds(after=after, before=before, ascending=after is not None and before is None)
        with self._database.read() as session, limited(session, self._time_limit_s) as time_limit:
            dialect = session.get_bind().dialect.name
            selection = Selection.build(session, self._names, wanted)
            muted = None if wanted.muted == NOTHING else condition(wanted.muted, dialect)
            unmuted = find_unmuted(session, selection, muted, bounds, limit, scan_ids=SCAN_IDS, time_limit=time_limit)
            time_limit.lift()
            found = unmuted.found
            items = messages_of(session, self._names, found.ids, details=details)
        furthest = items[0 if bounds.ascending else -1].id if items else None
        reached = furthest if found.scanned_to is None else found.scanned_to
        return MessagePage(
            items,
            next_before=reached if found.has_more and not bounds.ascending else None,
            scanned_to=found.scanned_to,
            next_after=reached if found.has_more and bounds.ascending else None,
            timed_out=found.timed_out,
            not_shown=self._not_shown.get(),
            muted=unmuted.muted,
        )

    def around(self, wanted: MessageFilter, message_id: int, *, limit: int = 200, details: bool = True) -> MessagePage:
        """Return messages that fit a filter around an id, newest first: half of them newer, the rest not.

        Both ``next_before`` and ``next_after`` are set where there is more. ``scanned_to`` is that of the older half,
        or else that of the newer. What is asked for must itself fit to be among them.

        Raises:
            BusyError: As `page`.
        """
        half = max(limit // 2, 1)
        older = self.page(wanted, before=min(message_id, MAX_ID - 1) + 1, limit=half, details=details)
        newer = self.page(wanted, after=message_id, limit=half, details=details)
        return MessagePage(
            (*newer.items, *older.items),
            next_before=older.next_before,
            scanned_to=newer.scanned_to if older.scanned_to is None else older.scanned_to,
            next_after=newer.next_after,
            timed_out=older.timed_out or newer.timed_out,
            not_shown=newer.not_shown,
            muted=older.muted + newer.muted,
        )

    def news(self, wanted: MessageFilter, after: int, *, limit: int, known: int | None = None) -> News:
        """Return what has come after an id, the oldest first taken: what every open feed asks again and again.

        Messages come without their details.

        Args:
            wanted: What to show.
            after: Only ids above this one.
            limit: At most so many.
            known: The greatest id that the asker has heard of: what was read for another asker within the last 20 ms
                serves this one too if it reaches that far. None: everything that is stored by now.

        What has just come is looked at as it lies, in one statement at most, whatever the filter. A reader who is far
        behind is answered as by `page`.

        Raises:
            BusyError: As `page`.
        """
        if known is not None and known - after <= MOST:
            recent = self._recent.up_to(known)
            if recent.after <= after:
                return _news(_fitting(wanted, recent.beyond(after), limit), wanted, limit, max(recent.reached, after))
        with self._database.read() as session:
            newest = newest_id(session)
            if newest <= after:
                return News((), newest, has_more=False)
            if newest - after <= STRETCH_IDS:
                fitting = messages_between(session, self._names, wanted, after, newest, limit=limit)
                return _news(fitting, wanted, limit, newest)
        page = self.page(wanted, after=after, limit=limit, details=False)
        if page.scanned_to is None and page.next_after is None:
            # Some may have come since we looked for the newest.
            reached = max(newest, *(item.id for item in page.items[:1]), 0)
            return News(page.items, reached, has_more=False, muted=page.muted)
        reached = page.scanned_to or page.next_after or newest
        return News(page.items, reached, has_more=True, muted=page.muted)

    def message(self, message_id: int) -> MessageView:
        """Return one message.

        Raises:
            NotFoundError: There is none of this id, or it is not kept any more.
        """
        with self._database.read() as session:
            found = messages_where(session, self._names, MESSAGE.id == message_id)
        if not found:
            raise NotFoundError(f"There is no message {message_id}.", next_step="It may have expired.")
        return found[0]

    def newest_id(self) -> int:
        """Return the id of the newest message, 0 if there is none. It is the revision of the feed."""
        with self._database.read() as session:
            return newest_id(session)

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return all sessions and all applications that messages have named so far, each sorted."""
        with self._database.read() as session:
            sessions = session.scalars(select(MessageSession.name).order_by(MessageSession.name)).all()
            applications = session.scalars(select(MessageApplication.name).order_by(MessageApplication.name)).all()
        return tuple(sessions), tuple(applications)

    def rates(
        self, start: datetime, end: datetime, *, session: str | None = None, max_points: int = 2000
    ) -> tuple[RateBucket, ...]:
        """Return messages per bucket in ``start <= time < end``, oldest first; empty buckets are left out.

        The width is the finest that gives at most ``max_points`` buckets: 1 s (within the last two hours), 60 s,
        600 s, or a multiple of 600 s. The first bucket may begin before ``start``.
        """
        width_s = rollups.bucket_width_s(start, end, self._clock(), max(max_points, 1))
        resolution_s = max(resolution for resolution in rollups.RESOLUTIONS_S if resolution <= width_s)
        first_s = int(start.timestamp()) // width_s * width_s
        with self._database.read() as reading:
            wanted = _rates(width_s, resolution_s).where(
                _ROLLUP.resolution_s == resolution_s,
                _ROLLUP.session_id == _session_id(reading, session),
                _ROLLUP.bucket_s >= first_s,
                _ROLLUP.bucket_s < ceil(end.timestamp()),
            )
            return _buckets(reading.execute(wanted).all(), width_s)

    def statistics(self) -> MessageStatistics:
        """Return what the feed must always say about itself, from counters: nothing is counted here."""
        with self._database.read() as session:
            counters = _counters(session)
            newest = newest_id(session)
        not_shown = _not_shown(counters)
        return MessageStatistics(
            stored=counters.get("stored", 0) - counters.get("pruned", 0),
            newest_id=newest,
            quarantined=not_shown.quarantined,
            echo_not_stored=not_shown.echo_not_stored,
            gaps=not_shown.gaps,
            counters=counters,
        )

    def _count_not_shown(self) -> NotShown:
        # With the limit that pages have: PostgreSQL need not be told another in between.
        with self._database.read() as session, limited(session, self._time_limit_s):
            return _not_shown(_counters(session))


def _fitting(wanted: MessageFilter, messages: Iterable[MessageView], limit: int) -> tuple[MessageView, ...]:
    """Return the first ``limit`` of messages, oldest first, that fit a filter, muted or not; newest first."""
    return tuple(islice(filter(predicate(wanted.as_expression()), messages), limit))[::-1]


def _news(fitting: tuple[MessageView, ...], wanted: MessageFilter, limit: int, newest: int) -> News:
    """Return the news that are among the first ``limit`` that fit, up to the newest there is."""
    reached = fitting[0].id if len(fitting) == limit else newest
    items = without(wanted.muted, fitting)
    return News(items, reached, has_more=reached < newest, muted=len(fitting) - len(items))


def _rates(width_s: int, resolution_s: int) -> Select[Any]:
    """Return roll-ups as they are, or united to wider buckets: start, counts by severity, least and greatest id."""
    counts = [_ROLLUP[name] for name in rollups.COLUMNS]
    if width_s == resolution_s:
        return select(_ROLLUP.bucket_s, *counts, _ROLLUP.min_id, _ROLLUP.max_id).order_by(_ROLLUP.bucket_s)
    # A literal, not a parameter: PostgreSQL must see that SELECT and GROUP BY mean the same.
    width: ColumnElement[int] = literal_column(str(width_s), BigInteger)
    bucket = (_ROLLUP.bucket_s // width * width).label("bucket")
    # PostgreSQL's sums are decimal.
    sums = [cast(func.sum(count), BigInteger) for count in counts]
    return select(bucket, *sums, func.min(_ROLLUP.min_id), func.max(_ROLLUP.max_id)).group_by(bucket).order_by(bucket)


def _counters(session: Session) -> dict[str, int]:
    return dict(session.execute(_COUNTERS).all())


def _not_shown(counters: Mapping[str, int]) -> NotShown:
    return NotShown(
        echo_not_stored=counters.get("echo", 0),
        quarantined=counters.get("quarantined", 0),
        gaps=counters.get("gaps", 0),
    )


def _session_id(session: Session, name: str | None) -> int:
    if name is None:
        return rollups.ALL_SESSIONS
    found = session.scalar(select(MessageSession.id).where(MessageSession.name == name))
    return -1 if found is None else found


def _buckets(rows: Sequence[Row[*tuple[Any, ...]]], width_s: int) -> tuple[RateBucket, ...]:
    # All in one go: a plot of two weeks has thousands.
    return tuple(
        RateBucket(start_s, width_s, (debug, log, info, warning, error, fatal), least, most)
        for start_s, debug, log, info, warning, error, fatal, least, most in rows
    )
