"""Orders for the process manager: rules, rows and audit, on both engines."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from models.commands import Command
from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import InvalidInputError, NotFoundError, NotPermittedError, RefusedError
from services.run_control.command_types import Action, CommandState
from services.run_control.process_commands import ProcessCommandService
from services.run_control.queries import RunControlQueries
from tests.db.services.run_control.rows import ALICE, SESSION, VIEWER, SteppingClock, process_row, session_row

ADMINISTRATOR = Identity("ada", Role.ADMINISTRATOR, "192.0.2.9")


class Desk:
    """The service, and all that can be seen of what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = AuditTrail(database, SteppingClock())
        self.queries = RunControlQueries(database, SteppingClock())
        self.woken = 0
        self.service = ProcessCommandService(database, self.audit, SteppingClock(), self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def payload(self) -> dict[str, Any]:
        with self.database.read() as tx:
            return tx.scalars(select(Command.payload)).one() or {}


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.write() as tx:
        tx.add_all(
            [
                session_row(),
                process_row("u-1", name="df-01"),
                process_row("u-2", name="ru-01", status_code="DEAD", return_code=255),
                process_row("u-3", "other", name="mlt", status_code="DEAD", return_code=0),
            ]
        )
    return Desk(database)


def test_a_stored_kill(desk: Desk) -> None:
    command_id = desk.service.kill(ALICE, ["u-2", "u-1", "u-1"])
    view = desk.queries.command(command_id)
    assert (view.state, view.action, view.session) == (CommandState.PENDING, Action.KILL, SESSION)
    assert view.target == "df-01, ru-01"
    assert desk.payload() == {"processes": {"u-1": "df-01", "u-2": "ru-01"}}
    (intent,) = desk.audit.newest()
    assert (intent.entry.kind, intent.entry.action, intent.entry.target) == (AuditKind.INTENT, "kill", "df-01, ru-01")
    assert intent.entry.arguments == {"order": {"processes": {"u-1": "df-01", "u-2": "ru-01"}}}
    assert desk.woken == 1


def test_it_keeps_nobody_from_commanding_the_session(desk: Desk) -> None:
    desk.service.kill(ALICE, ["u-1"])
    assert desk.queries.session(SESSION).executing is None


def test_processes_of_several_sessions_belong_to_none(desk: Desk) -> None:
    assert desk.queries.command(desk.service.kill(ALICE, ["u-1", "u-3"])).session is None


@pytest.mark.parametrize("uuids", [["u-1", "gone"], ["\x00"], ["\ud800"]])
def test_what_is_not_listed_is_refused_as_a_whole(desk: Desk, uuids: list[str]) -> None:
    with pytest.raises(NotFoundError, match="1 of the"):
        desk.service.kill(ALICE, uuids)
    assert desk.queries.last_commands(None) == ()
    assert [view.entry.kind for view in desk.audit.newest()] == [AuditKind.REFUSAL]


def test_nothing_chosen(desk: Desk) -> None:
    with pytest.raises(InvalidInputError) as refused:
        desk.service.kill(ALICE, [])
    assert refused.value.field == "uuids"


@pytest.mark.parametrize(("session", "flushed"), [(None, {"u-2": "ru-01", "u-3": "mlt"}), (SESSION, {"u-2": "ru-01"})])
def test_flush_is_for_the_dead(desk: Desk, session: str | None, flushed: dict[str, str]) -> None:
    desk.service.flush(ALICE, session=session)
    assert desk.payload() == {"processes": flushed}


def test_flush_of_the_living_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="dead"):
        desk.service.flush(ALICE, ["u-1"])
    with pytest.raises(RefusedError, match="dead"):
        desk.service.flush(ALICE, session="\x00")


def test_terminate_needs_the_gravest_permission_and_a_reason(desk: Desk) -> None:
    with pytest.raises(NotPermittedError):
        desk.service.terminate(ALICE, "the end of the shift")
    with pytest.raises(InvalidInputError) as refused:
        desk.service.terminate(ADMINISTRATOR, "  ")
    assert refused.value.field == "reason"
    view = desk.queries.command(desk.service.terminate(ADMINISTRATOR, "the end of the shift"))
    assert (view.action, view.session, view.reason) == (Action.TERMINATE, None, "the end of the shift")
    assert desk.payload() == {"processes": {"u-1": "df-01", "u-2": "ru-01", "u-3": "mlt"}}


@pytest.mark.parametrize(
    "act",
    [
        lambda desk: desk.service.kill(VIEWER, ["u-1"]),
        lambda desk: desk.service.flush(VIEWER),
        lambda desk: desk.service.restart(VIEWER, "u-1"),
        lambda desk: desk.service.boot(VIEWER, "{}"),
        lambda desk: desk.service.dummy_boot(VIEWER, "s"),
        lambda desk: desk.service.terminate(VIEWER, "why not"),
    ],
)
def test_a_viewer_may_do_nothing(desk: Desk, act: Callable[[Desk], int]) -> None:
    with pytest.raises(NotPermittedError):
        act(desk)
    assert desk.queries.last_commands(None) == ()
    assert [view.entry.kind for view in desk.audit.newest()] == [AuditKind.REFUSAL]


def test_a_boot_order_is_stored_whole(desk: Desk) -> None:
    text = json.dumps({"name": "p", "session": "s", "commands": [["sleep", "1s"]], "environment": {"A": "b"}})
    view = desk.queries.command(desk.service.boot(ALICE, text))
    assert (view.target, view.session) == ("p", "s")
    (order,) = desk.payload()["orders"]
    assert (order["user"], order["commands"], order["environment"]) == ("alice", [["sleep", "1s"]], {"A": "b"})
