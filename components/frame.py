"""The frame of every page: strip, navigation, stores of the heartbeat, banners, notices, and the page itself."""

from collections.abc import Iterable, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, clock_time
from components.attributes import marked
from components.buttons import button
from components.control_notice import control_notices
from components.icons import Glyph, Icon, glyph, icon
from components.menus import help_dialog, preferences, user_menu
from components.navigation import bottom_bar, rail
from components.notice import notices_area
from components.outlet import outlet
from components.panel import Children
from components.strip import AGE_ID, frame_skeleton
from services.run_control.backend_types import BackendKind, BackendView

URL_ID = "url"
THEME_STORE_ID = "theme"
BACKENDS_ID = "backend-notices"

# What a kind of address is called, and what comes from it.
BACKEND_WORDS = {
    BackendKind.PROCESS_MANAGER: ("process manager", "processes"),
    BackendKind.CONTROLLER: ("controller", "states"),
    BackendKind.SESSION_MANAGER: ("session manager", "sessions"),
    BackendKind.RUN_CONTROL_SERVICE: ("run control service", "sessions"),
    BackendKind.CONNECTIVITY: ("connectivity service", "addresses"),
    BackendKind.KAFKA: ("Kafka", "messages"),
}


def live_store_id(topic: str) -> str:
    """Return the id of the store into which the heartbeat puts a topic's revision."""
    return f"live-{topic}"


def app_layout(content: Component, topics: Iterable[str] = (), person: str = "", role: str = "") -> html.Div:
    """Return the whole application around ``content``, Dash's page container.

    Args:
        content: Where Dash puts the page.
        topics: Topics of the heartbeat (``services.revisions.LiveTopic``).
        person: Name of who is logged in.
        role: Their role.
    """
    stores = [dcc.Store(id=live_store_id(topic)) for topic in topics]
    return html.Div(
        [
            html.A("Skip to the content", href="#main", className="skip-link"),
            dcc.Location(id=URL_ID, refresh=False),
            dcc.Store(id=THEME_STORE_ID),
            *stores,
            _connection_banner(),
            _strip(person, role),
            rail(),
            html.Main(
                [
                    _upgrade_notice(),
                    control_notices(),
                    outlet(BACKENDS_ID, None),
                    notices_area(),
                    html.Div(content, className="page-outlet"),
                ],
                id="main",
                tabIndex=-1,
            ),
            bottom_bar(preferences(person, role)),
            help_dialog(),
        ],
        id="frame",
    )


def page(
    title: str, content: Children, *, sub: Children = None, actions: Children = None, fill: bool = False
) -> html.Div:
    """Return a page: its head and its content.

    Args:
        title: The page's name, as in the navigation.
        content: Panels, one below the other.
        sub: Counts or scope beside the title; usually a span that a callback fills.
        actions: What stands at the right of the title.
        fill: The content takes the height of the window (a grid that scrolls inside), instead of growing.
    """
    head: list[Component] = [html.H1(title)]
    if sub is not None:
        head.append(html.Div(sub, className="page-sub"))
    if actions is not None:
        head.append(html.Div(actions, className="page-actions"))
    parts = content if isinstance(content, list | tuple) else [content]
    classes = "page page-fill" if fill else "page"
    return html.Div([html.Header(head, className="page-head"), *parts], className=classes)


def backend_notices(backends: Sequence[BackendView]) -> list[Component]:
    """Return one line for each address that does not answer: which, since when, and what is therefore old."""
    return [_backend_line(backend) for backend in backends if not backend.reachable]


def _backend_line(backend: BackendView) -> html.Div:
    name, what = BACKEND_WORDS[backend.kind]
    seen: list[Component | str] = ["It has not answered yet."]
    if backend.answered_at is not None:
        seen = [f"The {what} shown are from ", clock_time(backend.answered_at), "."]
    text: list[Component | str] = [
        html.B(f"{name} {backend.address} does not answer"),
        " for ",
        age(backend.since),
        ". ",
        *seen,
    ]
    if backend.error:
        text.append(html.Span(f" {backend.error}", className="fg-1"))
    return html.Div([glyph(Glyph.UNREACHABLE), html.Span(text)], className="backend-line", role="status")


def _connection_banner() -> html.Div:
    """Return the lines about the connection, hidden; heartbeat.js shows one and sets its moments.

    What counts in them is no live region, or screen readers would be told five times a second.
    """
    since = marked(html.Span(className="elapsed"), data_since_ms="0", data_short="1", aria_live="off")
    retry = marked(html.Button("Try now", type="button", className="button button-small"), data_retry="1")
    lost = [
        marked(html.Span(className="icon icon-lost"), aria_hidden="true"),
        html.Span(
            [
                html.B(["Connection to the console lost ", since, " ago."]),
                " What you see is from ",
                _moment(),
                ". Commands are off; what you typed is kept.",
            ]
        ),
        marked(html.Span(className="push"), data_next="1", aria_live="off"),
        retry,
    ]
    back = [icon(Icon.CHECK), html.Span(["Connected again at ", _moment(), ". What changed in the meantime is shown."])]
    lines = [
        marked(html.Div(parts, className=f"banner-line banner-{kind}", hidden=True), data_kind=kind)
        for kind, parts in (("lost", lost), ("back", back))
    ]
    return html.Div(lines, id="connection-banner", role="alert")


def _upgrade_notice() -> html.Div:
    """Return the line about an upgrade, hidden; upgrade.js shows it, and nobody but a person loads the page anew."""
    said: list[Component | str] = [
        html.B("The console was updated."),
        " Reload when it suits you; what is typed and not sent is lost by it.",
    ]
    parts = [icon(Icon.RESTART), html.Span(said), button("Reload", "upgrade-reload-button", small=True)]
    return html.Div(parts, id="upgrade-notice", className="upgrade-notice", role="status", hidden=True)


def _moment() -> html.Time:
    return marked(html.Time(), data_time_ms="0", data_digits="0")


def _strip(person: str, role: str) -> html.Header:
    logo = marked(dcc.Link(icon(Icon.STATUS), href="/", className="strip-logo", title="Overview"))
    data_age = html.Div(
        [html.Div("Data age", className="strip-label"), outlet(AGE_ID, None, class_name="strip-value")],
        className="strip-cell cell-age",
    )
    day = marked(html.Div("UTC", className="strip-label"), data_clock_day="1")
    clock = marked(html.Div("…", className="strip-value mono"), data_clock="1")
    end = html.Div(
        [data_age, html.Div([day, clock], className="strip-cell cell-clock"), user_menu(person, role)],
        className="strip-end",
    )
    return marked(html.Header([logo, *frame_skeleton(), end], id="strip", className="strip"), aria_label="Session")
