"""Expert commands: JSON texts for applications (contract 10.7), checked before they are sent."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.errors import InvalidInputError
from services.texts import is_storable

FIELD = "command"
MAX_CHARACTERS = 100_000


class _Module(BaseModel):
    model_config = ConfigDict(strict=True)

    data: dict[str, Any]
    match: str


class _Data(BaseModel):
    model_config = ConfigDict(strict=True)

    modules: list[_Module]


class _ExpertCommand(BaseModel):
    model_config = ConfigDict(strict=True)

    id: Annotated[str, Field(min_length=1)]
    data: _Data
    entry_state: str
    exit_state: str


def check_expert_command(text: str) -> str:
    """Return the text as it is sent.

    Raises:
        InvalidInputError: It is no JSON, lacks a field, or would change the state; the message names every problem.
    """
    if len(text) > MAX_CHARACTERS or not is_storable(text):
        raise InvalidInputError("The command is too long or holds a character that cannot be sent.", field=FIELD)
    try:
        command = _ExpertCommand.model_validate(json.loads(text))
    except ValidationError as error:
        places = [f"{'.'.join(map(str, problem['loc'])) or 'the text'}: {problem['msg']}" for problem in error.errors()]
        raise InvalidInputError(f"This is no expert command. {'; '.join(places)}.", field=FIELD) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"This is no JSON: {error}.", field=FIELD) from error
    if command.entry_state.upper() != command.exit_state.upper():
        raise InvalidInputError("entry_state and exit_state must be equal: it cannot change the state.", field=FIELD)
    return text
