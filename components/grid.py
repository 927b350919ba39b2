"""AG Grid as the console uses it: one look, stable row ids, no motion, community edition only."""

from collections.abc import Mapping, Sequence

import dash_ag_grid
from dash import html

from components.attributes import marked

# A column definition or grid option is AG Grid's own JSON; the library types it as loosely.
GridValue = object

# Colours are CSS variables, so that the grid follows the theme by itself. dash-ag-grid parses this without eval, so it
# works under the content security policy.
_COLOURS = {
    "backgroundColor": "bg-1",
    "dataBackgroundColor": "bg-1",
    "foregroundColor": "fg-0",
    "textColor": "fg-0",
    "headerBackgroundColor": "bg-1",
    "headerTextColor": "fg-2",
    "borderColor": "line",
    "rowHoverColor": "bg-2",
    "selectedRowBackgroundColor": "acc-bg",
    "accentColor": "acc",
    "inputBackgroundColor": "inp",
    "menuBackgroundColor": "bg-2",
    "tooltipBackgroundColor": "bg-2",
    "tooltipTextColor": "fg-0",
    "checkboxCheckedBackgroundColor": "acc-fill",
    "checkboxCheckedBorderColor": "acc-fill",
    "checkboxCheckedShapeColor": "on-acc",
    "checkboxUncheckedBackgroundColor": "inp",
    "checkboxUncheckedBorderColor": "ctl",
}

_SIZES = (
    "fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, headerFontWeight: 400, iconSize: 14, spacing: 6, "
    "cellHorizontalPadding: 10, wrapperBorder: false, columnBorder: false, wrapperBorderRadius: 0, "
    "checkboxBorderRadius: 4, oddRowBackgroundColor: 'transparent', headerColumnResizeHandleColor: 'transparent', "
    "inputBorder: '1px solid var(--c-ctl)', inputFocusBorder: '1px solid var(--c-acc)', browserColorScheme: 'inherit'"
)

ROW_NORMAL = 32
ROW_COMPACT = 28
ROW_BOARD = 26
ROW_TOUCH = 40
ROW_LINE = 20

DEFAULT_COLUMN: Mapping[str, GridValue] = {
    "sortable": True,
    "resizable": True,
    "suppressHeaderMenuButton": True,
    "suppressMovable": True,
}


def narrow(width: int) -> Mapping[str, GridValue]:
    """Return what a column's definition says of a phone: how wide it is there, pixels, 0 where it is left out.

    The page has to let `assets/grid.js` follow its grid.
    """
    return {"context": {"narrow": width}}


def grid(
    component_id: str,
    columns: Sequence[Mapping[str, GridValue]],
    *,
    row_id: str,
    rows: Sequence[Mapping[str, GridValue]] | None = None,
    row_height: int = ROW_NORMAL,
    header_height: int = 32,
    row_classes: Mapping[str, str] | None = None,
    options: Mapping[str, GridValue] | None = None,
    label: str = "",
    filter_model: Mapping[str, GridValue] | None = None,
    class_name: str = "",
) -> html.Div:
    """Return a grid.

    Args:
        component_id: Id of the grid.
        columns: Column definitions.
        row_id: Field whose value identifies a row; without it selection and scroll position would be lost on updates.
        rows: Rows, or None to load them by callback.
        row_height: One of the ``ROW_…`` heights, pixels.
        header_height: Pixels.
        row_classes: CSS class to JavaScript condition on ``params`` (``rowClassRules``).
        options: Further grid options; they win over the defaults. ``defaultColDef`` among them is added to the default.
        label: Accessible name of the region that holds the grid.
        filter_model: Column filters to begin with.
        class_name: Further CSS classes.
    """
    wanted = dict(options or {})
    column = wanted.pop("defaultColDef", {})
    made = dash_ag_grid.AgGrid(
        id=component_id,
        columnDefs=[dict(definition) for definition in columns],
        rowData=None if rows is None else [dict(row) for row in rows],
        defaultColDef=dict(DEFAULT_COLUMN) | (dict(column) if isinstance(column, Mapping) else {}),
        getRowId=f"params.data.{row_id}",
        rowClassRules=dict(row_classes or {}),
        filterModel=dict(filter_model or {}),
        dashGridOptions=grid_options(row_height, header_height) | wanted,
        className=f"grid {class_name}".strip(),
        style={"height": "100%", "width": "100%"},
        dangerously_allow_code=False,
    )
    # AG Grid offers no option for its name.
    return marked(html.Div(made, className="grid-region", role="region"), aria_label=label or None)


def grid_options(row_height: int, header_height: int) -> dict[str, GridValue]:
    """Return the options every grid has."""
    return {
        "theme": {"function": _theme(row_height, header_height)},
        "rowHeight": row_height,
        "headerHeight": header_height,
        "animateRows": False,
        "enableCellTextSelection": True,
        "suppressColumnMoveAnimation": True,
        "suppressCellFocus": False,
        "suppressRowVirtualisation": False,
        "tooltipShowDelay": 500,
    }


def _theme(row_height: int, header_height: int) -> str:
    colours = ", ".join(f"{name}: 'var(--c-{token})'" for name, token in _COLOURS.items())
    heights = f"rowHeight: {row_height}, headerHeight: {header_height}"
    return f"themeQuartz.withParams({{{colours}, {_SIZES}, {heights}}})"
