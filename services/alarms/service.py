"""What people do with alarms: acknowledge, shelve, write guidance. Each deed is audited with it, or not done."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alarms import KEY_LENGTH, Alarm, AlarmGuidance, AlarmShelf
from models.database import Database
from services.accounts.types import Identity, Permission
from services.alarms.types import AlarmKind, Guidance
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.errors import ConsoleError, InvalidInputError, NotFoundError, NotPermittedError
from services.revisions import LiveTopic, bump

MOST_AT_ONCE = 1_000
LONGEST_SHELF = timedelta(hours=24)
MAX_TEXT = 2_000


class AlarmService:
    """The door for everything that people do with alarms. Refusals are audited before they are raised."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._audit = audit
        self._clock = clock

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

        return self._do(identity, Permission.ACKNOWLEDGE_ALARM, "alarm.acknowledge", work, {"ids": list(ids)})

    def shelve(self, identity: Identity, keys: Sequence[str], minutes: int, reason: str) -> int:
        """Put alarms aside for some minutes, with a reason; return how many.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: No alarm, no reason, or a time beyond 24 h.
        """

        def work(session: Session, now: datetime) -> tuple[int, str]:
            _require_number(keys)
            said = _text(reason, "reason")
            if not said:
                raise InvalidInputError(
                    "Shelving needs a reason.", field="reason", not_done=_NOT_DONE, next_step="Say why nobody need act."
                )
            if not timedelta(0) < timedelta(minutes=minutes) <= LONGEST_SHELF:
                raise InvalidInputError(
                    "Alarms are shelved for 24 h at most.",
                    field="minutes",
                    not_done=_NOT_DONE,
                    next_step="Choose less.",
                )
            for key in sorted(set(keys)):
                until = now + timedelta(minutes=minutes)
                session.merge(
                    AlarmShelf(key=key[:KEY_LENGTH], shelved_at=now, shelved_by=identity.name, until=until, reason=said)
                )
            return len(set(keys)), said

        details = {"keys": list(keys), "minutes": minutes}
        return self._do(identity, Permission.SHELVE_ALARM, "alarm.shelve", work, details)

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

        return self._do(identity, Permission.SHELVE_ALARM, "alarm.unshelve", work, {"keys": list(keys)})

    def write_guidance(self, identity: Identity, kind: AlarmKind, subject: str, guidance: Guidance) -> None:
        """Keep what alarms of a kind (and a subject, if one is named) mean, what to do, and whom to call.

        Raises:
            NotPermittedError: The role does not include it.
            InvalidInputError: Meaning and action are both empty, or a text is too long.
        """

        def work(session: Session, now: datetime) -> tuple[int, str]:
            meaning, action = _text(guidance.meaning, "meaning"), _text(guidance.action, "action")
            contact = _text(guidance.contact, "contact")
            if not meaning and not action:
                raise InvalidInputError(
                    "Guidance needs a meaning or an action.",
                    field="meaning",
                    not_done=_NOT_DONE,
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
        self._do(identity, Permission.WRITE_GUIDANCE, "alarm.guidance", work, details)

    def _do(
        self,
        identity: Identity,
        permission: Permission,
        action: str,
        work: Callable[[Session, datetime], tuple[int, str]],
        details: Mapping[str, object],
    ) -> int:
        try:
            _require(identity, permission)
            with self._database.write() as session:
                now = self._clock()
                number, text = work(session, now)
                self._audit.add(session, _entry(AuditKind.OUTCOME, identity, action, text, details))
                bump(session, now, LiveTopic.ALARMS)
        except ConsoleError as error:
            self._audit.record(_entry(AuditKind.REFUSAL, identity, action, error.message, details))
            raise
        return number


_NOT_DONE = "Nothing was changed."


def _entry(kind: AuditKind, identity: Identity, action: str, text: str, details: Mapping[str, object]) -> AuditEntry:
    return AuditEntry(
        kind=kind,
        user_name=identity.name,
        action=action,
        text=text,
        remote_address=identity.remote_address,
        arguments=details,
    )


def _require(identity: Identity, permission: Permission) -> None:
    if not identity.may(permission):
        raise NotPermittedError(
            f"The role {identity.role} of {identity.name} does not include {permission}.",
            next_step="Ask somebody with the right role.",
        )


def _require_number(chosen: Sequence[object]) -> None:
    if not chosen:
        raise NotFoundError("No alarm is chosen.", not_done=_NOT_DONE, next_step="Choose the alarms first.")
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidInputError(
            f"{len(chosen)} alarms at once are too many.", field="alarms", not_done=_NOT_DONE, next_step="Choose fewer."
        )


def _text(given: str, field: str) -> str:
    """Return a text as it is kept."""
    kept = given.replace("\x00", "").strip()
    if len(kept) > MAX_TEXT:
        raise InvalidInputError(
            f"The {field} is longer than {MAX_TEXT} characters.",
            field=field,
            not_done=_NOT_DONE,
            next_step="Make it shorter.",
        )
    return kept
