"""What commands leave in the history and on the transition board, on both engines."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.database import Database
from models.run_control import Node as NodeRow
from models.run_control import Process as ProcessRow
from services.history.queries import HistoryQueries
from services.history.types import Aspect, Change, HistoryFilter, Source, Subject, TransitionOutcome
from services.run_control.adapter import NodeStatus
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult, SequenceStep, StepState
from services.run_control.execution import Outcome, ProcessesAfter, RootState
from services.run_control.rows import process_view, steps_to_json
from services.run_control.sequence_run import Progress
from tests.db.services.run_control.rows import NOW, SESSION, command_row, node_row, process_row
from tests.db.services.run_control.test_journal import Office, add, office

__all__ = ["office"]

READY = RootState(NodeStatus("root-controller", "ready", "ready", in_error=False, included=True), "alice", ("stop",))
NODES = (
    NodeResult("root-controller", "root-controller", True, "EXECUTED_SUCCESSFULLY"),
    NodeResult("root-controller/df-01", "df-01", False, "FAILED", text="It broke."),
)
DONE = Outcome(CommandState.FAILED, "1 of 2", CommandResult(succeeded=False, text="1 of 2", nodes=NODES), READY)


@pytest.fixture
def history(database: Database) -> HistoryQueries:
    return HistoryQueries(database)


def changes(history: HistoryQueries) -> list[Change]:
    return list(reversed(history.changes(HistoryFilter()).changes))


def test_a_transition_is_on_the_board_from_claim_to_outcome(office: Office, history: HistoryQueries) -> None:
    add(office, command_row(), node_row("root-controller", 0, seen_at=NOW))
    (order,) = office.claim()
    (run,) = history.transitions(SESSION)
    assert (run.transition, run.state_before, run.began_at, run.outcome, run.command_id) == (
        "start", "configured", NOW, TransitionOutcome.RUNNING, order.id,
    )  # fmt: skip
    office.clock.advance(3)
    office.journal.finish(office.fence, order, DONE)
    (run,) = history.transitions(SESSION)
    assert (run.outcome, run.state_after, run.duration) == (TransitionOutcome.FAILED, "ready", timedelta(seconds=3))
    assert [(node.path, node.outcome, node.text, node.source) for node in run.nodes] == [
        ("root-controller", TransitionOutcome.SUCCEEDED, "", Source.COMMAND),
        ("root-controller/df-01", TransitionOutcome.FAILED, "It broke.", Source.COMMAND),
    ]


def test_what_the_root_said_afterwards_is_in_tree_and_history(office: Office, history: HistoryQueries) -> None:
    add(office, command_row(), node_row("root-controller", 0, sub_state="configured", seen_at=NOW))
    (order,) = office.claim()
    office.clock.advance(3)
    office.journal.finish(office.fence, order, DONE)
    told = {(change.subject, change.aspect): change for change in changes(history)}
    state = told[Subject.NODE, Aspect.STATE]
    assert (state.old, state.new, state.source, state.at) == ("configured", "ready", Source.COMMAND, office.clock.now)
    assert told[Subject.RUN, Aspect.RUN_NUMBER].new == 31427
    assert {change.command_id for change in told.values()} == {order.id}
    with office.database.read() as tx:
        row = tx.get(NodeRow, (SESSION, "root-controller"))
        assert row is not None
        assert (row.state, row.seen_at) == ("ready", office.clock.now)


def test_a_command_nobody_saw_the_end_of(office: Office, history: HistoryQueries) -> None:
    add(office, command_row())
    office.claim()
    office.clock.advance(5)
    office.journal.recover(office.take_over("second"))
    (run,) = history.transitions(SESSION)
    assert (run.outcome, run.ended_at) == (TransitionOutcome.UNKNOWN, office.clock.now)


def test_other_commands_are_no_transitions(office: Office, history: HistoryQueries) -> None:
    add(office, command_row(action=Action.TAKE_CONTROL.value, transition=None))
    (order,) = office.claim()
    office.journal.finish(office.fence, order, DONE)
    assert history.transitions(SESSION) == ()


def test_each_step_of_a_sequence_is_a_transition(office: Office, history: HistoryQueries) -> None:
    steps = (SequenceStep("conf"), SequenceStep("start"))
    payload = {"arguments": {}, "optional": ["conf"]}
    sequence = command_row(
        action=Action.EXECUTE_SEQUENCE.value, transition="start_run", steps=steps_to_json(steps), payload=payload
    )
    add(office, sequence)
    (order,) = office.claim()
    assert history.transitions(SESSION) == ()
    skipped = (SequenceStep("conf", StepState.SKIPPED), steps[1])
    office.journal.note_steps(office.fence, order, Progress(order, skipped))
    assert history.transitions(SESSION) == ()
    start = order.steps[1].transition
    step = replace(order, action=Action.EXECUTE_TRANSITION, transition=start, steps=())
    office.journal.note_steps(
        office.fence, order, Progress(step, (skipped[0], SequenceStep("start", StepState.EXECUTING)))
    )
    office.clock.advance(2)
    office.journal.note_steps(office.fence, order, Progress(step, skipped, DONE))
    (run,) = history.transitions(SESSION)
    assert (run.transition, run.outcome, len(run.nodes)) == ("start", TransitionOutcome.FAILED, 2)
    office.journal.finish(office.fence, order, DONE)
    assert len(history.transitions(SESSION)) == 1


def test_killed_processes_vanish_by_command(office: Office, history: HistoryQueries) -> None:
    payload = {"processes": {"u-1": "df-01"}}
    add(
        office,
        process_row("u-1", name="df-01"),
        command_row(action=Action.KILL.value, transition=None, payload=payload),
    )
    (order,) = office.claim()
    gone = Outcome(CommandState.SUCCEEDED, "", processes=ProcessesAfter(frozenset({"u-1"}), ()))
    office.journal.finish(office.fence, order, gone)
    told = changes(history)
    assert {(change.name, change.source, change.command_id) for change in told} == {("df-01", Source.COMMAND, order.id)}
    assert {change.aspect for change in told} == {Aspect.VANISHED, Aspect.HOST}


def test_a_restart_is_told_though_the_list_is_the_same(office: Office, history: HistoryQueries) -> None:
    payload = {"processes": {"u-1": "df-01"}}
    add(
        office,
        process_row("u-1", name="df-01"),
        command_row(action=Action.RESTART.value, transition=None, payload=payload),
    )
    (order,) = office.claim()
    with office.database.read() as tx:
        listed = (process_view(tx.get_one(ProcessRow, "u-1")),)
    after = ProcessesAfter(frozenset({"u-1"}), listed)
    office.journal.note_booted(office.fence, order, "Being watched.", after)
    view = office.queries.command(order.id)
    assert (view.state, view.text) == (CommandState.EXECUTING, "Being watched.")
    office.journal.finish(office.fence, order, Outcome(CommandState.SUCCEEDED, "", processes=after))
    (change,) = changes(history)
    assert (change.name, change.uuid, change.aspect) == ("df-01", "u-1", Aspect.RESTARTED)
