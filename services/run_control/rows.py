"""From rows to plain data, shared by the queries and the command service."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from models.commands import Command
from models.commands import CommandResult as ResultRow
from models.run_control import DaqSession
from models.run_control import Node as NodeRow
from models.run_control import Process as ProcessRow
from services.run_control.command_types import (
    PROCESS_ACTIONS,
    Action,
    CommandState,
    CommandView,
    NodeResult,
    SequenceStep,
    StepState,
)
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Sequence, Transition
from services.run_control.node_types import Node, NodeKind
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import Configuration, RunInfo, SessionSource, SessionSummary

OPEN_STATES = (CommandState.PENDING.value, CommandState.EXECUTING.value)


@dataclass(frozen=True, slots=True)
class _ProcessCounts:
    running: int = 0
    dead: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class _NodeCounts:
    total: int = 0
    in_error: int = 0
    excluded: int = 0


def load_summaries(tx: Session, name: str | None = None) -> tuple[SessionSummary, ...]:
    """Return all present sessions by name, or only the one called ``name``, in four queries."""
    statement = select(DaqSession).where(DaqSession.present).order_by(DaqSession.name)
    return summaries(tx, statement if name is None else statement.where(DaqSession.name == name))


def summaries(tx: Session, statement: Select[DaqSession]) -> tuple[SessionSummary, ...]:
    """Return the sessions that a statement selects, in its order, in four queries."""
    rows = tx.scalars(statement).all()
    names = [row.name for row in rows]
    processes = _process_counts(tx, names)
    nodes = _node_counts(tx, names)
    executing = _open_commands(tx, names)
    return tuple(
        _summary(
            row, processes.get(row.name, _ProcessCounts()), nodes.get(row.name, _NodeCounts()), executing.get(row.name)
        )
        for row in rows
    )


def _process_counts(tx: Session, names: Collection[str]) -> Mapping[str, _ProcessCounts]:
    dead = func.sum(case((ProcessRow.status_code == ProcessStatus.DEAD.value, 1), else_=0))
    is_ended = (ProcessRow.status_code == ProcessStatus.DEAD.value) & (ProcessRow.return_code == 0)
    ended = func.sum(case((is_ended, 1), else_=0))
    statement = (
        select(ProcessRow.session, func.count(), dead, ended)
        .where(ProcessRow.session.in_(names))
        .group_by(ProcessRow.session)
    )
    found = tx.execute(statement)
    return {session: _ProcessCounts(total - gone, gone, well) for session, total, gone, well in found}


def _node_counts(tx: Session, names: Collection[str]) -> Mapping[str, _NodeCounts]:
    in_error = func.sum(case((NodeRow.in_error.is_(True), 1), else_=0))
    excluded = func.sum(case((NodeRow.included.is_(False), 1), else_=0))
    statement = (
        select(NodeRow.session, func.count(), in_error, excluded)
        .where(NodeRow.session.in_(names))
        .group_by(NodeRow.session)
    )
    return {session: _NodeCounts(total, failed, left_out) for session, total, failed, left_out in tx.execute(statement)}


def _open_commands(tx: Session, names: Collection[str]) -> Mapping[str | None, CommandView]:
    # What the process manager does in a session keeps nobody from commanding its controllers.
    statement = (
        select(Command)
        .where(Command.state.in_(OPEN_STATES), Command.session.in_(names), Command.action.not_in(PROCESS_ACTIONS))
        .order_by(Command.id.desc())
    )
    # Written oldest last, so that the one that came first is shown.
    return {row.session: command_view(row) for row in tx.scalars(statement)}


def _summary(
    row: DaqSession, processes: _ProcessCounts, nodes: _NodeCounts, executing: CommandView | None
) -> SessionSummary:
    return SessionSummary(
        name=row.name,
        state=row.state,
        sub_state=row.sub_state,
        state_since=row.state_since,
        in_error=row.in_error,
        included=row.included,
        holder=row.holder,
        holder_since=row.holder_since,
        transitions=transitions_from_json(row.transitions),
        possible=tuple(row.possible),
        run=_run_info(row),
        root_name=row.root_name,
        root_address=row.root_address,
        generation=row.generation,
        polled_at=row.polled_at,
        error=row.error,
        error_since=row.error_since,
        processes_running=processes.running,
        processes_dead=processes.dead,
        processes_ended=processes.ended,
        nodes_total=nodes.total,
        nodes_in_error=nodes.in_error,
        nodes_excluded=nodes.excluded,
        executing=executing,
        sequences=sequences_from_json(row.sequences or ()),
        owner=row.owner,
        configuration=_configuration(row),
        sources=frozenset(SessionSource(word) for word in row.sources or ()),
        first_seen_at=row.first_seen_at,
        vanished_at=row.vanished_at,
    )


def _configuration(row: DaqSession) -> Configuration | None:
    if row.configuration_id is None:
        return None
    return Configuration(row.configuration_file or "", row.configuration_id)


def _run_info(row: DaqSession) -> RunInfo:
    return RunInfo(
        number=row.run_number,
        type=row.run_type,
        trigger_rate_hz=row.trigger_rate_hz,
        storage_disabled=row.storage_disabled,
        started_at=row.run_started_at,
    )


def command_view(row: Command, results: Iterable[ResultRow] = ()) -> CommandView:
    """Return a command row, with the results of its nodes in their order."""
    return CommandView(
        id=row.id,
        request_id=row.request_id,
        action=Action(row.action),
        session=row.session,
        target=row.target,
        arguments=row.arguments,
        user_name=row.user_name,
        created_at=row.created_at,
        state=CommandState(row.state),
        text=row.text,
        claimed_at=row.claimed_at,
        finished_at=row.finished_at,
        nodes=tuple(_node_result(result) for result in results),
        transition=row.transition,
        reason=row.reason,
        steps=steps_from_json(row.steps or ()),
        aborted_by=row.aborted_by,
    )


def _node_result(row: ResultRow) -> NodeResult:
    return NodeResult(
        path=row.path,
        name=row.name,
        succeeded=row.succeeded,
        flag=row.flag,
        fsm_flag=row.fsm_flag,
        text=row.text,
        detail=row.detail,
    )


def process_view(row: ProcessRow) -> Process:
    """Return a process row."""
    return Process(
        uuid=row.uuid,
        name=row.name,
        session=row.session,
        user=row.user,
        hostname=row.hostname,
        status=ProcessStatus(row.status_code),
        return_code=row.return_code,
        tree_id=row.tree_id,
        first_seen_at=row.first_seen_at,
        ended_at=row.ended_at,
    )


def node_view(row: NodeRow) -> Node:
    """Return a node row."""
    return Node(
        path=row.path,
        name=row.name,
        kind=NodeKind(row.kind),
        depth=row.depth,
        state=row.state,
        sub_state=row.sub_state,
        in_error=row.in_error,
        included=row.included,
        endpoint=row.endpoint,
        state_since=row.state_since,
        seen_at=row.seen_at,
        holder=row.holder,
        holder_since=row.holder_since,
        detector=row.detector or "",
    )


def transitions_to_json(transitions: Iterable[Transition]) -> list[dict[str, Any]]:
    """Return transitions as the session row stores them."""
    return [
        {
            "name": transition.name,
            "help": transition.help,
            "arguments": [_argument_to_json(argument) for argument in transition.arguments],
        }
        for transition in transitions
    ]


def _argument_to_json(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "type": argument.type.value,
        "mandatory": argument.mandatory,
        "default": argument.default,
        "choices": list(argument.choices),
        "help": argument.help,
    }


def transitions_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Transition, ...]:
    """Return transitions as the session row stores them."""
    return tuple(
        Transition(
            name=item["name"],
            help=item["help"],
            arguments=tuple(_argument_from_json(argument) for argument in item["arguments"]),
        )
        for item in stored
    )


def _argument_from_json(item: Mapping[str, Any]) -> Argument:
    kind = ArgumentType(item["type"])
    default = item["default"]
    return Argument(
        name=item["name"],
        type=kind,
        mandatory=item["mandatory"],
        default=None if default is None else _typed(kind, default),
        choices=tuple(_typed(kind, choice) for choice in item["choices"]),
        help=item["help"],
    )


def _typed(kind: ArgumentType, value: ArgumentValue) -> ArgumentValue:
    # JSONB stores 1e16 as an integer.
    return float(value) if kind is ArgumentType.FLOAT else value


def sequences_to_json(sequences: Iterable[Sequence]) -> list[dict[str, Any]]:
    """Return sequences as the session row stores them."""
    return [
        {
            "name": sequence.name,
            "transitions": list(sequence.transitions),
            "optional": [name for name in sequence.transitions if name in sequence.optional],
        }
        for sequence in sequences
    ]


def sequences_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Sequence, ...]:
    """Return sequences as the session row stores them."""
    return tuple(Sequence(item["name"], tuple(item["transitions"]), frozenset(item["optional"])) for item in stored)


def steps_to_json(steps: Iterable[SequenceStep]) -> list[dict[str, Any]]:
    """Return the steps of a sequence as the command row stores them."""
    return [
        {
            "transition": step.transition,
            "state": step.state.value,
            "text": step.text,
            "started_at": step.started_at.isoformat() if step.started_at else None,
            "finished_at": step.finished_at.isoformat() if step.finished_at else None,
        }
        for step in steps
    ]


def steps_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[SequenceStep, ...]:
    """Return the steps of a sequence as the command row stores them."""
    return tuple(
        SequenceStep(
            item["transition"],
            StepState(item["state"]),
            item["text"],
            _moment(item["started_at"]),
            _moment(item["finished_at"]),
        )
        for item in stored
    )


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)
