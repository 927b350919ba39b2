"""Values of the arguments form: from the browser's lists to names, and every field's own error."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.errors import InvalidInputError
from services.run_control.arguments import parse_arguments
from services.run_control.fsm_types import Sequence as SequenceOfTransitions
from services.run_control.fsm_types import Transition
from services.run_control.sequences import as_transition
from services.run_control.session_types import SessionSummary


def find_transition(session: SessionSummary | None, name: str | None) -> Transition | None:
    """Return the transition of a name, as the server describes it; a sequence as one with all their arguments."""
    if session is None:
        return None
    sequence = find_sequence(session, name)
    if sequence is not None:
        return as_transition(session, sequence)
    return next((transition for transition in session.transitions if transition.name == name), None)


def find_sequence(session: SessionSummary, name: str | None) -> SequenceOfTransitions | None:
    """Return the sequence of a name, None for a transition's."""
    return next((sequence for sequence in session.sequences if sequence.name == name), None)


def given_values(ids: Sequence[Mapping[str, str]], values: Sequence[object]) -> dict[str, object]:
    """Return the fields' values by argument."""
    return {field["key"]: value for field, value in zip(ids, values, strict=True)}


def field_errors(transition: Transition, values: Mapping[str, object]) -> dict[str, str]:
    """Return what is wrong with each field: all of them at once, not only the first."""
    found = {}
    for argument in transition.arguments:
        alone = Transition(transition.name, (argument,))
        try:
            parse_arguments(alone, {argument.name: values.get(argument.name)})
        except InvalidInputError as error:
            found[argument.name] = f"{error.message} {error.next_step}".strip()
    return found


def field_error(transition: Transition, name: str, value: Any) -> str | None:
    """Return what is wrong with one field as it is being filled in; nothing while it is still empty."""
    if value in (None, ""):
        return None
    return field_errors(transition, {name: value}).get(name)
