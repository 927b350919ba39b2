"""Expert commands are checked before they are sent."""

import json

import pytest

from services.errors import InvalidInputError
from services.run_control.expert import check_expert_command

GOOD = {
    "id": "record",
    "data": {"modules": [{"data": {"duration": 5}, "match": ""}]},
    "entry_state": "ANY",
    "exit_state": "any",
}


def test_a_command_is_sent_as_it_was_written() -> None:
    text = json.dumps(GOOD, indent=3)
    assert check_expert_command(text) == text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": ""}, "id: "),
        ({"id": None, "data": {"modules": [{"match": 5}]}}, "data.modules.0.data: .*data.modules.0.match: "),
        ({"entry_state": "running"}, "must be equal"),
    ],
)
def test_what_applications_do_not_take(changed: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as refused:
        check_expert_command(json.dumps(GOOD | changed))
    assert refused.value.field == "command"


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "\x00", "[" * 90_000, " " * 200_000])
def test_what_is_no_command(text: str) -> None:
    with pytest.raises(InvalidInputError):
        check_expert_command(text)
