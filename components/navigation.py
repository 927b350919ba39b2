"""Navigation between pages: at the left, on a phone at the bottom. It lists only pages that exist."""

from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Icon, icon

COMPONENT = "navigation"
RAIL = "rail"
BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Destination:
    """One page: its path, the word below its icon, and whether it has a place of its own on a phone."""

    path: str
    word: str
    sign: Icon
    on_phone: bool = True


DESTINATIONS = (
    Destination("/", "Overview", Icon.OVERVIEW),
    Destination("/controller", "Controller", Icon.CONTROL),
    Destination("/processes", "Processes", Icon.PROCESSES),
    Destination("/sessions", "Sessions", Icon.SESSIONS, on_phone=False),
    Destination("/messages", "Messages", Icon.MESSAGES),
    Destination("/rates", "Rates", Icon.RATES, on_phone=False),
    Destination("/alarms", "Alarms", Icon.BELL, on_phone=False),
    Destination("/status", "Status", Icon.STATUS, on_phone=False),
)


def link_id(element: str, path: str) -> dict[str, str]:
    """Return the id of a navigation link; ``element`` is RAIL or BOTTOM, or ALL in a callback."""
    return {"component": COMPONENT, "element": element, "key": path}


def rail() -> html.Nav:
    """Return the navigation at the left."""
    links = [_link(place, RAIL) for place in DESTINATIONS]
    return marked(html.Nav([*links, _help_button()], className="rail"), aria_label="Pages")


def bottom_bar(sheet: Component) -> html.Nav:
    """Return the navigation of phones; ``sheet`` is what "More" opens, besides the pages without a place here."""
    links = [_link(place, BOTTOM) for place in DESTINATIONS if place.on_phone]
    rest = [_row(place) for place in DESTINATIONS if not place.on_phone]
    more = html.Details(
        [
            html.Summary([icon(Icon.MENU), html.Span("More")], className="nav-item"),
            html.Div([_sheet_head(), *rest, sheet], className="sheet"),
        ],
        className="menu more",
    )
    return marked(html.Nav([*links, more], className="bottom-bar"), aria_label="Pages")


def _link(place: Destination, element: str) -> dcc.Link:
    content: list[Component] = [icon(place.sign), html.Span(place.word)]
    return dcc.Link(content, href=place.path, id=link_id(element, place.path), className="nav-item")


def _row(place: Destination) -> dcc.Link:
    content: list[Component] = [icon(place.sign), html.Span(place.word), html.Span(icon(Icon.RIGHT), className="push")]
    return dcc.Link(content, href=place.path, id=link_id(BOTTOM, place.path), className="sheet-row")


def _sheet_head() -> html.Div:
    close = marked(html.Button(icon(Icon.CLOSE), type="button", className="button button-icon button-plain"))
    marked(close, aria_label="Close", data_close_menu="1")
    return html.Div([html.Span("More", className="strong"), close], className="sheet-head")


def _help_button() -> html.Button:
    button = html.Button([icon(Icon.HELP), html.Span("Help")], type="button", className="nav-item nav-help")
    return marked(button, data_help="1")
