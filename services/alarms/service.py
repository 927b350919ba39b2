"""What people do with alarms: acknowledge, shelve, write guidance. Each deed is audited with it, or not done."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alarms import KEY_LENGTH, Alarm, AlarmGuidance, AlarmShelf
from models.database import Database
from services.accounts.types import Identity, Permission
from services.alarms.types import AlarmKind, Guidance
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.deeds import MAX_TEXT, NOT_DONE, Deeds, kept_text
from services.errors import InvalidInputError, NotFoundError
from services.revisions import LiveTopic

MOST_AT_ONCE = 1_000
LONGEST_SHELF = timedelta(hours=24)


class AlarmService:
    """The door for everything that people do with alarms. Refusals are audited before they are raised."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock) -> None:
        """Keep what carries out deeds."""
        self._deeds = Deeds(database, audit, clock, LiveTopic.ALARMS)

    def acknowledge(self, identity: Identity, ids: Sequence[int]) -> int:
        """Acknowledge alarms; return how many of them were not yet.

        An alarm whose condition is gone ends with it; the others stay until it is.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: No alarm is named, or too many.
        """

        def work(session: Session, now: datetime) -> tuple[int, str]:
            _require_number(ids)
            rows = session.scalars(
                select(Alarm)
                .where(Alarm.id.in_(ids), Alarm.acknowledged_at.is_(None), Alarm.ended_at.is_(None))
                .order_by(Alarm.id)
                .with_for_update()
            ).all()
            for row in rows:
                row.acknowledged_at = now
                row.acknowledged_by = identity.name
                if row.cleared_at is not None:
                    row.ended_at = now
            return len(rows), ", ".join(row.key for row in rows)[:MAX_TEXT]

        return self._deeds.do(identity, Permission.ACKNOWLEDGE_ALARM, "alarm.acknowledge", work, {"ids": list(ids)})

    def shelve(self, identity: Identity, keys: Sequence[str], minutes: int, reason: str) -> int:
        """Put alarms aside for some minutes, with a reason; return how many.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: No alarm, no reason, or a time beyond 24 h.
        """

        def work(session: Session, now: datetime) -> tuple[int, str]:
            _require_number(keys)
            said = kept_text(reason, "reason")
            if not said:
                raise InvalidInputError(
                    "Shelving needs a reason.", field="reason", not_done=NOT_DONE, next_step="Say why nobody need act."
                )
            if not timedelta(0) < timedelta(minutes=minutes) <= LONGEST_SHELF:
                raise InvalidInputError(
                    "Alarms are shelved for 24 h at most.",
                    field="minutes",
                    not_done=NOT_DONE,
                    next_step="Choose less.",
                )
            for key in sorted(set(keys)):
                until = now + timedelta(minutes=minutes)
                session.merge(
                    AlarmShelf(key=key[:KEY_LENGTH], shelved_at=now, shelved_by=identity.name, until=until, reason=said)
                )
            return len(set(keys)), said

        details = {"keys": list(keys), "minutes": minutes}
        return self._deeds.do(identity, Permission.SHELVE_ALARM, "alarm.shelve", work, details)

    def unshelve(self, identity: Identity, keys: Sequence[str]) -> int:
        """Take alarms back from the shelf; return how many were there.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: No alarm is named, or too many.
        """

        def work(session: Session, _now: datetime) -> tuple[int, str]:
            _require_number(keys)
            rows = session.scalars(select(AlarmShelf).where(AlarmShelf.key.in_(keys)).with_for_update()).all()
            for row in rows:
                session.delete(row)
            return len(rows), ""

        return self._deeds.do(identity, Permission.SHELVE_ALARM, "alarm.unshelve", work, {"keys": list(keys)})

    def write_guidance(self, identity: Identity, kind: AlarmKind, subject: str, guidance: Guidance) -> None:
        """Keep what alarms of a kind (and a subject, if one is named) mean, what to do, and whom to call.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: Meaning and action are both empty, or a text is too long.
        """

        def work(session: Session, now: datetime) -> tuple[int, str]:
            meaning, action = kept_text(guidance.meaning, "meaning"), kept_text(guidance.action, "action")
            contact = kept_text(guidance.contact, "contact")
            if not meaning and not action:
                raise InvalidInputError(
                    "Guidance needs a meaning or an action.",
                    field="meaning",
                    not_done=NOT_DONE,
                    next_step="Write one.",
                )
            session.merge(
                AlarmGuidance(
                    kind=kind.value,
                    subject=subject,
                    meaning=meaning,
                    action=action,
                    contact=contact,
                    changed_at=now,
                    changed_by=identity.name,
                )
            )
            return 1, meaning

        details = {"kind": kind.value, "subject": subject, "action": guidance.action, "contact": guidance.contact}
        self._deeds.do(identity, Permission.WRITE_GUIDANCE, "alarm.guidance", work, details)


def _require_number(chosen: Sequence[object]) -> None:
    if not chosen:
        raise NotFoundError("No alarm is chosen.", not_done=NOT_DONE, next_step="Choose the alarms first.")
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidInputError(
            f"{len(chosen)} alarms at once are too many.", field="alarms", not_done=NOT_DONE, next_step="Choose fewer."
        )
