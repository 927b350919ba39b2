"""The command service: rules, rows and audit, on both engines."""

import threading
from datetime import timedelta

import pytest

from models.database import Database
from models.run_control import DaqSession
from services.accounts.types import Identity
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import (
    ConsoleError,
    InvalidInputError,
    NotFoundError,
    NotInControlError,
    NotPermittedError,
    RefusedError,
    StaleError,
)
from services.revisions import LiveTopic, current
from services.run_control.command_types import Action, CommandState
from services.run_control.commands import CommandLimits, CommandService
from services.run_control.queries import RunControlQueries
from services.run_control.session_types import INITIAL_HOLDER
from tests.db.services.run_control.rows import ALICE, BOB, NOW, SESSION, VIEWER, SteppingClock, command_row, session_row

LIMITS = CommandLimits(stale_after=timedelta(seconds=5))


class Desk:
    """The service, and all that can be seen of what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        self.audit = AuditTrail(database, self.clock)
        self.queries = RunControlQueries(database, self.clock)
        self.woken = 0
        self.service = CommandService(database, self.audit, self.clock, LIMITS, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def change(self, **fields: object) -> None:
        with self.database.write() as tx:
            row = tx.get(DaqSession, SESSION)
            for name, value in fields.items():
                setattr(row, name, value)

    def start(self, identity: Identity = ALICE, **arguments: object) -> int:
        return self.service.execute_transition(identity, SESSION, "start", arguments or {"run_number": 1})

    def assert_nothing_stored(self) -> None:
        assert self.queries.last_commands(None) == ()
        assert self.woken == 0
        (record,) = self.audit.newest()
        assert record.entry.kind is AuditKind.REFUSAL


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.write() as tx:
        tx.add(session_row())
    return Desk(database)


def test_a_stored_order(desk: Desk) -> None:
    command_id = desk.start(run_number="31427", run_type="")
    view = desk.queries.command(command_id)
    assert (view.state, view.action, view.transition) == (CommandState.PENDING, Action.EXECUTE_TRANSITION, "start")
    assert (view.user_name, view.target, view.created_at) == ("alice", "root-controller", NOW)
    assert view.arguments == {"run_number": 31427}
    (intent,) = desk.audit.newest()
    assert (intent.entry.kind, intent.entry.command_id) == (AuditKind.INTENT, command_id)
    assert intent.entry.remote_address == "192.0.2.1"
    assert intent.entry.arguments == {"transition": "start", "arguments": {"run_number": 31427}}
    assert desk.woken == 1
    with desk.database.read() as tx:
        assert current(tx)[LiveTopic.COMMANDS] == 1


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"holder": "bob"}, NotInControlError, "bob is in control of .* since 2026-11-20 03:12:44 UTC"),
        ({"holder": INITIAL_HOLDER}, NotInControlError, "Nobody is in control"),
        ({"holder": ""}, NotInControlError, "Nobody is in control"),
        ({"holder": None}, NotInControlError, "Nobody is in control"),
        ({"polled_at": NOW - timedelta(seconds=6)}, StaleError, "6 s old"),
        ({"polled_at": NOW - timedelta(seconds=6), "error": "x is gone."}, StaleError, "x is gone"),
        ({"polled_at": None}, StaleError, "never read"),
        ({"in_error": True}, RefusedError, "in error"),
        ({"included": False}, RefusedError, "excluded"),
        ({"possible": ["conf"], "state": "initial"}, RefusedError, "not possible in the state initial"),
        ({"transitions": []}, RefusedError, "no transition start"),
        ({"present": False}, NotFoundError, SESSION),
    ],
)
def test_refusals_are_raised_audited_and_change_nothing(
    desk: Desk, fields: dict[str, object], error: type[ConsoleError], words: str
) -> None:
    desk.change(**fields)
    with pytest.raises(error, match=words) as refused:
        desk.start()
    assert refused.value.not_done
    desk.assert_nothing_stored()
    if error is not NotFoundError:
        why = desk.service.why_not(ALICE, desk.queries.session(SESSION), "start")
        assert why == refused.value.message


def test_why_not_is_none_when_it_can_be_done_and_leaves_no_trace(desk: Desk) -> None:
    summary = desk.queries.session(SESSION)
    assert desk.service.why_not(ALICE, summary, "start") is None
    assert "role" in (desk.service.why_not(VIEWER, summary, "start") or "")
    assert desk.audit.newest() == ()


def test_a_viewer_is_refused_before_anything_is_told(desk: Desk) -> None:
    with pytest.raises(NotPermittedError):
        desk.service.take_control(VIEWER, "no-such-session")
    with pytest.raises(NotPermittedError):
        desk.service.release_control(VIEWER, "no-such-session")
    with pytest.raises(NotPermittedError):
        desk.service.execute_transition(VIEWER, "no-such-session", "start", {})
    assert len(desk.audit.newest()) == 3
    assert desk.queries.last_commands(None) == ()


@pytest.mark.parametrize("name", ["elsewhere", "", "a\x00b", "x" * 5000, "\ud800"])
def test_sessions_that_nobody_knows(desk: Desk, name: str) -> None:
    with pytest.raises(NotFoundError):
        desk.service.take_control(ALICE, name)
    desk.assert_nothing_stored()


def test_wild_input_is_refused_and_still_audited(desk: Desk) -> None:
    with pytest.raises(RefusedError):
        desk.service.execute_transition(ALICE, SESSION, "a\x00\ud800" * 1000, {"\x00": float("nan"), "y": [1]})
    desk.assert_nothing_stored()


def test_a_wrong_argument_names_its_field(desk: Desk) -> None:
    with pytest.raises(InvalidInputError) as refused:
        desk.start(run_number="x")
    assert refused.value.field == "run_number"
    desk.assert_nothing_stored()


@pytest.mark.parametrize("state", [CommandState.PENDING, CommandState.EXECUTING])
def test_another_command_under_way_is_named(desk: Desk, state: CommandState) -> None:
    with desk.database.write() as tx:
        tx.add(command_row(user_name="bob", state=state.value))
    # The root controller cannot answer meanwhile: that is not the reason to tell.
    desk.change(polled_at=NOW - timedelta(minutes=1))
    named = r"start of bob \(command 1\)"
    with pytest.raises(RefusedError, match=named):
        desk.start()
    with pytest.raises(RefusedError, match=named):
        desk.service.take_control(ALICE, SESSION)
    with pytest.raises(RefusedError, match=named):
        desk.service.release_control(ALICE, SESSION)


def test_two_orders_at_the_same_moment(desk: Desk) -> None:
    barrier = threading.Barrier(4)
    results: list[object] = []

    def order() -> None:
        barrier.wait(10)
        try:
            results.append(desk.start())
        except RefusedError as error:
            results.append(error)

    threads = [threading.Thread(target=order) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len([result for result in results if isinstance(result, int)]) == 1
    assert len(desk.queries.last_commands(None)) == 1


@pytest.mark.parametrize("holder", ["", INITIAL_HOLDER, "alice"])
def test_taking_what_nobody_else_holds_needs_no_reason(desk: Desk, holder: str) -> None:
    desk.change(holder=holder)
    view = desk.queries.command(desk.service.take_control(ALICE, SESSION))
    assert (view.action, view.reason) == (Action.TAKE_CONTROL, None)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_taking_from_a_person_needs_a_reason(desk: Desk, reason: str | None) -> None:
    with pytest.raises(InvalidInputError, match="alice") as refused:
        desk.service.take_control(BOB, SESSION, reason)
    assert refused.value.field == "reason"
    desk.assert_nothing_stored()


def test_taking_with_a_reason_keeps_it(desk: Desk) -> None:
    view = desk.queries.command(desk.service.take_control(BOB, SESSION, " she left "))
    assert view.reason == "she left"
    assert desk.audit.newest()[0].entry.arguments == {"reason": "she left"}


@pytest.mark.parametrize("reason", ["x" * 10_001, "a\x00"])
def test_a_reason_that_cannot_be_stored(desk: Desk, reason: str) -> None:
    with pytest.raises(InvalidInputError):
        desk.service.take_control(BOB, SESSION, reason)


def test_control_of_unknown_holder_is_not_taken(desk: Desk) -> None:
    desk.change(holder=None)
    with pytest.raises(StaleError, match="not known yet"):
        desk.service.take_control(ALICE, SESSION)


def test_releasing_is_the_holders(desk: Desk) -> None:
    with pytest.raises(NotInControlError, match="alice"):
        desk.service.release_control(BOB, SESSION)
    assert desk.queries.command(desk.service.release_control(ALICE, SESSION)).action is Action.RELEASE_CONTROL


def test_limits_follow_the_poll_interval() -> None:
    assert CommandLimits.for_polling(1.0).stale_after == timedelta(seconds=5)
    assert CommandLimits.for_polling(60.0).stale_after == timedelta(seconds=181)
