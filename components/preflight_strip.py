"""The check before a run in one strip: go or no-go, and each thing that was looked at with its reason and link."""

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon
from components.strip import with_session
from services.run_control.preflight import Check, Preflight, Subject, Verdict


def preflight_strip(name: str, session: str, checks: Preflight) -> html.Section:
    """Return the strip before the transition or sequence ``name``, in the order of ``checks``."""
    word = "go" if checks.go else "no-go"
    mark = icon(Icon.CHECK) if checks.go else glyph(Glyph.ERROR)
    head = html.Div(
        [
            html.Div([mark, f"Before {name}: {word}"], className="check-title"),
            html.Div(_counts(checks), className="check-reason"),
        ],
        className=f"check check-head is-{word}",
    )
    strip = html.Section([head, *(_check(check, session) for check in checks.checks)], className="preflight")
    return marked(strip, aria_label=f"Before {name}")


def _counts(checks: Preflight) -> str:
    stopping, noted = len(checks.stopping), len(checks.noted)
    said = [f"{stopping} {'stops' if stopping == 1 else 'stop'} it"] if stopping else []
    if noted:
        said.append(f"{noted} to note")
    return ", ".join(said) or "nothing stops it"


def _check(check: Check, session: str) -> html.Div:
    marks = {
        Verdict.GO: icon(Icon.CHECK),
        Verdict.NOTE: glyph(Glyph.WARNING),
        Verdict.NO_GO: glyph(Glyph.ERROR),
    }
    spoken = html.Span(f"{check.verdict}: ", className="visually-hidden")
    return html.Div(
        [
            html.Div([marks[check.verdict], spoken, _title(check, session)], className="check-title"),
            *([html.Div(check.reason, className="check-reason")] if check.reason else []),
        ],
        className=f"check is-{check.verdict}",
    )


def _title(check: Check, session: str) -> Component:
    if check.path is not None:
        # The script of the tree selects the node.
        return marked(html.A(check.title, href="#controller-tree"), data_node=check.path)
    if check.subject is Subject.PROCESSES and check.verdict is not Verdict.GO:
        return dcc.Link(check.title, href=f"{with_session('/processes', session)}&status=dead")
    return html.Span(check.title)
