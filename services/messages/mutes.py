"""Mutes: known noise that the feed leaves out, for everybody, until a moment, with a reason. Nothing is lost by it.

A mute hides from the feed and its exports only. Messages are stored, counted in rates and raise alarms as ever: alarms
have a shelf of their own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import MessageMute
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock, nanoseconds
from services.deeds import MAX_TEXT, NOT_DONE, Deeds, kept_text
from services.errors import InvalidInputError, NotFoundError, RefusedError
from services.messages.counting import count_any
from services.messages.filter_text import parse, to_text
from services.messages.filters import all_of, any_of
from services.messages.mute_types import MUTABLE, Count, Hiding, Mute
from services.messages.texts import storable
from services.messages.types import EVERYTHING, NOTHING, Expression, MessageFilter, Severity, SeverityIn, Since
from services.messages.upsert import table_of
from services.revisions import LiveTopic, current
from services.timed import Timed

# Nobody remembers for longer: who still needs it says so again.
LONGEST = timedelta(days=7)
# Every page of the feed asks for all of them.
MOST = 50
# Of so much the feed says how many are hidden.
RECENT = timedelta(minutes=15)
# Counting is far dearer than the list, and hundreds of pages ask.
KEEP_S = 5.0

_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Known:
    """The mutes as of a revision or later; those that have ended by their time since are among them."""

    revision: int = -1
    mutes: tuple[Mute, ...] = ()


class MuteService:
    """The door for everything about mutes (table ``message_mute``). Refusals are audited before they are raised."""

    def __init__(
        self, database: Database, audit: AuditTrail, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock
        self._deeds = Deeds(database, audit, clock, LiveTopic.MUTES)
        self._hiding = Timed(self._count, KEEP_S, monotonic)
        self._known = _Known()

    def active(self) -> tuple[Mute, ...]:
        """Return the mutes that last, the newest first."""
        with self._database.read() as session:
            return self._lasting(session)

    def muted(self, known: int | None = None) -> Expression:
        """Return what the mutes that last hide together; `NOTHING` where there are none.

        ``known`` is the revision of `LiveTopic.MUTES` that the asker has heard of: the mutes as of then, or of later,
        serve it, and need not be read again for each open feed. None: those of this moment.
        """
        kept, now = self._known, self._clock()
        if known is None or kept.revision < known:
            with self._database.read() as session:
                # Read before the mutes: they may be newer than it says, never older.
                revision = current(session)[LiveTopic.MUTES]
                self._known = kept = _Known(revision, self._lasting(session))
        return any_of(*(mute.fits for mute in kept.mutes if mute.until > now))

    def hiding(self) -> Hiding:
        """Return how many of the last 15 minutes the mutes hide; at most 5 s old."""
        mutes = self.active()
        found = self._hiding.get()
        return found if found.of == _ids(mutes) else self._hiding.renew()

    def would_hide(self, what: Expression, up_to: Severity, span: timedelta) -> Count:
        """Return how many messages of the last ``span`` a mute would hide, whether another hides them or not."""
        return count_any(self._database, [self._recent(_bounded(what, up_to), span)])

    def add(self, identity: Identity, what: Expression, up_to: Severity, lasts: timedelta, reason: str) -> Mute:
        """Mute messages.

        Args:
            identity: Who.
            what: Which messages; at least something must be said of them.
            up_to: Only up to this severity; at most ERROR: FATAL is never muted.
            lasts: For how long, at most a week.
            reason: Why nobody need see them.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: Everything would be muted, or FATAL; there is no reason; a time beyond a week.
            RefusedError: There are too many mutes already.
        """

        def work(session: Session, now: datetime) -> tuple[Mute, str]:
            text, said = _checked(what, up_to, lasts, reason)
            _require_room(session, now)
            row = MessageMute(
                expression=text, up_to=up_to.value, reason=said, muted_at=now, muted_by=identity.name, until=now + lasts
            )
            session.add(row)
            session.flush()
            return _mute(row), said

        details = {"what": _kept(what)[:MAX_TEXT], "up_to": up_to.name, "minutes": int(lasts.total_seconds() // 60)}
        return self._deeds.do(identity, Permission.MUTE_MESSAGES, "messages.mute", work, details)

    def end(self, identity: Identity, mute_id: int) -> None:
        """End a mute before its time.

        Raises:
            NotPermittedError: The role does not include it.
            NotFoundError: It has ended already, or there never was one.
        """

        def work(session: Session, now: datetime) -> tuple[None, str]:
            row = session.get(MessageMute, mute_id, with_for_update=True)
            if row is None or row.ended_at is not None:
                raise NotFoundError("This mute has ended already.", not_done=NOT_DONE)
            row.ended_at, row.ended_by = now, identity.name
            return None, row.expression

        self._deeds.do(identity, Permission.MUTE_MESSAGES, "messages.unmute", work, {"id": mute_id})

    def _lasting(self, session: Session) -> tuple[Mute, ...]:
        return tuple(_mute(row) for row in session.execute(_LASTING, {"now": self._clock()}))

    def _count(self) -> Hiding:
        mutes = self.active()
        return Hiding(_ids(mutes), count_any(self._database, [self._recent(mute.fits, RECENT) for mute in mutes]))

    def _recent(self, fits: Expression, span: timedelta) -> MessageFilter:
        return MessageFilter(where=all_of(fits, Since(nanoseconds(self._clock() - span))))


def _kept(what: Expression) -> str:
    return storable(to_text(what))


def _lasting() -> Select[Any]:
    columns = table_of(MessageMute).c
    return (
        select(
            columns.id,
            columns.expression,
            columns.up_to,
            columns.reason,
            columns.muted_by,
            columns.muted_at,
            columns.until,
        )
        .where(columns.ended_at.is_(None), columns.until > bindparam("now", type_=columns.until.type))
        .order_by(columns.id.desc())
    )


# Once: to build it costs more than to run it.
_LASTING = _lasting()


def _ids(mutes: Sequence[Mute]) -> tuple[int, ...]:
    return tuple(mute.id for mute in mutes)


def _bounded(what: Expression, up_to: Severity) -> Expression:
    return all_of(SeverityIn(frozenset(severity for severity in MUTABLE if severity <= up_to)), what)


def _mute(row: MessageMute | _Row) -> Mute:
    up_to = Severity(row.up_to)
    return Mute(
        id=row.id,
        fits=_fits(row.expression, up_to),
        text=row.expression,
        up_to=up_to,
        reason=row.reason,
        by=row.muted_by,
        at=row.muted_at,
        until=row.until,
    )


@lru_cache(maxsize=2 * MOST)
def _fits(text: str, up_to: Severity) -> Expression:
    """Return what a mute hides. Every tick of a feed asks for the same few: each text is understood once."""
    return _bounded(parse(text), up_to)


def _checked(what: Expression, up_to: Severity, lasts: timedelta, reason: str) -> tuple[str, str]:
    """Return text and reason of a mute as they are kept."""
    if what in (EVERYTHING, NOTHING):
        raise _wrong("Say which messages to mute: nothing is said of them.", "what", "Name an application, or a text.")
    if up_to not in MUTABLE:
        raise _wrong("FATAL is never muted.", "up_to", "Mute up to ERROR.")
    if not timedelta(0) < lasts <= LONGEST:
        raise _wrong(f"Messages are muted for {LONGEST.days} days at most.", "lasts", "Choose less.")
    said = kept_text(reason, "reason")
    if not said:
        raise _wrong("Muting needs a reason.", "reason", "Say why nobody need see them.")
    text = _kept(what)
    # What cannot be read back would break every page of the feed.
    parse(text)
    return text, said


def _wrong(message: str, field: str, next_step: str) -> InvalidInputError:
    return InvalidInputError(message, field=field, not_done="Nothing was muted.", next_step=next_step)


def _require_room(session: Session, now: datetime) -> None:
    lasting = select(func.count(MessageMute.id)).where(MessageMute.ended_at.is_(None), MessageMute.until > now)
    if session.scalars(lasting).one() >= MOST:
        raise RefusedError(
            f"There are {MOST} mutes already.", not_done="Nothing was muted.", next_step="End those nobody needs."
        )
