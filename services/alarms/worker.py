"""The watch: once a second it compares what is with the alarms that are there. One collector at a time does it."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.alarms import Alarm, AlarmCursor, AlarmShelf
from models.database import Database, cause_of
from services.alarms import conditions, messages
from services.alarms.changes import Changes, changes
from services.alarms.rows import open_alarms
from services.alarms.rules import BUILT_IN, Rule
from services.alarms.types import AlarmKind, Condition
from services.clock import Clock
from services.coordination import Fence, LeaseKeeper, LeaseLostError, Leases
from services.loop import LoopWorker
from services.revisions import LiveTopic, bump

LEASE = "alarms"
LEASE_TTL_S = 5.0
INTERVAL_S = 1.0
# After the end of an alarm it stays in the list of what was.
KEPT = timedelta(days=90)
PRUNE_EVERY = timedelta(hours=1)

_CURSOR_ID = 1


class AlarmWatch(LoopWorker):
    """Raises and clears alarms (tables ``alarm``, ``alarm_shelf``, ``alarm_cursor``).

    Of several collectors one watches; the others stand by: ``holds_lease`` in the details of its health says which.
    """

    def __init__(self, database: Database, clock: Clock, rules: Sequence[Rule] = BUILT_IN) -> None:
        """Keep the collaborators, and which messages raise alarms; no thread, no connection is made before `start`."""
        super().__init__("alarms", clock)
        self._database = database
        self._clock = clock
        self._rules = tuple(rules)
        self._leases = Leases(database)
        self._keeper = LeaseKeeper(self._leases, LEASE, uuid.uuid4().hex, LEASE_TTL_S)
        self._pruned_at: datetime | None = None

    def turn(self) -> float:
        """Look once. Returns seconds to pause before the next look."""
        try:
            self._keeper.keep()
            fence = self._keeper.fence
            if fence is not None:
                self._look(fence)
        except LeaseLostError:
            # Another collector watches now; nothing was written.
            self._board.turned("ok", {"holds_lease": "no"})
        except SQLAlchemyError as error:
            self._board.erred(f"Alarms could not be brought up to date: {cause_of(error)}.")
        else:
            self._board.turned("ok", {"holds_lease": "no" if fence is None else "yes"})
        return INTERVAL_S

    def _finish(self) -> None:
        self._keeper.release()

    def _look(self, fence: Fence) -> None:
        now = self._clock()
        with self._database.read() as session:
            cursor = session.get(AlarmCursor, _CURSOR_ID)
            # What was before the console watched is history, not something to answer.
            start = messages.newest_message(session) if cursor is None else cursor.message_id
            happened, read_to = messages.happened(session, start, self._rules)
            moved = cursor is None or read_to != cursor.message_id
            found = changes(open_alarms(session, now), conditions.lasting(session, now), happened)
        prune = self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY
        if not (found or moved or prune):
            # A shelf that ends changes what is counted, though no alarm does.
            self._end_shelves(fence, now)
            return
        with self._leases.fenced(fence) as session:
            _write(session, found, now)
            session.merge(AlarmCursor(id=_CURSOR_ID, message_id=read_to))
            if prune:
                session.execute(delete(Alarm).where(Alarm.ended_at < now - KEPT))
            if found:
                bump(session, now, LiveTopic.ALARMS)
        if prune:
            self._pruned_at = now

    def _end_shelves(self, fence: Fence, now: datetime) -> None:
        with self._database.read() as session:
            over = session.scalar(select(AlarmShelf.key).where(AlarmShelf.until <= now).limit(1)) is not None
        if over:
            with self._leases.fenced(fence) as session:
                session.execute(delete(AlarmShelf).where(AlarmShelf.until <= now))
                bump(session, now, LiveTopic.ALARMS)


def _write(session: Session, found: Changes, now: datetime) -> None:
    session.add_all(_row(condition, now) for condition in found.raised)
    for number, condition in (found.repeated or {}).items():
        _repeat(session, number, condition, now)
    for number, condition in (found.reworded or {}).items():
        session.get_one(Alarm, number, with_for_update=True).text = condition.text
    for number in found.cleared:
        row = session.get_one(Alarm, number, with_for_update=True)
        row.cleared_at = now
        if row.acknowledged_at is not None:
            row.ended_at = now


def _row(condition: Condition, now: datetime) -> Alarm:
    momentary = condition.kind is AlarmKind.MESSAGE
    return Alarm(
        key=condition.key,
        kind=condition.kind.value,
        priority=condition.priority.value,
        session=condition.session,
        subject=condition.subject,
        text=condition.text,
        rule=condition.rule,
        occurrences=max(condition.before + condition.happened, 1),
        raised_at=now,
        last_at=condition.at,
        message_id=condition.message_id,
        cleared_at=now if momentary else None,
    )


def _repeat(session: Session, number: int, condition: Condition, now: datetime) -> None:
    row = session.get_one(Alarm, number, with_for_update=True)
    if row.ended_at is not None:
        # Acknowledged since it was read: what came now is another one.
        session.add(_row(condition, now))
        return
    row.occurrences += max(condition.happened, 1)
    row.last_at = condition.at
    row.text = condition.text
    row.priority = max(row.priority, condition.priority.value)
    row.message_id = condition.message_id
    if condition.kind is not AlarmKind.MESSAGE:
        row.cleared_at = None
