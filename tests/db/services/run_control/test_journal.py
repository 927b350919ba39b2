"""Claiming and closing commands, on both engines."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.database import Database
from models.run_control import DaqSession
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.coordination import Fence, LeaseLostError, Leases
from services.run_control.adapter import NodeStatus
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult, SequenceStep, StepState
from services.run_control.execution import Order, Outcome, ProcessesAfter, RootState
from services.run_control.journal import CommandJournal
from services.run_control.queries import RunControlQueries
from services.run_control.rows import steps_to_json
from services.run_control.sequence_run import Progress
from tests.db.services.run_control.rows import (
    ADDRESS,
    NOW,
    SESSION,
    SteppingClock,
    command_row,
    process_row,
    session_row,
)

LIMIT_S = 15.0


class Office:
    """A journal on duty."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        self.leases = Leases(database)
        self.audit = AuditTrail(database, self.clock)
        self.journal = CommandJournal(database, self.leases, self.audit, self.clock, "127.0.0.1:10054")
        self.queries = RunControlQueries(database, self.clock)
        self.fence = self.take_over("first")

    def take_over(self, holder: str) -> Fence:
        if hasattr(self, "fence"):
            self.leases.release(self.fence)
        self.fence = fence = self._acquired(holder)
        return fence

    def _acquired(self, holder: str) -> Fence:
        fence = self.leases.acquire("run_control", holder, timedelta(seconds=60))
        assert fence is not None
        return fence

    def claim(self) -> tuple[Order, ...]:
        return self.journal.claim(self.fence, LIMIT_S)

    def states(self) -> list[CommandState]:
        return [view.state for view in reversed(self.queries.last_commands(None))]


@pytest.fixture
def office(database: Database) -> Office:
    with database.write() as tx:
        tx.add_all([session_row(), session_row("other"), session_row("rootless", root_address=None)])
    return Office(database)


def add(office: Office, *rows: object) -> None:
    with office.database.write() as tx:
        tx.add_all(rows)


def root(*, succeeded: bool = True) -> NodeResult:
    return NodeResult("root-controller", "root-controller", succeeded, "EXECUTED_SUCCESSFULLY", "FSM_FAILED")


def test_one_command_of_each_session_is_claimed_in_order(office: Office) -> None:
    assert not office.journal.has_pending()
    add(office, command_row("r-1"), command_row("r-2", session="other"), command_row("r-3"))
    assert office.journal.has_pending()
    first, second = office.claim()
    assert (first.id, first.session, second.id, second.session) == (1, SESSION, 2, "other")
    assert (first.user, first.address, first.action) == ("alice", ADDRESS, Action.EXECUTE_TRANSITION)
    assert first.transition is not None
    assert first.transition.name == "start"
    # The third waits for the first.
    assert office.claim() == ()
    assert office.states() == [CommandState.EXECUTING, CommandState.EXECUTING, CommandState.PENDING]


def test_an_order_that_waited_too_long_is_not_sent(office: Office) -> None:
    add(office, command_row())
    office.clock.advance(LIMIT_S + 1)
    assert office.claim() == ()
    view = office.queries.command(1)
    assert (view.state, view.finished_at) == (CommandState.FAILED, office.clock.now)
    assert "Nothing was sent" in view.text
    assert office.audit.newest()[0].entry.kind is AuditKind.OUTCOME


def test_an_order_to_a_session_without_a_root_is_not_sent(office: Office) -> None:
    add(office, command_row(session="rootless"))
    assert office.claim() == ()
    assert office.states() == [CommandState.FAILED]


def test_an_outcome_is_written_with_its_nodes_and_its_audit(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    bad = NodeResult("root-controller/x", "x", succeeded=False, flag="F" * 80, text="a?b")
    outcome = Outcome(
        CommandState.FAILED, "1 of 2 failed", CommandResult(succeeded=False, text="", nodes=(root(), bad))
    )
    office.journal.finish(office.fence, order, outcome)
    view = office.queries.command(1)
    assert (view.state, view.text) == (CommandState.FAILED, "1 of 2 failed")
    assert [(node.path, node.succeeded) for node in view.nodes] == [
        ("root-controller", True),
        ("root-controller/x", False),
    ]
    entry = office.audit.newest()[0].entry
    assert (entry.kind, entry.command_id, entry.arguments["failed"]) == (
        AuditKind.OUTCOME,
        1,
        {"root-controller/x": "a?b"},
    )


def test_our_own_start_tells_the_run_even_if_a_child_failed(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    nodes = (root(), NodeResult("root-controller/x", "x", succeeded=False, flag="FAILED"))
    office.journal.finish(
        office.fence, order, Outcome(CommandState.FAILED, "", CommandResult(succeeded=False, text="", nodes=nodes))
    )
    run = office.queries.session(SESSION).run
    assert (run.number, run.type, run.trigger_rate_hz, run.storage_disabled) == (31427, "TEST", 1e16, False)
    assert run.started_at == NOW


def test_a_start_that_the_root_refused_tells_no_run(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    result = CommandResult(succeeded=False, text="", nodes=(root(succeeded=False),))
    office.journal.finish(office.fence, order, Outcome(CommandState.FAILED, "", result))
    assert office.queries.session(SESSION).run.number is None


def test_the_sessions_row_changes_with_the_commands(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    office.clock.advance(2)
    status = NodeStatus("root-controller", "ready", "ready", in_error=False, included=True)
    outcome = Outcome(CommandState.SUCCEEDED, "", None, RootState(status, "alice", ("enable_triggers",)))
    office.journal.finish(office.fence, order, outcome)
    session = office.queries.session(SESSION)
    assert (session.state, session.possible, session.polled_at) == ("ready", ("enable_triggers",), office.clock.now)
    assert (session.state_since, session.holder_since) == (office.clock.now, NOW)


def test_a_session_booted_anew_meanwhile_is_left_alone(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    with office.database.write() as tx:
        row = tx.get(DaqSession, SESSION)
        assert row is not None
        row.root_address = "127.0.0.1:1"
    status = NodeStatus("root-controller", "ready", "ready", in_error=False, included=True)
    office.journal.finish(
        office.fence, order, Outcome(CommandState.SUCCEEDED, "", None, RootState(status, "alice", ()))
    )
    assert office.queries.session(SESSION).state == "configured"


def test_after_a_takeover_what_was_sent_is_unknown_and_never_sent_again(office: Office) -> None:
    add(office, command_row())
    (order,) = office.claim()
    old = office.fence
    new = office.take_over("second")
    assert office.journal.recover(new) == 1
    view = office.queries.command(1)
    assert (view.state, view.finished_at) == (CommandState.UNKNOWN, NOW)
    assert office.audit.newest()[0].entry.arguments["state"] == "unknown"
    assert office.claim() == ()
    # The old one wakes up with an answer: too late.
    with pytest.raises(LeaseLostError):
        office.journal.finish(old, order, Outcome(CommandState.SUCCEEDED, "late"))
    assert office.queries.command(1).text == view.text
    # And the new one leaves its own alone.
    assert office.journal.recover(new) == 0


def test_own_commands_are_not_recovered(office: Office) -> None:
    add(office, command_row())
    office.claim()
    assert office.journal.recover(office.fence) == 0
    assert office.states() == [CommandState.EXECUTING]


def test_who_lost_the_lease_claims_nothing(office: Office) -> None:
    add(office, command_row())
    old = office.fence
    office.take_over("second")
    with pytest.raises(LeaseLostError):
        office.journal.claim(old, LIMIT_S)
    assert office.states() == [CommandState.PENDING]


def test_after_a_takeover_the_step_under_way_is_unknown_and_the_rest_was_not_sent(office: Office) -> None:
    steps = (SequenceStep("conf"), SequenceStep("start"))
    add(
        office,
        command_row(
            action=Action.EXECUTE_SEQUENCE.value,
            transition="start_run",
            payload={"arguments": {"start": {"run_number": 3}}, "optional": ["conf"]},
            steps=steps_to_json(steps),
        ),
    )
    (order,) = office.claim()
    assert [(step.transition.name, dict(step.arguments), step.optional) for step in order.steps] == [
        ("conf", {}, True),
        ("start", {"run_number": 3}, False),
    ]
    under_way = (replace(steps[0], state=StepState.EXECUTING, started_at=NOW), steps[1])
    office.journal.note_steps(office.fence, order, Progress(order, under_way))
    assert office.queries.command(1).steps == under_way
    old = office.fence
    new = office.take_over("second")
    assert office.journal.recover(new) == 1
    assert [step.state for step in office.queries.command(1).steps] == [StepState.UNKNOWN, StepState.WAITING]
    with pytest.raises(LeaseLostError):
        office.journal.note_steps(old, order, Progress(order, under_way))


def test_processes_do_not_wait_for_the_sessions_command(office: Office) -> None:
    kill = {"action": Action.KILL.value, "transition": None, "arguments": {}, "payload": {"processes": {"u-1": "x"}}}
    add(office, process_row("u-1"), command_row("r-1"), command_row("r-2", **kill), command_row("r-3"))
    first, second = office.claim()
    assert (first.action, first.address) == (Action.EXECUTE_TRANSITION, ADDRESS)
    assert (second.action, second.address) == (Action.KILL, "127.0.0.1:10054")
    after = ProcessesAfter(frozenset({"u-1"}), ())
    office.journal.finish(office.fence, second, Outcome(CommandState.SUCCEEDED, "", processes=after))
    # The table of processes changed together with the command; the session's command is still under way.
    assert office.queries.processes() == ()
    assert office.states() == [CommandState.EXECUTING, CommandState.SUCCEEDED, CommandState.PENDING]
