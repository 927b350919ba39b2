"""The panel: a framed block with a title, the age of its data, actions and a foot."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.attributes import marked

Children = Component | str | Sequence[Component | str] | None


def panel(
    title: Children,
    body: Children,
    *,
    sub: Children = None,
    actions: Children = None,
    foot: Children = None,
    flush: bool = False,
    class_name: str = "",
    component_id: str | None = None,
) -> html.Section:
    """Return a panel.

    Args:
        title: What it shows, in one or two words.
        body: The content; its area is a column that may scroll.
        sub: Counts, scope or source, in grey beside the title.
        actions: What stands at the right of the head: buttons, a link, the age of the data.
        foot: A line below; None for no foot.
        flush: No padding around the body, for grids and tables.
        class_name: Further CSS classes.
        component_id: Id of the section.
    """
    parts: list[Component] = [panel_head(title, sub=sub, actions=actions)]
    parts.append(html.Div(body, className="panel-body flush" if flush else "panel-body"))
    if foot is not None:
        parts.append(html.Div(foot, className="panel-foot"))
    section = html.Section(parts, className=f"panel {class_name}".strip())
    return marked(section, id=component_id)


def panel_head(title: Children, *, sub: Children = None, actions: Children = None) -> html.Div:
    """Return the head of a panel alone, for panels whose parts have ids of their own."""
    parts: list[Component] = [html.H2(title, className="panel-title")]
    if sub is not None:
        parts.append(html.Div(sub, className="panel-sub clip"))
    if actions is not None:
        parts.append(html.Div(actions, className="panel-actions"))
    return html.Div(parts, className="panel-head")


def facts(pairs: Sequence[tuple[str, Children]]) -> html.Dl:
    """Return names and values in two columns."""
    rows: list[Component] = []
    for name, value in pairs:
        rows += [html.Dt(name), html.Dd(value)]
    return html.Dl(rows, className="facts")
