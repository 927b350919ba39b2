"""Sequences of transitions: ordered as one command, checked as a whole, aborted between steps."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from models.commands import Command
from models.database import Database
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import ConsoleError, InvalidInputError, NotFoundError, RefusedError
from services.run_control import rules
from services.run_control.arguments import parse_arguments
from services.run_control.command_types import Action, CommandState, SequenceStep
from services.run_control.commands import CommandLimits, locked_summary
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.orders import OrderBook, Plan, Wish
from services.run_control.rows import steps_to_json
from services.run_control.session_types import SessionSummary


class SequenceService:
    """Orders for sequences; the collector executes them step by step (see `sequence_run`).

    Every refusal is audited before it is raised.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        clock: Clock,
        limits: CommandLimits,
        on_submit: Callable[[], None],
    ) -> None:
        """Keep the collaborators; ``on_submit`` is called after each stored command, to wake the collector."""
        self._book = OrderBook(database, audit, clock, on_submit)
        self._clock = clock
        self._limits = limits

    def execute(self, identity: Identity, session: str, sequence: str, arguments: Mapping[str, object]) -> int:
        """Order a sequence of the root controller; return the command's id.

        ``arguments`` are those of all its transitions, as people gave them; each transition gets those it declares.

        Raises:
            NotPermittedError, NotFoundError, RefusedError, StaleError, NotInControlError: See `services.errors`.
            InvalidInputError: An argument is wrong; ``field`` is its name.
        """
        wish = Wish(identity, Action.EXECUTE_SEQUENCE, session, sequence, arguments)

        def plan(tx: Session) -> Plan:
            summary = locked_summary(tx, session)
            return _plan(summary, self._require(identity, summary, sequence), arguments)

        return self._book.submit(wish, Permission.EXECUTE_TRANSITION, plan)

    def abort(self, identity: Identity, command_id: int) -> None:
        """Ask that a sequence goes no further; the step under way is seen through.

        Raises:
            NotPermittedError, NotFoundError: See `services.errors`.
            RefusedError: It has ended.
        """

        def change(tx: Session) -> Plan:
            row = tx.get(Command, command_id, with_for_update=True)
            if row is None or row.action != Action.EXECUTE_SEQUENCE.value:
                raise NotFoundError(f"There is no sequence with the number {command_id}.")
            if CommandState(row.state).is_final:
                raise RefusedError(f"{row.transition} has ended.", next_step="")
            row.aborted_by = row.aborted_by or identity.name
            return Plan(row.target, row.session)

        self._book.amend(Wish(identity, Action.ABORT_SEQUENCE), Permission.EXECUTE_TRANSITION, command_id, change)

    def why_not(self, identity: Identity, summary: SessionSummary, sequence: str) -> str | None:
        """Return why a sequence cannot be ordered now, None if it can. Same rules, no side effect."""
        try:
            rules.require_permission(identity, Permission.EXECUTE_TRANSITION)
            self._require(identity, summary, sequence)
        except ConsoleError as error:
            return error.message
        return None

    def _require(self, identity: Identity, summary: SessionSummary, name: str) -> Sequence:
        rules.require_idle(summary)
        rules.require_fresh(summary, self._clock(), self._limits.stale_after)
        rules.require_control(identity, summary)
        rules.require_able(summary)
        sequence = next((known for known in summary.sequences if known.name == name), None)
        if sequence is None:
            raise RefusedError(
                f"{summary.root_name} has no sequence {name}.", not_done="Nothing was sent.", next_step=""
            )
        rules.require_possible(summary, _first(summary, sequence))
        return sequence


def needed_transitions(summary: SessionSummary, sequence: Sequence) -> tuple[Transition, ...]:
    """Return the transitions that a sequence would go through now, without those that would be skipped first."""
    known = {transition.name: transition for transition in summary.transitions}
    first = sequence.transitions.index(_first(summary, sequence))
    return tuple(known.get(name, Transition(name)) for name in sequence.transitions[first:])


def as_transition(summary: SessionSummary, sequence: Sequence) -> Transition:
    """Return a sequence as one transition that takes the arguments of all it would go through now, each once."""
    arguments = {
        argument.name: argument
        for transition in reversed(needed_transitions(summary, sequence))
        for argument in reversed(transition.arguments)
    }
    return Transition(sequence.name, tuple(reversed(arguments.values())))


def _first(summary: SessionSummary, sequence: Sequence) -> str:
    """Return the transition it would begin with now."""
    needed = (name for name in sequence.transitions if name in summary.possible or name not in sequence.optional)
    return next(needed, sequence.transitions[-1])


def _plan(summary: SessionSummary, sequence: Sequence, raw: Mapping[str, object]) -> Plan:
    given = _given(summary, sequence, needed_transitions(summary, sequence), raw)
    merged: dict[str, ArgumentValue] = {name: value for values in given.values() for name, value in values.items()}
    return Plan(
        summary.root_name or "",
        summary.name,
        merged,
        payload={"arguments": given, "optional": sorted(sequence.optional)},
        steps=steps_to_json(SequenceStep(name) for name in sequence.transitions),
    )


def _given(
    summary: SessionSummary, sequence: Sequence, needed: Iterable[Transition], raw: Mapping[str, object]
) -> dict[str, Any]:
    declared = {
        argument.name
        for transition in summary.transitions
        if transition.name in sequence.transitions
        for argument in transition.arguments
    }
    for name in raw:
        if name not in declared:
            raise InvalidInputError(f"{sequence.name} has no argument {name}.", field=name)
    given = {}
    for transition in needed:
        names = {argument.name for argument in transition.arguments}
        given[transition.name] = parse_arguments(
            transition, {name: value for name, value in raw.items() if name in names}
        )
    return given
