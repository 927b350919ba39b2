"""What a person may choose for this browser (theme, zone, keys), who they are, and the way out."""

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Icon, icon

_THEMES = {"dark": "Dark", "light": "Light", "system": "System"}
_ZONES = {"utc": "UTC", "local": "Local"}
_KEYS = {"on": "On", "off": "Off"}
_SHORTCUTS = (
    ("/", "go to the search of the page"),
    ("?", "this help"),
    ("Esc", "close a menu or dialog"),
    ("Tab, arrows", "move; inside a table the arrows go from cell to cell"),
)


def preferences(name: str, role: str) -> html.Div:
    """Return theme, zone, keys, and who is logged in, with log out. The choices are kept by the browser."""
    return html.Div(
        [
            _choice("Theme", _THEMES, "data_theme_choice"),
            zone_choice(),
            _choice("Single keys", _KEYS, "data_keys_choice"),
            html.Div([icon(Icon.USER), html.Span(f"{name}, {role}"), _log_out()], className="preference person"),
        ],
        className="preferences",
    )


def zone_choice(label: str = "Times in") -> html.Div:
    """Return the choice between UTC and the browser's own zone; the script fills in that zone's name."""
    row = _choice(label, _ZONES, "data_zone_choice")
    group: html.Div = row.children[1]
    marked(group.children[1], data_local_zone="1")
    return row


def user_menu(name: str, role: str) -> html.Details:
    """Return the menu at the right end of the strip."""
    summary = html.Summary([icon(Icon.USER), icon(Icon.DOWN)], className="strip-cell user-menu-button")
    marked(summary, aria_label=f"{name}, {role}: theme, times, log out")
    return html.Details([summary, html.Div(preferences(name, role), className="menu-box menu-right")], className="menu")


def help_dialog() -> html.Dialog:
    """Return the dialog that ``?`` opens."""
    rows: list[Component] = []
    for key, meaning in _SHORTCUTS:
        rows += [html.Dt(html.Kbd(key)), html.Dd(meaning)]
    close = marked(html.Button("Close", type="button", className="button"), data_close="1")
    content: list[Component] = [
        html.H2("Keyboard", id="help-title", className="modal-title"),
        html.Dl(rows, className="facts"),
        html.P("Single keys can be switched off in the menu at the top right.", className="fg-1"),
        html.Div(close, className="notice-actions"),
    ]
    return marked(html.Dialog(content, id="help-dialog", className="dialog"), aria_labelledby="help-title")


def _choice(label: str, options: Mapping[str, str], attribute: str) -> html.Div:
    buttons = [
        marked(html.Button(text, type="button"), **{attribute: value}, aria_pressed="false")
        for value, text in options.items()
    ]
    group = marked(html.Div(buttons, className="segmented", role="group"), aria_label=label)
    return html.Div([html.Span(label), group], className="preference")


def _log_out() -> html.Form:
    button = html.Button("Log out", type="submit", className="button button-outline")
    return marked(html.Form(button, action="/logout", method="post", className="push"), data_csrf="1")
