"""From the row of a claimed command to the order that is executed."""

from models.commands import Command
from models.run_control import DaqSession
from services.run_control.command_types import Action
from services.run_control.execution import Order, PlannedStep
from services.run_control.fsm_types import Transition
from services.run_control.rows import steps_from_json, transitions_from_json


def order_without_tree(row: Command, address: str) -> Order:
    """Return the order of a command that needs nothing of a session's row, for ``host:port``."""
    return Order(
        id=row.id,
        user=row.user_name,
        session=row.session or "",
        action=Action(row.action),
        address=address,
        transition=None,
        arguments=row.arguments,
        payload=row.payload or {},
    )


def order_in_session(row: Command, daq: DaqSession, address: str) -> Order:
    """Return the order of a command to a controller at ``host:port``, with what its session's row knows."""
    return Order(
        id=row.id,
        user=row.user_name,
        session=daq.name,
        action=Action(row.action),
        address=address,
        transition=_transition(daq, row.transition),
        arguments=row.arguments,
        payload=row.payload or {},
        steps=_planned(row, daq),
    )


def _planned(row: Command, daq: DaqSession) -> tuple[PlannedStep, ...]:
    """Return the steps of a sequence; what the state machine does not know any more is refused when its turn comes."""
    known = {transition.name: transition for transition in transitions_from_json(daq.transitions)}
    payload = row.payload or {}
    return tuple(
        PlannedStep(
            transition=known.get(step.transition, Transition(step.transition)),
            arguments=payload["arguments"].get(step.transition, {}),
            optional=step.transition in payload["optional"],
        )
        for step in steps_from_json(row.steps or ())
    )


def _transition(daq: DaqSession, name: str | None) -> Transition | None:
    return next((known for known in transitions_from_json(daq.transitions) if known.name == name), None)
