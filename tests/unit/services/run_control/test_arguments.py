"""From what people typed to the values of arguments."""

import contextlib
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.errors import InvalidInputError
from services.run_control.arguments import INT64_MAX, INT64_MIN, parse_arguments
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Transition

START = Transition(
    "start",
    (
        Argument("run_number", ArgumentType.INT, mandatory=True),
        Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=0.0),
        Argument("run_type", ArgumentType.STRING, mandatory=False, default="TEST", choices=("PROD", "TEST")),
        Argument("post", ArgumentType.STRING, mandatory=False, default=""),
    ),
)

# Text is slow to draw the first time on a busy machine.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


def test_what_a_form_sends() -> None:
    raw = {
        "run_number": " 31427 ",
        "disable_data_storage": False,
        "trigger_rate": "1e3",
        "run_type": "prod",
        "post": "",
    }
    assert parse_arguments(START, raw) == {
        "run_number": 31427,
        "disable_data_storage": False,
        "trigger_rate": 1000.0,
        "run_type": "PROD",
    }


@pytest.mark.parametrize("empty", ["", "   ", None])
def test_empty_optional_arguments_are_left_out(empty: object) -> None:
    raw = {"run_number": 1, "disable_data_storage": empty, "trigger_rate": empty, "run_type": empty, "post": empty}
    assert parse_arguments(START, raw) == {"run_number": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run_number", ""),
        ("run_number", "1.5"),
        ("run_number", 1.5),
        ("run_number", True),
        ("run_number", "1_000"),
        ("run_number", "٣"),
        ("run_number", "9" * 5000),
        ("run_number", INT64_MAX + 1),
        ("run_number", INT64_MIN - 1),
        ("trigger_rate", "nan"),
        ("trigger_rate", "inf"),
        ("trigger_rate", math.inf),
        ("trigger_rate", 1e39),
        ("trigger_rate", 10**400),
        ("trigger_rate", "fast"),
        ("disable_data_storage", "perhaps"),
        ("run_type", "COSMIC"),
        ("post", 3),
        ("post", "a\x00b"),
        ("post", "\ud800"),
        ("post", "x" * 10_001),
        ("unheard_of", "1"),
    ],
)
def test_what_does_not_fit_names_its_field(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_arguments(START, {"run_number": 1, name: value})
    assert refused.value.field == name


def test_a_mandatory_argument_is_missed() -> None:
    with pytest.raises(InvalidInputError, match="run_number is mandatory"):
        parse_arguments(START, {})


@unhurried
@given(st.integers(INT64_MIN, INT64_MAX))
def test_every_64_bit_integer_is_taken_as_number_and_as_text(value: int) -> None:
    assert parse_arguments(START, {"run_number": value}) == {"run_number": value}
    assert parse_arguments(START, {"run_number": str(value)}) == {"run_number": value}


@unhurried
@given(st.dictionaries(st.sampled_from([argument.name for argument in START.arguments]), ANYTHING))
def test_anything_gives_values_of_the_declared_types_or_our_error(raw: dict[str, object]) -> None:
    types = {ArgumentType.INT: int, ArgumentType.FLOAT: float, ArgumentType.BOOL: bool, ArgumentType.STRING: str}
    values: dict[str, ArgumentValue] = {}
    with contextlib.suppress(InvalidInputError):
        values = parse_arguments(START, raw)
    if not values:
        return
    declared = {argument.name: types[argument.type] for argument in START.arguments}
    assert all(type(value) is declared[name] for name, value in values.items())
    # What was parsed can be parsed again: the collector does so with what the row holds.
    assert parse_arguments(START, values) == values
