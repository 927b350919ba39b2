"""Write and read the audit trail."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditRecord
from models.database import Database
from services.audit.types import AuditEntry, AuditKind, AuditView
from services.clock import Clock


class AuditTrail:
    """The append-only record of what people did (table ``audit_record``)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock

    def add(self, session: Session, entry: AuditEntry) -> None:
        """Add an entry in the caller's unit of work, so that the deed and its record are one."""
        session.add(
            AuditRecord(
                at=self._clock(),
                kind=entry.kind.value,
                user_name=entry.user_name,
                remote_address=entry.remote_address,
                action=entry.action,
                session=entry.session,
                target=entry.target,
                arguments=dict(entry.arguments),
                text=entry.text,
                command_id=entry.command_id,
            )
        )

    def record(self, entry: AuditEntry) -> None:
        """Add an entry in a unit of work of its own, e.g. for a refusal that changes nothing else."""
        with self._database.write() as session:
            self.add(session, entry)

    def newest(self, limit: int = 100) -> tuple[AuditView, ...]:
        """Return the newest entries, newest first."""
        with self._database.read() as session:
            rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc()).limit(limit))
            return tuple(_view(row) for row in rows)


def _view(row: AuditRecord) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        entry=AuditEntry(
            kind=AuditKind(row.kind),
            user_name=row.user_name,
            action=row.action,
            text=row.text,
            remote_address=row.remote_address,
            session=row.session,
            target=row.target,
            arguments=row.arguments,
            command_id=row.command_id,
        ),
    )
