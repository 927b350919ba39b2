"""The table of alarms, and what is said of one: state, times, guidance, and where to look."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, clock_time, epoch_ms
from components.attributes import marked
from components.badges import severity_badge
from components.grid import GridValue, grid, narrow
from components.icons import Glyph, glyph
from components.panel import Children, facts
from components.plain_table import Column, Row, plain_table
from components.strip import PRIORITY_WORDS, with_session
from components.words import counted
from services.alarms.types import AlarmKind, AlarmRate, AlarmState, AlarmView, Guidance, Priority, RuleView
from services.messages.types import Severity

_SEVERITIES = {Priority.HIGH: Severity.FATAL, Priority.MEDIUM: Severity.ERROR, Priority.LOW: Severity.WARNING}
_ENDED = (
    Column("Ended"),
    Column("Priority"),
    Column("Session"),
    Column("Subject", "mono"),
    Column("What", "wide"),
    Column("Acknowledged by"),
)
_RULES = (Column("Rule"), Column("Messages", "wide mono"), Column("Priority"), Column("It takes"))
_ALL_SEVERITIES = ",".join(severity.name for severity in reversed(Severity))


def alarm_grid(grid_id: str) -> html.Div:
    """Return the table of alarms that have not ended; rows are chosen with boxes and keep through updates.

    On a phone the column of what happened says all that matters, in several lines.
    """
    columns: list[dict[str, GridValue]] = [
        {"field": "status", "headerName": "Priority", "cellRenderer": "ConsoleStatus", "width": 112, **narrow(0)},
        {"field": "subject", "headerName": "Subject", "width": 160, "cellClass": "mono", **_clipped("subject")},
        {
            "field": "text",
            "headerName": "What",
            "cellRenderer": "ConsoleAlarm",
            "flex": 1,
            "minWidth": 200,
            "tooltipField": "text",
            "autoHeight": True,
        },
        {"field": "at_ms", "headerName": "Age", "cellRenderer": "ConsoleAge", "width": 84, **narrow(76)},
        {"field": "state", "headerName": "State", "width": 180, **_clipped("state")},
        {"field": "session", "headerName": "Session", "width": 150, **_clipped("session")},
        {"field": "times", "headerName": "Times", "width": 78, "type": "rightAligned", **narrow(0)},
    ]
    return grid(
        grid_id,
        columns,
        row_id="id",
        row_classes={"is-answered": "!params.data.calls"},
        options={
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False, "headerCheckbox": True},
            "selectionColumnDef": {"pinned": "left", "width": 42},
        },
        label="Alarms that have not ended",
        class_name="alarm-grid",
    )


def _clipped(field: str) -> dict[str, GridValue]:
    """Return what columns have in common whose text may be cut; on a phone the column of the text says it."""
    return {"tooltipField": field, **narrow(0)}


def alarm_row(alarm: AlarmView) -> dict[str, str | int | bool]:
    """Return an alarm as a row of the grid."""
    shape, word = PRIORITY_WORDS[alarm.priority]
    return {
        "id": str(alarm.id),
        "key": alarm.key,
        "shape": shape.value,
        "status": word,
        "state": _state_words(alarm),
        "at_ms": epoch_ms(alarm.raised_at),
        "session": alarm.session or "–",
        "subject": alarm.subject,
        "text": alarm.text,
        "times": alarm.occurrences,
        "calls": alarm.calls,
        "shelved": alarm.shelf is not None,
    }


def alarm_details(alarm: AlarmView, guidance: Guidance) -> list[Component]:
    """Return what is known of one alarm, what it means, what to do, whom to call, and where to look."""
    times: list[tuple[str, Children]] = [
        *([("Rule", alarm.rule)] if alarm.rule else []),
        ("State", _state_words(alarm)),
        ("Raised", [clock_time(alarm.raised_at), ", ", age(alarm.raised_at), " ago"]),
        ("Came", counted(alarm.occurrences, "time")),
        ("Last", clock_time(alarm.last_at)),
    ]
    if alarm.state is AlarmState.GONE:
        times.append(("Gone since", clock_time(alarm.cleared_at)))
    if alarm.acknowledged_by:
        times.append(("Acknowledged", [alarm.acknowledged_by, " ", clock_time(alarm.acknowledged_at)]))
    if alarm.shelf:
        times.append(("Shelved until", [clock_time(alarm.shelf.until), f" by {alarm.shelf.by}"]))
        times.append(("Reason", alarm.shelf.reason))
    told: list[tuple[str, Children]] = [("Means", guidance.meaning or "–"), ("Do", guidance.action or "–")]
    told.append(("Call", guidance.contact or "nobody is named"))
    if guidance.changed_by:
        told.append(("Written by", guidance.changed_by))
    return [
        html.Div([severity_badge(_SEVERITIES[alarm.priority]), html.B(alarm.subject)], className="row-line"),
        html.P(alarm.text, className="alarm-text"),
        facts(times),
        html.H3("Guidance", className="alarm-heading"),
        facts(told),
        html.Div(links(alarm), className="alarm-links"),
    ]


def links(alarm: AlarmView) -> list[Component]:
    """Return links to where more is to be seen of what an alarm is about."""
    session = alarm.session or None
    found: list[Component] = []
    if alarm.kind is AlarmKind.PROCESS:
        found.append(dcc.Link("The process", href=_query("/processes", session=session, q=alarm.subject)))
    if alarm.kind is AlarmKind.NODE:
        found.append(dcc.Link("The controller", href=with_session("/controller", session)))
    if alarm.kind in (AlarmKind.BACKEND, AlarmKind.WORKER, AlarmKind.OVERFLOW):
        found.append(dcc.Link("The status", href=with_session("/status", session)))
    if alarm.session:
        found.append(dcc.Link("Its messages", href=_query("/messages", session=session)))
    return found


def ended_table(alarms: Sequence[AlarmView]) -> Component:
    """Return the alarms that ended last."""
    if not alarms:
        return html.P("No alarm has ended yet.", className="status-none")
    rows = [
        Row(
            (
                clock_time(alarm.ended_at, milliseconds=False),
                _priority(alarm.priority),
                alarm.session or "–",
                alarm.subject,
                alarm.text,
                alarm.acknowledged_by or "–",
            ),
            key=str(alarm.id),
        )
        for alarm in alarms
    ]
    return plain_table("Alarms that ended", _ENDED, rows)


def rules_table(rules: Sequence[RuleView]) -> Component:
    """Return the rules for messages, in their order, each with a link to the messages that it fits."""
    rows = [
        Row(
            (
                rule.name or "built in",
                dcc.Link(rule.filter, href=_query("/messages", severity=_ALL_SEVERITIES, where=rule.filter)),
                PRIORITY_WORDS[rule.priority][1] if rule.priority else "raises none",
                f"{rule.burst.messages} within {rule.burst.seconds} s" if rule.burst else "one message",
            )
        )
        for rule in rules
    ]
    return plain_table("Rules for messages", _RULES, rows)


def rate_bars(rates: Sequence[AlarmRate]) -> Component:
    """Return alarms per ten minutes as bars, with the numbers in words for those who cannot see them."""
    most = max((rate.raised for rate in rates), default=0)
    now = rates[-1].raised if rates else 0
    total = sum(rate.raised for rate in rates)
    hours = len(rates) // 6
    said = f"{counted(now, 'alarm')} in these ten minutes, {total} in {hours} h, at most {most} in ten minutes."
    bars: list[Component] = [
        html.Span(
            className="alarm-bar",
            title=f"{rate.start:%H:%M} UTC: {counted(rate.raised, 'alarm')}",
            style={"height": f"{round(100 * rate.raised / most) if most else 0}%"},
        )
        for rate in rates
    ]
    return html.Div([html.P(said), marked(html.Div(bars, className="alarm-bars"), aria_hidden="true")])


def _priority(priority: Priority) -> html.Span:
    shape, word = PRIORITY_WORDS[priority]
    return html.Span([glyph(Glyph(shape)), word], className=f"badge-state alarm-{word}")


def _state_words(alarm: AlarmView) -> str:
    if alarm.shelf is not None:
        return f"shelved by {alarm.shelf.by}"
    if alarm.state is AlarmState.ACKNOWLEDGED:
        return f"acknowledged by {alarm.acknowledged_by}"
    return alarm.state.value


def _query(path: str, **given: str | None) -> str:
    return f"{path}?{urlencode({key: value for key, value in given.items() if value}, quote_via=quote)}"
