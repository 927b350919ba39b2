"""Look into component trees."""

import json
from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def walk(tree: Any) -> Iterator[Any]:
    """Go through a tree: every component and every text, parents first."""
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from walk(part)
        return
    if tree is None:
        return
    yield tree
    if isinstance(tree, Component):
        yield from walk(getattr(tree, "children", None))


def text(tree: Any) -> str:
    """Return all texts of a tree in one line."""
    return " ".join(str(part).strip() for part in walk(tree) if isinstance(part, str | int)).strip()


def classes(tree: Any) -> set[str]:
    """Return every CSS class of a tree."""
    named = (getattr(part, "className", None) for part in walk(tree) if isinstance(part, Component))
    return {name for names in named if names for name in names.split()}


def having(tree: Any, name: str) -> list[Component]:
    """Return the components with a CSS class."""
    found = (part for part in walk(tree) if isinstance(part, Component))
    return [part for part in found if name in (getattr(part, "className", None) or "").split()]


def attribute(component: Component, name: str) -> Any:
    """Return an attribute as it is sent to the browser; None where it is not set."""
    return component.to_plotly_json()["props"].get(name)


def hrefs(tree: Any) -> list[str]:
    """Return the addresses of all links."""
    found = (part for part in walk(tree) if isinstance(part, Component))
    return [attribute(part, "href") for part in found if attribute(part, "href")]


def drawn_elements(content: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield tag and attributes of every element of an outlet's content; a text comes as ``("", {"text": …})``."""
    waiting = json.loads(content)
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, str):
            yield "", {"text": item}
        else:
            yield item[0], item[1]
            waiting = item[2] + waiting


def drawn_text(content: str) -> str:
    """Return all texts of an outlet's content in one line."""
    return " ".join(found["text"].strip() for tag, found in drawn_elements(content) if not tag)


def drawn_attributes(content: str, name: str) -> list[str]:
    """Return the values of an attribute, in order."""
    return [found[name] for tag, found in drawn_elements(content) if tag and name in found]
