"""Orders for parts of the tree: rules, rows and audit, on both engines."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.commands import Command
from models.database import Database
from models.run_control import DaqSession
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import (
    ConsoleError,
    InvalidInputError,
    NotFoundError,
    NotInControlError,
    NotPermittedError,
    NotSupportedError,
    RefusedError,
    StaleError,
)
from services.run_control.command_types import Action, CommandState
from services.run_control.commands import CommandLimits
from services.run_control.node_commands import NodeCommandService, outermost
from services.run_control.node_types import Target
from services.run_control.queries import RunControlQueries
from tests.db.services.run_control.rows import (
    ALICE,
    NOW,
    SESSION,
    VIEWER,
    SteppingClock,
    command_row,
    node_row,
    session_row,
)

ADMINISTRATOR = Identity("alice", Role.ADMINISTRATOR)
DF = "root-controller/df-controller"
EXPERT = json.dumps({"id": "x", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "ANY"})
ROOT_ORDER = {"address": None, "path": "", "along_path": None, "all_children": None}


class Desk:
    """The service, and all that can be seen of what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = AuditTrail(database, SteppingClock())
        self.queries = RunControlQueries(database, SteppingClock())
        self.service = NodeCommandService(
            database, self.audit, SteppingClock(), CommandLimits(timedelta(seconds=5)), lambda: None
        )

    def change(self, **fields: object) -> None:
        with self.database.write() as tx:
            row = tx.get(DaqSession, SESSION)
            for name, value in fields.items():
                setattr(row, name, value)

    def finish(self) -> None:
        with self.database.write() as tx:
            tx.execute(update(Command).values(state=CommandState.SUCCEEDED.value))

    def payload(self, command_id: int) -> dict[str, Any]:
        with self.database.read() as tx:
            return tx.scalars(select(Command.payload).where(Command.id == command_id)).one() or {}


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.write() as tx:
        tx.add_all(
            [
                session_row(),
                node_row("root-controller", 0),
                node_row(DF, 1, endpoint="grpc://127.0.0.1:5001"),
                node_row(f"{DF}/df-01", 2, kind="application", endpoint="rest://127.0.0.1:5002"),
            ]
        )
    return Desk(database)


@pytest.mark.parametrize("path", ["", "root-controller"])
def test_the_whole_tree(desk: Desk, path: str) -> None:
    command_id = desk.service.exclude(ALICE, SESSION, Target(path))
    view = desk.queries.command(command_id)
    assert (view.action, view.target, view.session) == (Action.EXCLUDE, "root-controller", SESSION)
    assert desk.payload(command_id) == ROOT_ORDER
    (intent,) = desk.audit.newest()
    assert (intent.entry.kind, intent.entry.action, intent.entry.target) == (
        AuditKind.INTENT,
        "exclude",
        "root-controller",
    )


def test_in_g1_a_part_is_commanded_through_its_own_controller(desk: Desk) -> None:
    command_id = desk.service.include(ALICE, SESSION, Target(DF))
    assert desk.queries.command(command_id).target == DF
    assert desk.payload(command_id) == ROOT_ORDER | {"address": "127.0.0.1:5001"}


def test_from_g2_on_the_root_passes_it_on(desk: Desk) -> None:
    desk.change(generation="G2")
    command_id = desk.service.recompute_status(ALICE, SESSION, Target(f"{DF}/df-01", along_path=False))
    assert desk.payload(command_id) == ROOT_ORDER | {"path": f"{DF}/df-01", "along_path": False}


def test_in_g1_an_application_cannot_be_commanded_by_itself(desk: Desk) -> None:
    with pytest.raises(NotSupportedError, match="df-01"):
        desk.service.exclude(ALICE, SESSION, Target(f"{DF}/df-01"))


def test_several_parts_are_one_command(desk: Desk) -> None:
    desk.change(generation="G2")
    with desk.database.write() as tx:
        tx.add(node_row("root-controller/ru-controller", 3))
    ru, df_01 = Target("root-controller/ru-controller"), Target(f"{DF}/df-01")
    command_id = desk.service.exclude(ALICE, SESSION, ru, Target(DF), df_01, ru)
    # df-01 is below a chosen one, and nothing is sent twice.
    assert desk.queries.command(command_id).target == f"{ru.path}, {DF}"
    assert desk.payload(command_id) == {
        "parts": [ROOT_ORDER | {"path": path, "node": path} for path in (ru.path, DF)],
    }


def test_a_part_stays_where_the_one_above_leaves_it_out() -> None:
    above, below = Target("root-controller/df", all_children=False), Target("root-controller/df/df-01")
    assert outermost([above, below]) == (above, below)


def test_why_not_tells_of_nodes_that_cannot_be_commanded_by_themselves(desk: Desk) -> None:
    summary = desk.queries.session(SESSION)
    nodes = desk.queries.tree(SESSION)
    assert desk.service.why_not(ALICE, summary, Action.EXCLUDE, nodes[:2]) is None
    assert "df-01 by itself" in (desk.service.why_not(ALICE, summary, Action.EXCLUDE, nodes) or "")
    desk.change(generation="G2")
    assert desk.service.why_not(ALICE, desk.queries.session(SESSION), Action.EXCLUDE, nodes) is None


@pytest.mark.parametrize(
    ("generation", "action"),
    [
        ("G1", Action.RECOMPUTE_STATUS),
        ("G1", Action.EXPERT_COMMAND),
        ("G1", Action.TO_ERROR),
        ("G2", Action.TO_ERROR),
    ],
)
def test_what_a_generation_lacks(desk: Desk, generation: str, action: Action) -> None:
    desk.change(generation=generation)
    acts: dict[Action, Callable[[], int]] = {
        Action.RECOMPUTE_STATUS: lambda: desk.service.recompute_status(ADMINISTRATOR, SESSION),
        Action.EXPERT_COMMAND: lambda: desk.service.expert_command(ADMINISTRATOR, SESSION, EXPERT),
        Action.TO_ERROR: lambda: desk.service.to_error(ADMINISTRATOR, SESSION),
    }
    with pytest.raises(NotSupportedError, match=generation) as refused:
        acts[action]()
    assert desk.service.why_not(ADMINISTRATOR, desk.queries.session(SESSION), action) == refused.value.message
    assert desk.queries.last_commands(None) == ()


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"holder": "bob"}, NotInControlError, "bob is in control"),
        ({"holder": ""}, NotInControlError, "Nobody is in control"),
        ({"polled_at": NOW - timedelta(seconds=6)}, StaleError, "6 s old"),
        ({"present": False}, NotFoundError, SESSION),
    ],
)
def test_refusals_are_audited(desk: Desk, fields: dict[str, object], error: type[ConsoleError], words: str) -> None:
    desk.change(**fields)
    with pytest.raises(error, match=words):
        desk.service.exclude(ALICE, SESSION)
    assert desk.queries.last_commands(None) == ()
    assert [view.entry.kind for view in desk.audit.newest()] == [AuditKind.REFUSAL]


def test_another_command_is_under_way(desk: Desk) -> None:
    with desk.database.write() as tx:
        tx.add(command_row())
    with pytest.raises(RefusedError, match="start of alice"):
        desk.service.exclude(ALICE, SESSION)


def test_a_node_in_error_can_be_excluded_and_recomputed(desk: Desk) -> None:
    desk.change(generation="G3", in_error=True, included=False)
    summary = desk.queries.session(SESSION)
    for action in (Action.INCLUDE, Action.EXCLUDE, Action.RECOMPUTE_STATUS):
        assert desk.service.why_not(ALICE, summary, action) is None


@pytest.mark.parametrize("path", ["elsewhere", "\x00", "\ud800", "x" * 5000])
def test_nodes_that_nobody_knows(desk: Desk, path: str) -> None:
    with pytest.raises(NotFoundError):
        desk.service.exclude(ALICE, SESSION, Target(path))


def test_roles(desk: Desk) -> None:
    desk.change(generation="G3")
    with pytest.raises(NotPermittedError):
        desk.service.exclude(VIEWER, SESSION)
    with pytest.raises(NotPermittedError):
        desk.service.expert_command(ALICE, SESSION, EXPERT)
    with pytest.raises(NotPermittedError):
        desk.service.to_error(ALICE, SESSION)
    command_id = desk.service.expert_command(ADMINISTRATOR, SESSION, EXPERT)
    assert desk.payload(command_id) == ROOT_ORDER | {"command": EXPERT}


def test_a_wrong_expert_command_is_not_stored(desk: Desk) -> None:
    desk.change(generation="G3")
    with pytest.raises(InvalidInputError, match="JSON"):
        desk.service.expert_command(ADMINISTRATOR, SESSION, "{")
    assert desk.queries.last_commands(None) == ()


def test_a_target_that_g2_would_take_for_others_too_is_refused(desk: Desk) -> None:
    with desk.database.write() as tx:
        tx.add(node_row(f"{DF}/df-012", 2, kind="application", endpoint="rest://127.0.0.1:5003"))
    desk.change(generation="G2")
    with pytest.raises(RefusedError, match=f"for {DF}/df-012 as well"):
        desk.service.exclude(ALICE, SESSION, Target(f"{DF}/df-01"))
    for path in (DF, f"{DF}/df-012"):
        assert desk.payload(desk.service.exclude(ALICE, SESSION, Target(path)))["path"] == path
        desk.finish()
    desk.change(generation="G3")
    assert desk.payload(desk.service.exclude(ALICE, SESSION, Target(f"{DF}/df-01")))["path"] == f"{DF}/df-01"
