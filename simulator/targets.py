"""Where a request executes and whereto it goes on, in G2 and G3 (contract 11)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.flags import ResponseFlag
from simulator.replies import Address


@dataclass(frozen=True, slots=True)
class Route:
    """What a node does with an address.

    Attributes:
        here: Whether it executes on itself.
        below: Children by name, each with the address that it gets.
        flag: Why the address is refused; success when it is not.
    """

    here: bool
    below: tuple[tuple[str, Address], ...] = ()
    flag: ResponseFlag = ResponseFlag.EXECUTED_SUCCESSFULLY


def by_pattern(address: Address, node: str, children: Sequence[str]) -> Route:
    """Route as G2 does: components are regular expressions that match the start of a child's name.

    ``/root-controller`` is a path, but it does not count as the node itself.
    """
    target = address.target
    parts = [part for part in target.split("/") if part]
    if target.startswith("/") and parts and parts[0] != node:
        return Route(here=False, flag=ResponseFlag.FAILED)
    if parts and parts[0] == node:
        parts = parts[1:]
    here = address.along_path or target in ("", "/", node)
    return Route(here, _below(address, parts, children, lambda pattern, name: re.match(pattern, name) is not None))


def by_name(address: Address, node: str, children: Sequence[str]) -> Route:
    """Route as G3 does: the path begins with the node's own name, and every component is exact."""
    parts = address.target.split("/") if address.target else [node]
    if parts[0] != node:
        return Route(here=False, flag=ResponseFlag.NOT_EXECUTED_BAD_REQUEST_FORMAT)
    here = address.along_path or len(parts) == 1
    return Route(here, _below(address, parts[1:], children, lambda wanted, name: wanted == name))


def ends_at_child(address: Address, child: str) -> bool:
    """Tell whether the address that a child gets makes the child execute on itself."""
    return address.along_path or address.target in ("", child)


def _below(
    address: Address, parts: Sequence[str], children: Sequence[str], matches: Callable[[str, str], bool]
) -> tuple[tuple[str, Address], ...]:
    if parts:
        # Further down the child's own name takes the place of the pattern that found it.
        return tuple(
            (name, Address("/".join((name, *parts[1:])), address.along_path, address.all_below))
            for name in children
            if matches(parts[0], name)
        )
    if address.all_below:
        return tuple((name, Address("", address.along_path, all_below=True)) for name in children)
    return ()
