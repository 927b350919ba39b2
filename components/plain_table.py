"""A plain table that a screen reader reads as one at any width; on a phone each row becomes a card with its labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.panel import Children

NOTHING = ("–", "none")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its word, and the CSS class of its cells (``number``: to the right; ``wide``: takes what is left)."""

    word: str
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a cell for each column, the first of them its name, and the CSS class of the row.

    With a ``key`` the row stays the same element when others come before it, so that what was opened stays open.
    """

    cells: Sequence[Children]
    class_name: str = ""
    key: str | None = None


def plain_table(name: str, columns: Sequence[Column], rows: Sequence[Row]) -> html.Table:
    """Return a table.

    Roles stand on every part: browsers forget what a table is as soon as a stylesheet makes blocks of it.

    Args:
        name: What the table is, for screen readers.
        columns: Their words and classes.
        rows: As they are to be read.
    """
    heads: list[Component] = [
        html.Th(column.word, scope="col", role="columnheader", className=column.class_name) for column in columns
    ]
    head = html.Thead(html.Tr(heads, role="row"), role="rowgroup")
    body = html.Tbody([_row(columns, row) for row in rows], role="rowgroup")
    return html.Table(
        [html.Caption(name, className="visually-hidden"), head, body], role="table", className="plain-table"
    )


def scrolling(name: str, content: Component) -> html.Div:
    """Return content in an area of its own that scrolls, also by keyboard."""
    area = html.Div(content, role="region", tabIndex=0, className="plain-scroll")
    return marked(area, aria_label=name)


def _row(columns: Sequence[Column], row: Row) -> html.Tr:
    name, *rest = row.cells
    cells: list[Component] = [html.Th(name, scope="row", role="rowheader", className=columns[0].class_name)]
    cells += [_cell(column, cell) for column, cell in zip(columns[1:], rest, strict=True)]
    return marked(html.Tr(cells, role="row", className=row.class_name), key=row.key)


def _cell(column: Column, content: Children) -> html.Td:
    # On a phone what says nothing takes no room.
    classes = f"{column.class_name} is-nothing" if content in NOTHING else column.class_name
    return marked(html.Td(content, role="cell", className=classes.strip()), data_label=column.word)
