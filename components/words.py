"""Small forms of words that several components share."""

from dash import html
from dash.development.base_component import Component

from components.ages import thin


def breakable(name: str) -> list[str | Component]:
    """Return a name of drunc's (state, transition, argument) that may wrap after its underscores, never inside."""
    parts: list[str | Component] = []
    for index, word in enumerate(name.split("_")):
        if index:
            parts += ["_", html.Wbr()]
        parts.append(word)
    return parts


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 node``, ``3 nodes``."""
    return f"{thin(number)} {one if number == 1 else many or one + 's'}"
