"""Orders to boot, from text that people write."""

import json

import pytest

from services.errors import InvalidInputError
from services.run_control.boot_order import dummy_orders, order_from_json, order_to_json, parse_boot_orders
from services.run_control.process_types import BootOrder

GOOD = {"name": "p", "session": "s", "commands": [["echo", "hello"]]}


def test_one_object_or_a_list_of_them() -> None:
    expected = BootOrder("p", "s", "alice", (("echo", "hello"),))
    assert parse_boot_orders(json.dumps(GOOD), "alice") == (expected,)
    assert parse_boot_orders(json.dumps([GOOD, GOOD]), "alice") == (expected, expected)


def test_every_problem_is_named_with_its_field() -> None:
    bad = {"session": 5, "commands": [[]], "hosts": [], "enviroment": {}, "tree_id": "a"}
    with pytest.raises(InvalidInputError) as refused:
        parse_boot_orders(json.dumps([GOOD, bad]), "alice")
    assert refused.value.field == "order"
    for place in ("name", "session", "commands.0", "hosts", "enviroment", "tree_id"):
        assert f"process 2, {place}: " in refused.value.message
    assert "process 1" not in refused.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "[" * 100_000, "x" * 300_000, '{"name": NaN}'])
def test_what_is_no_order(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_boot_orders(text, "alice")


def test_the_same_in_yaml() -> None:
    text = """
# Two processes, one beside the other.
- name: p
  session: s
  commands:
    - [echo, hello]
- name: q
  session: s
  user: bob
  commands:
    - [source, /opt/rte.sh]
    - [daq_application, -n, q]
  environment: {DEBUG: "no", LEVEL: "1"}
  tree_id: "1.2"
"""
    first, second = parse_boot_orders(text, "alice")
    assert first == BootOrder("p", "s", "alice", (("echo", "hello"),))
    assert (second.user, second.environment, second.tree_id) == ("bob", {"DEBUG": "no", "LEVEL": "1"}, "1.2")
    assert second.commands[1] == ("daq_application", "-n", "q")
    assert parse_boot_orders("name: p\nsession: s\ncommands: [[echo, hello]]", "alice") == (first,)


def test_problems_in_yaml_are_named_with_their_line() -> None:
    text = "- name: p\n  session: s\n  commands: [[echo]]\n- name: q\n  session: s\n  commands:\n    - [sleep, 5]\n"
    with pytest.raises(InvalidInputError, match=r"line 7, process 2, commands\.0\.1: .*string"):
        parse_boot_orders(text, "alice")
    with pytest.raises(InvalidInputError, match=r"line 2, process 1, sesion: "):
        parse_boot_orders("name: p\nsesion: s\ncommands: [[echo]]", "alice")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: [p", "no YAML: line 1: "),
        ("a: &x [1]\nb: [*x, *x]\n", "no YAML: line 2: aliases"),
        ("name: p\nname: q", "no YAML: line 2: name is there twice"),
        ("- " * 30, "no YAML: line 1: more than 20"),
        ("just words", "process 1: Input should be"),
    ],
)
def test_yaml_that_is_no_order(text: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        parse_boot_orders(text, "alice")


def test_what_cannot_be_sent() -> None:
    with pytest.raises(InvalidInputError, match=r"process 1, name: .*cannot be sent"):
        parse_boot_orders(json.dumps({**GOOD, "name": "a\x00"}), "alice")


def test_an_order_survives_the_row() -> None:
    order = BootOrder("p", "s", "u", (("a", "b"), ("c",)), {"X": "1"}, "/d", "/l", ("h1", "h2"), "1.2")
    assert order_from_json(json.loads(json.dumps(order_to_json(order)))) == order


def test_a_dummy_sleeps_and_says_how_long() -> None:
    first, second = dummy_orders("s", "u", processes=2, sleeps=2, sleep_s=10)
    assert (first.name, second.name, first.tree_id) == ("dummy_boot_0", "dummy_boot_1", None)
    assert first.commands == (
        ("echo", "Starting dummy_boot."),
        ("sleep", "10s"),
        ("echo", "10s"),
        ("sleep", "10s"),
        ("echo", "20s"),
        ("echo", "Exiting."),
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"processes": 0}, "processes"),
        ({"sleeps": 10**6}, "sleeps"),
        ({"session": ""}, "session"),
        ({"user": "\x00"}, "user"),
    ],
)
def test_dummies_out_of_bounds(changed: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"session": "s", "user": "u", "processes": 1, "sleeps": 1, "sleep_s": 1}
    with pytest.raises(InvalidInputError) as refused:
        dummy_orders(**(values | changed))  # type: ignore[arg-type]
    assert refused.value.field == field
