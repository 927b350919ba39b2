"""Alarm rows as plain data."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alarms import Alarm, AlarmShelf
from services.alarms.types import AlarmKind, AlarmView, Priority, Shelf


def shelves(session: Session, now: datetime) -> Mapping[str, Shelf]:
    """Return what is shelved at ``now``, by key."""
    rows = session.scalars(select(AlarmShelf).where(AlarmShelf.until > now))
    return {row.key: Shelf(row.shelved_by, row.until, row.reason) for row in rows}


def open_alarms(session: Session, now: datetime) -> tuple[AlarmView, ...]:
    """Return the alarms that have not ended, oldest first."""
    put_aside = shelves(session, now)
    rows = session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.id))
    return tuple(alarm_view(row, put_aside.get(row.key)) for row in rows)


def alarm_view(row: Alarm, shelf: Shelf | None = None) -> AlarmView:
    """Return one alarm."""
    return AlarmView(
        id=row.id,
        key=row.key,
        kind=AlarmKind(row.kind),
        priority=Priority(row.priority),
        session=row.session,
        subject=row.subject,
        text=row.text,
        occurrences=row.occurrences,
        raised_at=row.raised_at,
        last_at=row.last_at,
        message_id=row.message_id,
        cleared_at=row.cleared_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        ended_at=row.ended_at,
        shelf=shelf,
        rule=row.rule,
    )
