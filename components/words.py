"""Small forms of words that several components share."""

from dash import html
from dash.development.base_component import Component

from components.ages import thin

_KILO = 1000
_TEN = 10


def breakable(name: str) -> list[str | Component]:
    """Return a name of drunc's (state, transition, argument) that may wrap after its underscores, never inside."""
    parts: list[str | Component] = []
    for index, word in enumerate(name.split("_")):
        if index:
            parts += ["_", html.Wbr()]
        parts.append(word)
    return parts


def size_text(size_bytes: int) -> str:
    """Return a size in bytes as people say it: ``512 B``, ``1.5 kB``, ``27 MB`` (1 kB is 1000 B)."""
    size, units = float(size_bytes), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= _KILO and unit != "TB":
        size, unit = size / _KILO, next(units)
    return f"{size:.1f} {unit}" if unit != "B" and size < _TEN else f"{size:.0f} {unit}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 node``, ``3 nodes``."""
    return f"{thin(number)} {one if number == 1 else many or one + 's'}"
