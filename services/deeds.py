"""What people do: the permission first, then the deed and its entry in the audit trail as one, or neither."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from models.database import Database
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.errors import ConsoleError, InvalidInputError, NotPermittedError
from services.revisions import LiveTopic, bump

MAX_TEXT = 2_000
NOT_DONE = "Nothing was changed."

T = TypeVar("T")


class Deeds:
    """Carries out what people ask of one area, and raises the revision of what pages follow of it."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock, topic: LiveTopic) -> None:
        """Keep the collaborators; ``topic`` is what changes."""
        self._database = database
        self._audit = audit
        self._clock = clock
        self._topic = topic

    def do(
        self,
        identity: Identity,
        permission: Permission,
        action: str,
        work: Callable[[Session, datetime], tuple[T, str]],
        details: Mapping[str, object],
    ) -> T:
        """Do something, or refuse it; both are audited.

        Args:
            identity: Who wants it.
            permission: What their role must include.
            action: Its name in the audit.
            work: Does it in a transaction, at a moment; returns what came of it, and the text for the audit.
            details: Its arguments, for the audit.

        Raises:
            NotPermittedError: The role does not include it.
            ConsoleError: As ``work`` raises it; nothing was changed.
        """
        try:
            _require(identity, permission)
            with self._database.write() as session:
                now = self._clock()
                result, text = work(session, now)
                self._audit.add(session, _entry(AuditKind.OUTCOME, identity, action, text, details))
                bump(session, now, self._topic)
        except ConsoleError as error:
            self._audit.record(_entry(AuditKind.REFUSAL, identity, action, error.message, details))
            raise
        return result


def kept_text(given: str, field: str) -> str:
    """Return a text that somebody wrote, as it is kept.

    Raises:
        InvalidInputError: It is too long; ``field`` names it.
    """
    kept = given.replace("\x00", "").strip()
    if len(kept) > MAX_TEXT:
        raise InvalidInputError(
            f"The {field} is longer than {MAX_TEXT} characters.",
            field=field,
            not_done=NOT_DONE,
            next_step="Make it shorter.",
        )
    return kept


def _require(identity: Identity, permission: Permission) -> None:
    if obstacle := identity.obstacle(permission):
        raise NotPermittedError(obstacle, next_step="Ask somebody with the right role.")


def _entry(kind: AuditKind, identity: Identity, action: str, text: str, details: Mapping[str, object]) -> AuditEntry:
    return AuditEntry(
        kind=kind,
        user_name=identity.name,
        action=action,
        text=text,
        remote_address=identity.remote_address,
        arguments=details,
    )
