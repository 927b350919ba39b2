"""Targets of contract 11, case by case."""

import pytest

from simulator.flags import ResponseFlag
from simulator.replies import Address
from simulator.targets import by_name, by_pattern, ends_at_child

NODE = "root-controller"
CHILDREN = ("df-controller", "dfx-controller", "ru-controller")


def reached(below: tuple[tuple[str, Address], ...]) -> dict[str, str]:
    return {name: address.target for name, address in below}


@pytest.mark.parametrize(
    ("target", "here", "below"),
    [
        ("", True, {}),
        ("/", True, {}),
        (NODE, True, {}),
        # A path, but not the node itself.
        ("/root-controller", False, {}),
        ("root-controller/df-controller/df-01", False, {"df-controller": "df-controller/df-01"}),
        ("/root-controller/ru", False, {"ru-controller": "ru-controller"}),
        ("df", False, {"df-controller": "df-controller", "dfx-controller": "dfx-controller"}),
        # From the start of the name, not anywhere.
        ("controller", False, {}),
    ],
)
def test_patterns(target: str, here: bool, below: dict[str, str]) -> None:
    route = by_pattern(Address(target, along_path=False, all_below=False), NODE, CHILDREN)
    assert (route.here, reached(route.below), route.flag) == (here, below, ResponseFlag.EXECUTED_SUCCESSFULLY)


def test_pattern_with_a_wrong_root() -> None:
    assert by_pattern(Address("/elsewhere"), NODE, CHILDREN).flag is ResponseFlag.FAILED


@pytest.mark.parametrize(
    ("target", "here", "below"),
    [
        ("", True, {}),
        (NODE, True, {}),
        ("root-controller/df-controller/df-01", False, {"df-controller": "df-controller/df-01"}),
        ("root-controller/df", False, {}),
    ],
)
def test_names(target: str, here: bool, below: dict[str, str]) -> None:
    route = by_name(Address(target, along_path=False, all_below=False), NODE, CHILDREN)
    assert (route.here, reached(route.below)) == (here, below)


@pytest.mark.parametrize("target", ["df-controller", "/root-controller", "elsewhere/df-controller"])
def test_names_begin_with_the_node(target: str) -> None:
    assert by_name(Address(target), NODE, CHILDREN).flag is ResponseFlag.NOT_EXECUTED_BAD_REQUEST_FORMAT


@pytest.mark.parametrize("route", [by_name, by_pattern])
def test_everything_below_the_end(route: "object") -> None:
    below = route(Address(NODE, along_path=False), NODE, CHILDREN).below  # type: ignore[operator]
    assert reached(below) == dict.fromkeys(CHILDREN, "")
    assert all(address.all_below for _, address in below)


@pytest.mark.parametrize(
    ("address", "ends"),
    [
        (Address("df-controller", along_path=False), True),
        (Address("", along_path=False), True),
        (Address("df-controller/df-01", along_path=False), False),
        (Address("df-controller/df-01"), True),
    ],
)
def test_where_an_address_ends(address: Address, ends: bool) -> None:
    assert ends_at_child(address, "df-controller") is ends
