"""Read a tree of Dash components as a person would: its words, and the parts with a class or a role."""

import json
from collections.abc import Iterator
from typing import Any

from dash import html
from dash.development.base_component import Component


def walk(part: Any) -> Iterator[Any]:
    """Go through a component and all below it. Each kind of component has attributes of its own, hence Any."""
    if isinstance(part, list | tuple):
        for item in part:
            yield from walk(item)
    elif isinstance(part, Component):
        yield part
        yield from walk(getattr(part, "children", None))


def words(part: Any) -> str:
    """Return all text in reading order, parts separated by single blanks; wraps inside names leave none."""
    return " ".join("".join(_texts(part)).split())


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, list | tuple):
        for item in part:
            yield from _texts(item)
    elif isinstance(part, Component):
        inline = part._type == "Wbr"
        yield "" if inline else " "
        yield from _texts(getattr(part, "children", None))
        yield "" if inline else " "
    elif part is not None:
        yield str(part)


def with_class(part: Any, name: str) -> list[Any]:
    """Return the components that have a CSS class."""
    return [found for found in walk(part) if name in str(getattr(found, "className", "") or "").split()]


def attribute(part: Component, name: str) -> Any:
    """Return an attribute, None where it is not set; names of wildcards with hyphens."""
    return part.to_plotly_json()["props"].get(name)


def drawn(content: str) -> list[Any]:
    """Return what an outlet draws (`components.outlet`) as components again, without styles."""
    return [_component(item) for item in json.loads(content)]


def _component(item: Any) -> Any:
    if isinstance(item, str):
        return item
    tag, attributes, children = item
    made = getattr(html, tag.capitalize())([_component(child) for child in children])
    for name, value in attributes.items():
        if name == "class" or name in ("title", "role") or name.startswith(("aria-", "data-")):
            setattr(made, "className" if name == "class" else name, value)
    return made
