"""Arguments that were used before, so that people need not remember them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.commands import Command
from services.run_control.command_types import Action
from services.run_control.fsm_types import RUN_NUMBER, ArgumentValue, Remembered

# So many commands are looked at, so many different values kept of each argument.
LOOKED_AT = 300
KEPT = 5
_WITH_ARGUMENTS = (Action.EXECUTE_TRANSITION.value, Action.EXECUTE_SEQUENCE.value)


def load_remembered(tx: Session, session: str) -> Remembered:
    """Return what this console sent lately; an order that was never taken up does not count."""
    statement = (
        select(Command.session, Command.arguments)
        .where(Command.action.in_(_WITH_ARGUMENTS), Command.claimed_at.is_not(None))
        .order_by(Command.id.desc())
        .limit(LOOKED_AT)
    )
    rows = [(name, arguments) for name, arguments in tx.execute(statement)]
    numbers = (arguments.get(RUN_NUMBER) for _, arguments in rows)
    return Remembered(
        _newest(arguments for name, arguments in rows if name == session),
        frozenset(number for number in numbers if isinstance(number, int)),
    )


def _newest(sent: Iterable[Mapping[str, Any]]) -> Mapping[str, tuple[ArgumentValue, ...]]:
    found: dict[str, dict[ArgumentValue, None]] = {}
    for arguments in sent:
        for name, value in arguments.items():
            values = found.setdefault(name, {})
            if len(values) < KEPT:
                values[value] = None
    return {name: tuple(values) for name, values in found.items()}
