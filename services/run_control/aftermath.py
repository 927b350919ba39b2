"""What a command means for the rows of its session, of processes and of the history, in its own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from models.commands import Command
from models.run_control import DaqSession
from services.history import transitions
from services.history.record import Changes
from services.history.transitions import Cell
from services.history.types import Aspect, Source, Subject, TransitionOutcome
from services.revisions import LiveTopic
from services.run_control.command_types import Action, CommandState, NodeResult
from services.run_control.execution import Order, Outcome, ProcessesAfter
from services.run_control.fsm_types import ArgumentValue, Transition
from services.run_control.process_types import ProcessStatus
from services.run_control.saving import assign
from services.run_control.saving_nodes import save_root_node
from services.run_control.saving_processes import save_asked_processes
from services.run_control.saving_sessions import SessionMemory, root_state_values

T = TypeVar("T")

START, CHANGE_RATE = "start", "change_rate"
_OUTCOMES: Mapping[CommandState, TransitionOutcome] = {
    CommandState.SUCCEEDED: TransitionOutcome.SUCCEEDED,
    CommandState.FAILED: TransitionOutcome.FAILED,
}


def note_begun(tx: Session, daq: DaqSession, order: Order, now: datetime) -> None:
    """Record that a command's transition begins; other commands are none."""
    if order.action is Action.EXECUTE_TRANSITION and order.transition is not None:
        transitions.begin(
            tx,
            daq.name,
            order.transition.name,
            at=now,
            state=daq.state,
            source=Source.COMMAND,
            command_id=order.id,
        )


def note_ended(tx: Session, row: Command, outcome: Outcome, now: datetime) -> None:
    """Record how the transition ended that a command has begun, if it has."""
    run = transitions.open_run(tx, row.session) if row.session else None
    if run is None or run.command_id != row.id:
        return
    nodes = outcome.result.nodes if outcome.result else ()
    state = outcome.after.status.state if outcome.after else None
    cells = [Cell(node.path, _cell_outcome(node), node.text) for node in nodes]
    ended = _OUTCOMES.get(outcome.state, TransitionOutcome.UNKNOWN)
    transitions.end(tx, run, at=now, outcome=ended, state=state, cells=cells)


def _cell_outcome(node: NodeResult) -> TransitionOutcome:
    return TransitionOutcome.SUCCEEDED if node.succeeded else TransitionOutcome.FAILED


def note_session(tx: Session, order: Order, outcome: Outcome, now: datetime) -> set[LiveTopic]:
    """Bring the session up to date with the command, so that nobody sees the one without the other."""
    daq = tx.get(DaqSession, order.session, with_for_update=True)
    if daq is None or daq.root_address != order.address:
        return set()
    changes, memory = Changes(now, Source.COMMAND, order.id), SessionMemory(daq)
    _note_run(daq, order, outcome.result.nodes if outcome.result else (), now)
    after, tree_changed = outcome.after, False
    if after is not None:
        assign(daq, root_state_values(daq, after.status, after.holder, after.possible, now))
        daq.polled_at = now
        tree_changed = save_root_node(tx, daq, after.status, changes)
    memory.note(changes)
    changes.write(tx)
    return {LiveTopic.TREE} if tree_changed else set()


def note_processes(
    tx: Session, order: Order, after: ProcessesAfter | None, now: datetime, *, just_sent: bool = False
) -> set[LiveTopic]:
    """Bring the processes up to date with the command: what was killed is not listed any more.

    ``after`` is None where the process manager did not tell; ``just_sent`` while a boot is still being watched.
    """
    if after is None:
        return set()
    changes = Changes(now, Source.COMMAND, order.id)
    save_asked_processes(tx, after.asked, after.listed, changes)
    if just_sent and order.action is Action.RESTART and not changes:
        # It ran before and runs again, under the same UUID: nothing in the list tells (contract 9.4).
        for process in after.listed:
            if process.status is ProcessStatus.RUNNING:
                changes.note(
                    Subject.PROCESS, process.name, Aspect.RESTARTED, session=process.session, uuid=process.uuid
                )
    changes.write(tx)
    return {LiveTopic.PROCESSES, LiveTopic.SESSIONS}


def _note_run(daq: DaqSession, order: Order, nodes: tuple[NodeResult, ...], now: datetime) -> None:
    """Keep what our own ``start`` said of the run: drunc G1 tells nobody.

    The root's own answer decides: with a child that failed the run is on all the same (contract 10.5, step 5).
    """
    if order.transition is None or not nodes or not nodes[0].succeeded:
        return
    values = _with_defaults(order.transition, order.arguments)
    if order.transition.name == START:
        daq.run_number = _of_type(values.get("run_number"), int)
        daq.run_type = _of_type(values.get("run_type"), str)
        daq.storage_disabled = _of_type(values.get("disable_data_storage"), bool)
        daq.run_started_at = now
    if order.transition.name in (START, CHANGE_RATE):
        # Zero means "as configured", which nobody tells (contract 12.5).
        daq.trigger_rate_hz = float(values.get("trigger_rate") or 0.0) or None


def _with_defaults(transition: Transition, given: Mapping[str, ArgumentValue]) -> Mapping[str, ArgumentValue]:
    defaults = {known.name: known.default for known in transition.arguments if known.default is not None}
    return {**defaults, **given}


def _of_type(value: ArgumentValue | None, kind: type[T]) -> T | None:
    return value if isinstance(value, kind) else None
