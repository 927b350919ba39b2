"""Claims commands and writes what came of them, each with its audit record in one fenced transaction."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models.commands import Command
from models.commands import CommandResult as ResultRow
from models.database import Database
from models.run_control import DaqSession
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.coordination import Fence, Leases
from services.revisions import LiveTopic, bump
from services.run_control.aftermath import note_begun, note_ended, note_processes, note_session
from services.run_control.claimed_orders import order_in_session, order_without_tree
from services.run_control.command_types import PROCESS_ACTIONS, Action, CommandState, NodeResult, StepState
from services.run_control.execution import Order, Outcome, ProcessesAfter
from services.run_control.rows import steps_from_json, steps_to_json
from services.run_control.sequence_run import Progress
from services.texts import clean

CLAIM_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Closing:
    """A command, and what came of it."""

    row: Command
    outcome: Outcome


class CommandJournal:
    """The tables ``command`` and ``command_result``, as the runner reads and writes them."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        audit: AuditTrail,
        clock: Clock,
        process_manager: str,
        *,
        run_control: str | None = None,
    ) -> None:
        """Keep the collaborators and the addresses, ``host:port``; there may be no run control service."""
        self._database = database
        self._leases = leases
        self._audit = audit
        self._clock = clock
        self._process_manager = process_manager
        self._run_control = run_control

    def has_pending(self) -> bool:
        """Tell whether a command waits to be claimed; a cheap read."""
        with self._database.read() as tx:
            return tx.scalar(select(exists().where(Command.state == CommandState.PENDING.value))) or False

    def recover(self, fence: Fence) -> int:
        """Close the commands that another tour of duty left behind: nobody knows what came of them.

        Returns:
            How many there were.

        Raises:
            LeaseLostError: Somebody else is on duty.
        """
        with self._leases.fenced(fence) as tx:
            statement = select(Command).where(
                Command.state == CommandState.EXECUTING.value, Command.claimed_by != str(fence)
            )
            left = [_Closing(row, _lost_outcome()) for row in tx.scalars(statement.with_for_update())]
            self._close(tx, left)
            return len(left)

    def claim(self, fence: Fence, pending_limit_s: float) -> tuple[Order, ...]:
        """Claim what waits, one command a session; what waited too long is closed instead, unsent.

        What the process manager is to do waits for no session's commands: a node that hangs in one can be killed.

        Raises:
            LeaseLostError: Somebody else is on duty.
        """
        with self._leases.fenced(fence) as tx:
            now = self._clock()
            rows = tx.scalars(_claimable()).all()
            too_late = now - timedelta(seconds=pending_limit_s)
            late = [_Closing(row, _late_outcome(pending_limit_s)) for row in rows if row.created_at < too_late]
            self._close(tx, late)
            claimed = _first_of_each_session([row for row in rows if row.created_at >= too_late])
            orders = [self._claim(tx, row, fence, now) for row in claimed]
            if claimed:
                bump(tx, now, LiveTopic.COMMANDS, LiveTopic.SESSIONS)
            return tuple(order for order in orders if order is not None)

    def _claim(self, tx: Session, row: Command, fence: Fence, now: datetime) -> Order | None:
        if Action(row.action).is_for_processes:
            _mark_claimed(row, fence, now)
            return order_without_tree(row, self._process_manager)
        if Action(row.action).is_for_whole_sessions:
            return self._claim_whole(tx, row, fence, now)
        daq = tx.get(DaqSession, row.session)
        if daq is None or daq.root_address is None:
            text = f"The session {row.session} is gone. Nothing was sent."
            self._close(tx, [_Closing(row, Outcome(CommandState.FAILED, text))])
            return None
        _mark_claimed(row, fence, now)
        # A part of the tree may be commanded through its own controller.
        order = order_in_session(row, daq, (row.payload or {}).get("address") or daq.root_address)
        note_begun(tx, daq, order, now)
        return order

    def _claim_whole(self, tx: Session, row: Command, fence: Fence, now: datetime) -> Order | None:
        if self._run_control is None:
            text = "This collector knows no run control service. Nothing was sent."
            self._close(tx, [_Closing(row, Outcome(CommandState.FAILED, text))])
            return None
        _mark_claimed(row, fence, now)
        return order_without_tree(row, self._run_control)

    def finish(self, fence: Fence, order: Order, outcome: Outcome) -> None:
        """Write what came of a command: per node, in the audit, and what it means for the run.

        Raises:
            LeaseLostError: Somebody else is on duty, and has closed the command as unknown.
        """
        with self._leases.fenced(fence) as tx:
            row = tx.get(Command, order.id, with_for_update=True)
            if row is None or row.state != CommandState.EXECUTING.value:
                return
            nodes = outcome.result.nodes if outcome.result else ()
            tx.add_all(_result_row(order.id, position, node) for position, node in enumerate(nodes))
            now = self._clock()
            topics = note_session(tx, order, outcome, now) | note_processes(tx, order, outcome.processes, now)
            self._close(tx, [_Closing(row, outcome)], topics)

    def note_booted(self, fence: Fence, order: Order, text: str, after: ProcessesAfter | None) -> None:
        """Write that something was booted and is being watched, and how it is; ``text`` says so.

        Raises:
            LeaseLostError: Somebody else is on duty, and has closed the command as unknown.
        """
        with self._leases.fenced(fence) as tx:
            row = tx.get(Command, order.id, with_for_update=True)
            if row is None:
                return
            now = self._clock()
            row.text = clean(text)
            bump(tx, now, *{LiveTopic.COMMANDS, *note_processes(tx, order, after, now, just_sent=True)})

    def note_steps(self, fence: Fence, order: Order, progress: Progress) -> None:
        """Write how far a sequence is, and what its last step means for the session.

        Raises:
            LeaseLostError: Somebody else is on duty, and has closed the command as unknown.
        """
        with self._leases.fenced(fence) as tx:
            row = tx.get(Command, order.id, with_for_update=True)
            if row is None:
                return
            now = self._clock()
            row.steps = steps_to_json(progress.steps)
            topics = {LiveTopic.COMMANDS, LiveTopic.SESSIONS}
            if progress.outcome is not None:
                topics |= note_session(tx, progress.order, progress.outcome, now)
                note_ended(tx, row, progress.outcome, now)
            else:
                self._note_begun(tx, progress.order, now)
            bump(tx, now, *topics)

    def _note_begun(self, tx: Session, order: Order, now: datetime) -> None:
        daq = tx.get(DaqSession, order.session)
        if daq is not None:
            note_begun(tx, daq, order, now)

    def aborted_by(self, command_id: int) -> str | None:
        """Return who asked that a sequence goes no further; None for nobody."""
        with self._database.read() as tx:
            return tx.scalar(select(Command.aborted_by).where(Command.id == command_id))

    def _close(self, tx: Session, closings: list[_Closing], topics: Collection[LiveTopic] = ()) -> None:
        if not closings:
            return
        now = self._clock()
        for closing in closings:
            closing.row.state = closing.outcome.state.value
            closing.row.text = clean(closing.outcome.text)
            closing.row.finished_at = now
            closing.row.steps = _closed_steps(closing.row, now)
            self._audit.add(tx, _outcome_entry(closing.row, closing.outcome))
            note_ended(tx, closing.row, closing.outcome, now)
        bump(tx, now, *{LiveTopic.COMMANDS, LiveTopic.SESSIONS, *topics})


def _closed_steps(row: Command, now: datetime) -> list[Any] | None:
    """Return the steps of a closed sequence: what was left under way has an outcome that nobody knows."""
    if row.steps is None:
        return None
    return steps_to_json(
        replace(step, state=StepState.UNKNOWN, finished_at=now) if step.state is StepState.EXECUTING else step
        for step in steps_from_json(row.steps)
    )


def _claimable() -> Any:
    other = aliased(Command)
    busy = exists().where(
        other.session == Command.session,
        other.state == CommandState.EXECUTING.value,
        other.action.not_in(PROCESS_ACTIONS),
    )
    return (
        select(Command)
        .where(Command.state == CommandState.PENDING.value, Command.action.in_(PROCESS_ACTIONS) | ~busy)
        .order_by(Command.id)
        .limit(CLAIM_AT_ONCE)
        .with_for_update()
    )


def _first_of_each_session(rows: list[Command]) -> list[Command]:
    first: dict[str | None, Command] = {}
    for row in rows:
        if not Action(row.action).is_for_processes:
            first.setdefault(row.session, row)
    return [row for row in rows if Action(row.action).is_for_processes or first[row.session] is row]


def _mark_claimed(row: Command, fence: Fence, now: datetime) -> None:
    row.state = CommandState.EXECUTING.value
    row.claimed_at = now
    row.claimed_by = str(fence)


def _lost_outcome() -> Outcome:
    text = (
        "The collector that executed it stopped before it wrote what came of it. It may have been sent; "
        "it is never sent again."
    )
    return Outcome(CommandState.UNKNOWN, text)


def _late_outcome(limit_s: float) -> Outcome:
    text = f"No collector took it up within {limit_s:.0f} s. Nothing was sent."
    return Outcome(CommandState.FAILED, text)


def _result_row(command_id: int, position: int, node: NodeResult) -> ResultRow:
    return ResultRow(
        command_id=command_id,
        position=position,
        path=node.path,
        name=node.name,
        succeeded=node.succeeded,
        flag=node.flag[:64],
        fsm_flag=node.fsm_flag[:64] if node.fsm_flag else None,
        text=node.text,
        detail=node.detail,
    )


def _outcome_entry(row: Command, outcome: Outcome) -> AuditEntry:
    nodes = outcome.result.nodes if outcome.result else ()
    details: dict[str, Any] = {
        "state": outcome.state.value,
        "nodes": len(nodes),
        "failed": {node.path: node.text for node in nodes if not node.succeeded},
    }
    if row.transition is not None:
        details |= {"transition": row.transition, "arguments": row.arguments}
    return AuditEntry(
        kind=AuditKind.OUTCOME,
        user_name=row.user_name,
        remote_address=row.remote_address,
        action=row.action,
        session=row.session,
        target=row.target,
        arguments=details,
        text=clean(outcome.text),
        command_id=row.id,
    )
