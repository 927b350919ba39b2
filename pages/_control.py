"""Control between people, on every page: requests to answer, one's own, and control that was lost. Not a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import Input, Output, State, ctx, no_update

from components import control_notice as shown
from components.arguments_form import argument_error
from components.frame import URL_ID, live_store_id
from components.outlet import CONTENT, drawing
from pages._access import callback
from pages._context import identity, services
from services.accounts.types import Permission
from services.errors import ConsoleError
from services.revisions import LiveTopic
from services.run_control.command_types import CommandView
from services.run_control.ownership import ControlRequest, Loss, RequestState
from services.run_control.session_types import SessionSummary

_CLICKED = "n_clicks"


@callback(
    Output(shown.ASKED_ID, "hidden"),
    Output(shown.ASKED_NUMBER_ID, "data"),
    Output(shown.ASKED_TEXT_ID, CONTENT),
    *(Output(answer_id, "hidden") for answer_id in (shown.GRANT_ID, shown.PROMISE_ID, shown.TAKE_BACK_ID)),
    Output(shown.MINE_ID, "hidden"),
    Output(shown.MINE_NUMBER_ID, "data"),
    Output(shown.MINE_TEXT_ID, CONTENT),
    Output(shown.NEWS_ID, CONTENT),
    Input(live_store_id(LiveTopic.CONTROL), "data"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(URL_ID, "pathname"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_control(_control: int, _sessions: int, _path: str) -> tuple[Any, ...]:
    """Show what concerns the person who looks."""
    person = identity().name
    requests = services().control_requests.concerning(person)
    asked = [found for found in requests if found.state is RequestState.OPEN and found.holder == person]
    mine = [found for found in requests if found.state is RequestState.OPEN and found.requester == person]
    news = [shown.news_line(found) for found in requests if found.requester == person]
    sessions = services().run_control.sessions()
    under_way = {session.name: session.executing for session in sessions}
    lost = [shown.loss_line(loss, person) for loss in _lost(person, sessions)]
    return (
        *_asked(asked, under_way),
        not mine,
        mine[0].id if mine else None,
        drawing(shown.mine_text(mine[0], under_way.get(mine[0].session)) if mine else None),
        drawing([line for line in (*lost, *reversed(news)) if line is not None]),
    )


def _asked(
    asked: Sequence[ControlRequest], under_way: Mapping[str, CommandView | None]
) -> tuple[bool, int | None, str, bool, bool, bool]:
    """Return the first request that a person has to answer, and which buttons of answers are hidden."""
    if not asked:
        return True, None, drawing(None), True, True, True
    command = under_way.get(asked[0].session)
    answers = shown.Answers.to(asked[0], command)
    text = drawing(shown.asked_text(asked[0], len(asked) - 1, command))
    return False, asked[0].id, text, not answers.grant, not answers.promise, not answers.take_back


def _lost(person: str, sessions: Iterable[SessionSummary]) -> list[Loss]:
    losses = [services().run_control.loss(session) for session in sessions]
    return [loss for loss in losses if loss is not None and loss.of == person]


@callback(
    Output(shown.ASKED_ERROR_ID, "children"),
    Output(shown.ANSWER_ID, "value"),
    *(Input(answer_id, _CLICKED) for answer_id in (shown.GRANT_ID, shown.PROMISE_ID, shown.TAKE_BACK_ID)),
    Input(shown.DECLINE_ID, _CLICKED),
    State(shown.ANSWER_ID, "value"),
    State(shown.ASKED_NUMBER_ID, "data"),
    permission=Permission.RELEASE_CONTROL,
    prevent_initial_call=True,
)
def answer(*clicked_and_given: Any) -> tuple[Any, Any]:
    """Hand control over, now or after the command under way, or keep it."""
    *_clicks, why, number = clicked_and_given
    if number is None:
        return no_update, no_update
    requests, person = services().control_requests, identity()
    simple = {
        shown.GRANT_ID: requests.grant,
        shown.PROMISE_ID: requests.promise,
        shown.TAKE_BACK_ID: requests.take_back,
    }
    try:
        if ctx.triggered_id in simple:
            simple[ctx.triggered_id](person, number)
        else:
            requests.decline(person, number, why)
    except ConsoleError as error:
        return argument_error(f"{error.message} {error.next_step}".strip()), no_update
    return [], ""


@callback(
    Output(shown.WITHDRAW_ID, "title"),
    Input(shown.WITHDRAW_ID, _CLICKED),
    State(shown.MINE_NUMBER_ID, "data"),
    permission=Permission.TAKE_CONTROL,
    prevent_initial_call=True,
)
def withdraw(clicks: int | None, number: int | None) -> Any:
    """Take one's own request back; a refusal goes to the area for notices."""
    if clicks and number is not None:
        services().control_requests.withdraw(identity(), number)
    return no_update
