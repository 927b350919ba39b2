"""Orders for whole sessions: rules, rows, audit and the lines for shells, on both engines."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from models.commands import Command
from models.database import Database
from models.run_control import Backend
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import (
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    NotSupportedError,
    RefusedError,
)
from services.run_control.command_types import Action, CommandState
from services.run_control.config import RunControlConfig
from services.run_control.queries import RunControlQueries
from services.run_control.session_commands import SessionCommandService
from services.run_control.session_types import Configuration
from tests.db.services.run_control.rows import ALICE, NOW, SESSION, VIEWER, SteppingClock, command_row, session_row

CONFIGURATION = Configuration("example-configs.data.xml", "local-2x3-config")
CONFIG = RunControlConfig("h:10054", "h:5000", run_control_address="h:50001")


class Desk:
    """The service, and all that can be seen of what it does."""

    def __init__(self, database: Database, config: RunControlConfig = CONFIG) -> None:
        self.database = database
        self.audit = AuditTrail(database, SteppingClock())
        self.queries = RunControlQueries(database, SteppingClock())
        self.woken = 0
        self.service = SessionCommandService(database, self.audit, SteppingClock(), config, on_submit=self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def add(self, row: Any) -> None:
        with self.database.write() as tx:
            tx.add(row)

    def payload(self) -> dict[str, Any]:
        with self.database.read() as tx:
            return tx.scalars(select(Command.payload)).one() or {}

    def refused(self, words: str) -> None:
        (entry,) = [view.entry for view in self.audit.newest()]
        assert entry.kind is AuditKind.REFUSAL
        assert words in entry.text
        assert self.woken == 0


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_stored_start(desk: Desk) -> None:
    view = desk.queries.command(desk.service.start(ALICE, "shift-7", CONFIGURATION))
    assert (view.action, view.session, view.target, view.state) == (
        Action.START_SESSION, "shift-7", "shift-7", CommandState.PENDING,
    )  # fmt: skip
    order = {
        "file": CONFIGURATION.file,
        "configuration": CONFIGURATION.id,
        "process_manager": "grpc://h:10054",
    }
    assert desk.payload() == order
    (intent,) = desk.audit.newest()
    assert (intent.entry.kind, intent.entry.arguments) == (AuditKind.INTENT, {"order": order})
    assert desk.woken == 1


def test_a_stored_end_carries_the_configuration_that_is_known(desk: Desk) -> None:
    desk.add(session_row(configuration_file="f.xml", configuration_id="c"))
    view = desk.queries.command(desk.service.end(ALICE, SESSION))
    assert (view.action, view.session) == (Action.END_SESSION, SESSION)
    assert (desk.payload()["file"], desk.payload()["configuration"]) == ("f.xml", "c")
    # Its controllers are left alone meanwhile.
    executing = desk.queries.session(SESSION).executing
    assert executing is not None
    assert executing.action is Action.END_SESSION


@pytest.mark.parametrize(
    ("name", "file", "configuration", "field"),
    [
        ("", "f", "c", "name"),
        ("-x", "f", "c", "name"),
        ("a/b", "f", "c", "name"),
        ("a b", "f", "c", "name"),
        ("a\x00", "f", "c", "name"),
        ("é", "f", "c", "name"),
        ("s" * 256, "f", "c", "name"),
        ("s", "", "c", "file"),
        ("s", "f\n", "c", "file"),
        ("s", "f" * 1025, "c", "file"),
        ("s", "f", "", "configuration"),
        ("s", "f", "\ud800", "configuration"),
    ],
)
def test_what_cannot_be_is_refused_by_field(desk: Desk, name: str, file: str, configuration: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        desk.service.start(ALICE, name, Configuration(file, configuration))
    assert caught.value.field == field
    desk.refused("")
    with pytest.raises(InvalidInputError):
        desk.service.start_lines(name, Configuration(file, configuration))


def test_a_name_that_is_taken(desk: Desk) -> None:
    desk.add(session_row())
    with pytest.raises(RefusedError, match="is there already"):
        desk.service.start(ALICE, SESSION, CONFIGURATION)
    desk.refused(SESSION)


def test_the_name_of_a_session_that_is_gone_is_free(desk: Desk) -> None:
    desk.add(session_row(present=False, vanished_at=NOW))
    assert desk.service.start(ALICE, SESSION, CONFIGURATION)


def test_one_session_at_a_time(desk: Desk) -> None:
    desk.service.start(ALICE, "one", CONFIGURATION)
    with pytest.raises(RefusedError, match="start_session of one by alice"):
        desk.service.start(ALICE, "two", CONFIGURATION)


def test_no_end_during_a_transition(desk: Desk) -> None:
    desk.add(session_row())
    desk.add(command_row())
    with pytest.raises(RefusedError, match="is under way"):
        desk.service.end(ALICE, SESSION)
    desk.refused("start of alice")


def test_no_end_of_what_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.service.end(ALICE, "nobody")
    desk.refused("nobody")


def test_viewers_only_look(desk: Desk) -> None:
    with pytest.raises(NotPermittedError):
        desk.service.start(VIEWER, "s", CONFIGURATION)
    desk.refused("session.start")


def test_where_there_is_no_service_there_are_lines_to_copy(database: Database) -> None:
    desk = Desk(database, replace(CONFIG, run_control_address=None))
    assert not desk.service.can_order
    with pytest.raises(NotSupportedError, match="no run control service") as caught:
        desk.service.start(ALICE, "shift-7", CONFIGURATION)
    assert "Copy the lines" in caught.value.next_step
    desk.refused("no run control service")
    assert desk.service.start_lines("shift-7", CONFIGURATION).shell.startswith("drunc-unified-shell grpc://h:10054 ")
    desk.add(
        Backend(kind="process_manager", address="h:10054", generation="G1", reachable=True, since=NOW, tried_at=NOW)
    )
    assert desk.service.start_lines("shift-7", CONFIGURATION).shell == "drunc-process-manager-shell grpc://h:10054"
    assert desk.service.end_lines("shift-7").then == "kill --session shift-7"
