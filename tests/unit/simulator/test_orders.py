"""The table of orders: what each takes, and what is refused before anything happens."""

from collections.abc import Iterator

import pytest

from simulator.checks import SimulatorError
from simulator.installation import Installation
from simulator.orders import ORDERS, BadOrderError, Order, find_order


@pytest.fixture
def idle() -> Iterator[Installation]:
    """An installation that was never started."""
    made = Installation()
    yield made
    made.stop()


def test_defaults_are_filled_in_and_numbers_have_their_kind() -> None:
    assert find_order("kill").checked({"session": "s", "name": "p"}) == {"session": "s", "name": "p", "exit_code": 255}
    assert find_order("kill").checked({"session": "s", "name": "p", "exit_code": 1.0})["exit_code"] == 1
    slow = find_order("slow").checked({"session": "s", "transition": "conf", "seconds": 3})
    assert (slow["seconds"], type(slow["seconds"])) == (3.0, float)
    assert find_order("stall-kafka").checked({}) == {"stalled": True}


@pytest.mark.parametrize(
    ("order", "given", "reason"),
    [
        ("kill", {"session": "s"}, "kill: name is missing"),
        (
            "kill",
            {"session": "s", "name": "p", "code": 1},
            "kill does not know code; it takes session, name, exit_code",
        ),
        ("kill", {"session": "s", "name": "p", "exit_code": "1"}, "exit_code must be a whole number"),
        ("kill", {"session": "s", "name": "p", "exit_code": 1.5}, "exit_code must be a whole number"),
        ("kill", {"session": "s", "name": "p", "exit_code": True}, "exit_code must be a whole number"),
        ("kill", {"session": 1, "name": "p"}, "session must be a text"),
        ("slow", {"session": "s", "transition": "conf", "seconds": float("nan")}, "seconds must be a number"),
        ("slow", {"session": "s", "transition": "conf", "seconds": float("inf")}, "seconds must be a number"),
        ("flood", {"count": 1, "severity": "LOUD"}, "severity must be one of DEBUG"),
        ("stall-kafka", {"stalled": "yes"}, "stalled must be true or false"),
        ("reset", {"x": 1}, "it takes nothing"),
    ],
)
def test_wrong_arguments_say_what_is_right(order: str, given: dict[str, object], reason: str) -> None:
    with pytest.raises(BadOrderError, match=reason):
        find_order(order).checked(given)


def test_unknown_order_names_those_there_are() -> None:
    with pytest.raises(BadOrderError, match="no order 'kil'; known are kill, die-after-boot"):
        find_order("kil")


def test_raw_bytes_must_be_base_64(idle: Installation) -> None:
    order = find_order("publish-raw")
    with pytest.raises(BadOrderError, match="base 64"):
        order.carry_out(idle, **order.checked({"topic": "t", "value_base64": "?"}))


@pytest.mark.parametrize("order", [order for order in ORDERS if order.wants("session")], ids=lambda order: order.name)
def test_every_order_of_a_session_refuses_an_unknown_one(order: Order, idle: Installation) -> None:
    examples = {"session": "nowhere", "name": "x", "node": "x", "transition": "conf", "seconds": 1.0, "text": "t"}
    given = {name: value for name, value in examples.items() if order.wants(name)}
    with pytest.raises(SimulatorError, match="nowhere"):
        order.carry_out(idle, **order.checked(given))
