"""Orders for sequences and their abort: rules, rows and audit, on both engines."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.commands import Command
from models.database import Database
from models.run_control import DaqSession
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import (
    ConsoleError,
    InvalidInputError,
    NotFoundError,
    NotInControlError,
    NotPermittedError,
    RefusedError,
)
from services.run_control.command_types import Action, CommandState, StepState
from services.run_control.commands import CommandLimits
from services.run_control.fsm_types import Argument, ArgumentType, Sequence, Transition
from services.run_control.queries import RunControlQueries
from services.run_control.rows import sequences_to_json, transitions_to_json
from services.run_control.sequences import SequenceService
from tests.db.services.run_control.rows import (
    ALICE,
    BOB,
    SESSION,
    TRANSITIONS,
    VIEWER,
    SteppingClock,
    command_row,
    session_row,
)

START_RUN = Sequence("start_run", ("conf", "start", "enable_triggers"), frozenset({"conf"}))
DEMANDING = Transition("conf", (Argument("some_int", ArgumentType.INT, mandatory=True),))
KNOWN = (DEMANDING, *TRANSITIONS[1:], Transition("enable_triggers"))


class Desk:
    """The service, and all that can be seen of what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = AuditTrail(database, SteppingClock())
        self.queries = RunControlQueries(database, SteppingClock())
        self.service = SequenceService(
            database, self.audit, SteppingClock(), CommandLimits(timedelta(seconds=5)), lambda: None
        )

    def change(self, **fields: object) -> None:
        with self.database.write() as tx:
            row = tx.get(DaqSession, SESSION)
            for name, value in fields.items():
                setattr(row, name, value)

    def start(self, **arguments: object) -> int:
        return self.service.execute(ALICE, SESSION, "start_run", arguments or {"run_number": "7"})

    def payload(self) -> dict[str, Any]:
        with self.database.read() as tx:
            return tx.scalars(select(Command.payload)).one() or {}


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.write() as tx:
        tx.add(session_row(sequences=sequences_to_json([START_RUN]), transitions=transitions_to_json(KNOWN)))
    return Desk(database)


def test_a_stored_sequence(desk: Desk) -> None:
    view = desk.queries.command(desk.start(run_number="7", run_type="PROD"))
    assert (view.action, view.transition, view.target) == (Action.EXECUTE_SEQUENCE, "start_run", "root-controller")
    assert [(step.transition, step.state) for step in view.steps] == [
        ("conf", StepState.WAITING),
        ("start", StepState.WAITING),
        ("enable_triggers", StepState.WAITING),
    ]
    assert view.arguments == {"run_number": 7, "run_type": "PROD"}
    # Configured already: conf is going to be skipped, so nobody is asked for its argument.
    assert desk.payload() == {
        "arguments": {"start": {"run_number": 7, "run_type": "PROD"}, "enable_triggers": {}},
        "optional": ["conf"],
    }
    executing = desk.queries.session(SESSION).executing
    assert executing is not None
    assert executing.steps == view.steps


def test_from_the_beginning_all_arguments_are_needed(desk: Desk) -> None:
    desk.change(state="initial", possible=["conf"])
    with pytest.raises(InvalidInputError) as refused:
        desk.start(run_number=7)
    assert refused.value.field == "some_int"
    desk.start(run_number=7, some_int="3")
    assert desk.payload()["arguments"]["conf"] == {"some_int": 3}


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"holder": "bob"}, NotInControlError, "bob"),
        ({"in_error": True}, RefusedError, "in error"),
        ({"possible": ["enable_triggers"], "state": "ready"}, RefusedError, "start is not possible"),
        ({"sequences": None}, RefusedError, "no sequence start_run"),
    ],
)
def test_refusals(desk: Desk, fields: dict[str, object], error: type[ConsoleError], words: str) -> None:
    desk.change(**fields)
    with pytest.raises(error, match=words) as refused:
        desk.start()
    assert desk.queries.last_commands(None) == ()
    assert desk.service.why_not(ALICE, desk.queries.session(SESSION), "start_run") == refused.value.message


def test_arguments_of_no_step(desk: Desk) -> None:
    with pytest.raises(InvalidInputError) as refused:
        desk.start(run_number=1, elisa="x")
    assert refused.value.field == "elisa"


def test_who_aborts_is_kept_and_audited(desk: Desk) -> None:
    command_id = desk.start()
    desk.service.abort(BOB, command_id)
    assert desk.queries.command(command_id).aborted_by == "bob"
    entry = desk.audit.newest()[0].entry
    assert (entry.kind, entry.action, entry.user_name, entry.command_id) == (
        AuditKind.INTENT,
        "abort_sequence",
        "bob",
        command_id,
    )


def test_what_cannot_be_aborted(desk: Desk) -> None:
    with desk.database.write() as tx:
        tx.add(command_row())
        tx.add(command_row("r-2", action=Action.EXECUTE_SEQUENCE.value, state=CommandState.FAILED.value))
    with pytest.raises(NotFoundError):
        desk.service.abort(ALICE, 1)
    with pytest.raises(RefusedError):
        desk.service.abort(ALICE, 2)
    with pytest.raises(NotFoundError):
        desk.service.abort(ALICE, 77)
    with pytest.raises(NotPermittedError):
        desk.service.abort(VIEWER, 2)
    assert {view.entry.kind for view in desk.audit.newest()} == {AuditKind.REFUSAL}
