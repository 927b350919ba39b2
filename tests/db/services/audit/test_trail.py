"""The audit trail on both engines."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.database import Database
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind

NOW = datetime(2026, 11, 20, 3, 12, 44, 318000, tzinfo=UTC)
ENTRY = AuditEntry(
    kind=AuditKind.INTENT,
    user_name="alice",
    action="execute_fsm_command",
    remote_address="127.0.0.1",
    session="local-1x1-config",
    target="root-controller",
    arguments={"run_number": 31427},
)


@pytest.fixture
def trail(database: Database) -> AuditTrail:
    return AuditTrail(database, lambda: NOW)


def test_what_is_written_is_read_newest_first(trail: AuditTrail) -> None:
    trail.record(ENTRY)
    trail.record(AuditEntry(kind=AuditKind.OUTCOME, user_name="alice", action="execute_fsm_command", text="done"))
    outcome, intent = trail.newest()
    assert (intent.at, intent.entry) == (NOW, ENTRY)
    assert outcome.entry.text == "done"


@pytest.mark.parametrize("statement", ["UPDATE audit_record SET text = 'x'", "DELETE FROM audit_record"])
def test_the_trail_cannot_be_changed(trail: AuditTrail, database: Database, statement: str) -> None:
    trail.record(ENTRY)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert [view.entry for view in trail.newest()] == [ENTRY]
