"""Outlets: one Dash component for a piece of page that only shows something, however much it shows.

Dash's renderer looks at each of its components at each change anywhere on the page: a tree of some hundred elements
then blocks the browser for seconds (ADR 0006). What needs no callback of its own is therefore sent as data and drawn by
`assets/outlet.js`, which changes elements in place.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.panel import Children

CONTENT = "data-content"

_NAMES = {"className": "class", "htmlFor": "for", "tabIndex": "tabindex", "dateTime": "datetime", "colSpan": "colspan"}
_PLAIN = frozenset({"alt", "id", "key", "lang", "role", "scope", "title"})
_FLAGS = frozenset({"hidden", "open"})
_NAMESPACES = {"dash_html_components": None, "dash_core_components": {"Link": "a"}}
# Inside our own pages, or inside this one; never another host, never a script.
_OWN_ADDRESS = re.compile(r"(/(?!/)|[?#]).*", re.DOTALL)
_OWN_PICTURE = re.compile(r"data:image/svg\+xml[;,]")
# Beside properties a component holds what Dash knows of its kind.
_OF_DASH = ("_", "available_")
_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


def outlet(outlet_id: str | dict[str, str], content: Children, *, class_name: str = "") -> html.Div:
    """Return an outlet that shows ``content`` until a callback sets ``Output(outlet_id, CONTENT)`` to a `drawing`."""
    return marked(html.Div(id=outlet_id, className=f"outlet {class_name}".strip()), data_content=drawing(content))


def drawing(content: Children) -> str:
    """Return what an outlet draws: JSON text, or what `assets/outlet.js` makes elements of.

    Raises:
        ValueError: Something in it needs Dash (a callback's component), or leads to another host.
    """
    return json.dumps(_items(content), separators=(",", ":"), ensure_ascii=False)


def _items(content: Any) -> list[Any]:
    if content is None:
        return []
    if isinstance(content, Component):
        return [_element(content)]
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [item for part in content for item in _items(part)]
    return [str(content)]


def _element(component: Component) -> list[Any]:
    tag = _tag(component._namespace, component._type)  # noqa: SLF001  # what Dash's own way sends
    attributes: dict[str, str] = {}
    # Dash's own way asks for every property that there could be, which takes half of the time of a large tree. Sorted,
    # because Dash sets them in another order in each process, and what is the same must be drawn the same.
    given = vars(component)
    for name in sorted(given):
        value = given[name]
        if value is not None and name != "children" and not name.startswith(_OF_DASH):
            attributes |= _attribute(tag, name, value)
    return [tag, attributes, _items(getattr(component, "children", None))]


def _tag(namespace: str, kind: str) -> str:
    allowed = _NAMESPACES.get(namespace, {})
    if allowed is None:
        return kind.lower()
    if kind not in allowed:
        raise ValueError(f"{kind} needs Dash; it cannot stand in an outlet")
    return allowed[kind]


def _attribute(tag: str, name: str, value: Any) -> Mapping[str, str]:
    if name in _NAMES or name in _PLAIN or name.startswith(("aria-", "data-")):
        return {_NAMES.get(name, name): str(value)}
    if name in _FLAGS:
        return {name: ""} if value else {}
    if name == "style":
        return {"style": ";".join(f"{_css_name(key)}:{item}" for key, item in value.items())}
    if (name == "href" and _OWN_ADDRESS.fullmatch(value)) or (name == "src" and _OWN_PICTURE.match(value)):
        return {name: str(value)}
    raise ValueError(f"<{tag} {name}={str(value)[:40]!r}> cannot stand in an outlet")


def _css_name(name: str) -> str:
    return name if name.startswith("--") else _CAMEL.sub("-", name).lower()
