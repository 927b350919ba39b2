"""Control between people: who asks for it, what came of it, and who lost it. Shown on every page."""

from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, clock_time
from components.attributes import marked
from components.buttons import Look, button
from components.command_result import command_title
from components.icons import Glyph, Icon, glyph, icon
from components.outlet import outlet
from components.strip import with_session
from services.run_control.command_types import CommandView
from services.run_control.ownership import ControlRequest, Loss, RequestState

ASKED_ID = "control-asked"
ASKED_TEXT_ID = "control-asked-text"
ASKED_NUMBER_ID = "control-asked-number"
GRANT_ID = "control-grant-button"
PROMISE_ID = "control-promise-button"
TAKE_BACK_ID = "control-take-back-button"
DECLINE_ID = "control-decline-button"
ANSWER_ID = "control-answer-input"
ASKED_ERROR_ID = "control-asked-error"
MINE_ID = "control-mine"
MINE_TEXT_ID = "control-mine-text"
MINE_NUMBER_ID = "control-mine-number"
WITHDRAW_ID = "control-withdraw-button"
NEWS_ID = "control-news"


def control_notices() -> html.Div:
    """Return the places for all of it, empty; `pages/_control.py` fills them."""
    answer = dcc.Input(
        id=ANSWER_ID, type="text", value="", placeholder="Why not (if you decline)", maxLength=500, autoComplete="off"
    )
    asked = html.Div(
        [
            dcc.Store(id=ASKED_NUMBER_ID),
            icon(Icon.SWAP),
            outlet(ASKED_TEXT_ID, None, class_name="hand-over-text"),
            html.Div(
                [
                    *(
                        marked(button(word, button_id, look=look, small=True), data_once="1")
                        for word, button_id, look in (
                            ("Hand over", GRANT_ID, Look.PRIMARY),
                            ("Hand over after this command", PROMISE_ID, Look.PRIMARY),
                            ("Take back", TAKE_BACK_ID, Look.OUTLINE),
                        )
                    ),
                    marked(answer, aria_label="Why not, if you decline"),
                    marked(button("Decline", DECLINE_ID, small=True), data_once="1"),
                ],
                className="hand-over-actions",
            ),
            html.Div(id=ASKED_ERROR_ID, className="hand-over-error", role="status"),
        ],
        id=ASKED_ID,
        className="hand-over",
        hidden=True,
    )
    mine = html.Div(
        [
            dcc.Store(id=MINE_NUMBER_ID),
            icon(Icon.SWAP),
            outlet(MINE_TEXT_ID, None, class_name="hand-over-text"),
            html.Div(button("Withdraw", WITHDRAW_ID, small=True), className="hand-over-actions"),
        ],
        id=MINE_ID,
        className="hand-over",
        hidden=True,
    )
    return marked(html.Div([asked, mine, outlet(NEWS_ID, None)], className="control-notices"), aria_live="polite")


@dataclass(frozen=True, slots=True)
class Answers:
    """Which answers a request has now; `pages/_control.py` shows the buttons of those."""

    grant: bool
    promise: bool
    take_back: bool

    @classmethod
    def to(cls, request: ControlRequest, under_way: CommandView | None) -> "Answers":
        """Return the answers to a request while a command is under way, or none is."""
        promised = request.after_command_id is not None
        return cls(grant=under_way is None, promise=under_way is not None and not promised, take_back=promised)


def asked_text(request: ControlRequest, more: int, under_way: CommandView | None) -> list[Component | str]:
    """Return who asks the holder for control, why, and what answers there are until when."""
    parts: list[Component | str] = [
        html.B([request.requester, " asks for control of ", _session(request.session), "."]),
        *_reason(request.reason),
        " Asked ",
        _age(request),
        " ago. ",
        *_until_then(request, under_way),
    ]
    if more:
        parts.append(f" {more} more {'waits' if more == 1 else 'wait'}.")
    return [html.Span(parts)]


def _until_then(request: ControlRequest, under_way: CommandView | None) -> list[Component | str]:
    command = command_title(under_way) if under_way else "the command"
    if request.after_command_id is not None:
        return [f"You hand it over as soon as {command} has ended, whatever comes of it."]
    said: list[Component | str] = [f"{command} is under way: nothing is handed over before it has ended. "]
    return [
        *(said if under_way else []),
        "Until you answer you keep control; it ends by itself at ",
        clock_time(request.expires_at, milliseconds=False),
        ".",
    ]


def mine_text(request: ControlRequest, under_way: CommandView | None) -> list[Component | str]:
    """Return what a person waits for who asked."""
    parts: list[Component | str] = [
        "You asked ",
        html.B(request.holder),
        " for control of ",
        _session(request.session),
        " ",
        _age(request),
        " ago. ",
    ]
    if request.after_command_id is not None:
        command = command_title(under_way) if under_way else "the command"
        return [html.Span([*parts, f"You get it as soon as {command} has ended."])]
    return [html.Span([*parts, "It ends by itself at ", clock_time(request.expires_at, milliseconds=False), "."])]


def news_line(request: ControlRequest) -> Component | None:
    """Return what came of a person's own request; None where they ended it themselves."""
    holder, session = html.B(request.holder), _session(request.session)
    match request.state:
        case RequestState.GRANTED:
            when = clock_time(request.answered_at, milliseconds=False)
            return _line(Icon.CHECK, [holder, " handed control of ", session, " over to you, ", when, "."])
        case RequestState.DECLINED:
            return _line(Icon.KEY, [holder, " keeps control of ", session, ".", *_reason(request.answer)])
        case RequestState.EXPIRED:
            said = " did not answer your request for control of "
            return _line(Icon.CLOCK, [holder, said, session, ". Ask again, or take it with a reason."])
        case RequestState.OVERTAKEN:
            return _line(Icon.KEY, ["Your request for control of ", session, " is over: ", request.answer or "", "."])
        case _:
            return None


def loss_line(loss: Loss, person: str) -> Component:
    """Return who lost control to whom, to that person or to others."""
    of = "you" if loss.of == person else loss.of
    parts: list[Component | str] = [
        html.B([loss.by, f" took control of {loss.session} from {of}"]),
        " at ",
        clock_time(loss.at, milliseconds=False),
        ", with another program than this console." if loss.outside else ".",
        *_reason(loss.reason),
    ]
    return html.Div([glyph(Glyph.WARNING), html.Span(parts)], className="hand-over is-loss")


def _line(sign: Icon, parts: list[Component | str]) -> Component:
    return html.Div([icon(sign), html.Span(parts)], className="hand-over is-news")


def _session(name: str) -> Component:
    return dcc.Link(name, href=with_session("/controller", name))


def _reason(reason: str | None) -> list[Component | str]:
    return [f" \u201c{reason}\u201d"] if reason else []


def _age(request: ControlRequest) -> Component:
    return age(request.created_at)
