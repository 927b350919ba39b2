import json
from typing import Any

import pytest

from components.arguments_form import argument_error, arguments_form, as_text, input_id, leads_to, not_possible
from services.run_control.fsm_types import Argument, ArgumentType, Transition
from tests.unit.components.reading import attribute, walk, with_class, words

START = Transition(
    "start",
    (
        Argument("run_number", ArgumentType.INT, mandatory=True, help="Ask the shift leader."),
        Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=1.5),
        Argument("run_type", ArgumentType.STRING, mandatory=False, default="TEST", choices=("PROD", "TEST")),
        Argument("file_logbook_post", ArgumentType.STRING, mandatory=False, default=""),
    ),
)


def fields() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in walk(arguments_form(START)):
        name = attribute(part, "id")
        if isinstance(name, dict) and name["element"] == "input":
            found[name["key"]] = part
    return found


def test_one_field_per_argument_in_the_servers_order() -> None:
    assert list(fields()) == [argument.name for argument in START.arguments]


def test_each_field_says_type_and_presence() -> None:
    said = [words(part) for part in with_class(arguments_form(START), "argument-kind")]
    assert said == [
        "INT, mandatory",
        "BOOL, default false",
        "FLOAT, default 1.5",
        "STRING, default TEST",
        "STRING, optional",
    ]


def test_texts_start_empty_so_that_the_servers_default_holds() -> None:
    assert fields()["trigger_rate"].value == ""
    assert fields()["trigger_rate"].placeholder == "1.5 (default)"
    assert fields()["run_number"].placeholder == ""


def test_choices_and_booleans_are_buttons_with_the_default_chosen() -> None:
    assert fields()["run_type"].value == "TEST"
    assert [option["value"] for option in fields()["run_type"].options] == ["PROD", "TEST"]
    assert fields()["disable_data_storage"].value == "false"


def test_a_mandatory_boolean_has_nothing_chosen_beforehand() -> None:
    form = arguments_form(Transition("t", (Argument("sure", ArgumentType.BOOL, mandatory=True),)))
    chosen = [part.value for part in walk(form) if attribute(part, "id") == input_id("sure")]
    assert chosen == [None]


def test_labels_belong_to_their_fields() -> None:
    labels = with_class(arguments_form(START), "argument-name")
    assert [json.loads(label.htmlFor)["key"] for label in labels] == [argument.name for argument in START.arguments]


def test_without_arguments_it_says_so() -> None:
    assert words(arguments_form(Transition("conf"))) == "This transition takes no arguments."


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (0.0, "0"), (12.5, "12.5"), (7, "7"), ("x", "x")]
)
def test_values_are_written_as_people_write_them(value: float | str | bool, text: str) -> None:
    assert as_text(value) == text


def test_an_error_stands_at_its_field_and_goes_away() -> None:
    assert words(argument_error("run_number is mandatory.")) == "run_number is mandatory."
    assert argument_error(None) == []


def test_all_reasons_are_given() -> None:
    assert words(not_possible(("bob is in control.", "conf is under way."))) == (
        "Not possible now bob is in control. conf is under way."
    )
    assert words(not_possible(())) == ""


def test_an_unknown_destination_is_not_made_up() -> None:
    assert words(leads_to("configured", "ready")) == "configured → ready"
    assert words(leads_to("ready", None)) == "ready → state unknown beforehand"
