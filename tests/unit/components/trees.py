"""Look into component trees."""

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
