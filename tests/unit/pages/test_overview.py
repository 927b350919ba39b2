"""Callbacks of the overview."""

from types import ModuleType

import pytest
from dash.exceptions import PreventUpdate

from services.messages.types import MessageFilter, Severity
from tests.unit.components.samples import NOW, backend, bucket, command, message, node, session
from tests.unit.components.trees import attribute, drawn_attributes, drawn_text, text
from tests.unit.pages.conftest import Messages, RunControl, import_page

pytestmark = pytest.mark.usefixtures("request_of_somebody")


@pytest.fixture(scope="module")
def overview(dash_app: object) -> ModuleType:
    return import_page("overview")


def rate_id(name: str) -> dict[str, str]:
    return {"component": "overview", "element": "rate", "key": name}


def test_the_layout_holds_no_data(overview: ModuleType, run_control: RunControl) -> None:
    run_control.known = (session(name="secret-session"),)
    assert "secret-session" not in text(overview.layout(session="x", unknown="y"))


def test_a_card_for_each_session(overview: ModuleType, run_control: RunControl) -> None:
    run_control.known = (session(name="a", processes_dead=1), session(name="b"))
    run_control.nodes = (node("root-controller"),)
    run_control.commands = (command(session="a"),)
    cards, said = overview.show_sessions(1, 1, 1, 1)
    assert said == "2 sessions · 33 processes, 1 dead"
    said_of = [drawn_text(attribute(card.children[0], "data-content")) for card in cards]
    assert [("enable_triggers" in words, words.split()[0]) for words in said_of] == [(True, "a"), (False, "b")]
    assert [attribute(card.children[1], "id") for card in cards] == [rate_id("a"), rate_id("b")]
    assert attribute(cards[0], "aria-label") == "Session a"


def test_a_process_that_ended_as_it_should_is_not_called_dead(overview: ModuleType, run_control: RunControl) -> None:
    run_control.known = (session(processes_dead=2, processes_ended=1),)
    assert overview.show_sessions(1, 1, 1, 1)[1] == "1 session · 18 processes, 1 dead, 1 ended"


def test_no_session_says_why(overview: ModuleType, run_control: RunControl) -> None:
    (notice,), said = overview.show_sessions(1, 1, 1, 1)
    assert said == "no session"
    assert "No address of the run control has answered yet" in text(notice)
    run_control.addresses = (backend(),)
    (notice,), _ = overview.show_sessions(1, 1, 1, 1)
    assert "Nobody has booted one." in text(notice)


def test_the_latest_are_those_from_warning_up(overview: ModuleType, messages: Messages) -> None:
    messages.items = (message(text="disk full"),)
    assert "disk full" in drawn_text(overview.show_latest(3))
    loud = frozenset({Severity.WARNING, Severity.ERROR, Severity.FATAL})
    assert messages.asked == [MessageFilter(severities=loud)]


def test_rates_are_drawn_once_per_step(overview: ModuleType, messages: Messages) -> None:
    end = overview.last_full_step(NOW, overview.RATE_SPAN)
    messages.buckets = (bucket(end - overview.RATE_SPAN, 0, 0, 0, 7),)
    (drawn,), of = overview.show_rates(1, [rate_id("a")], None)
    assert "7 WARNING" in drawn_text(drawn)
    assert "spark" in drawn_attributes(drawn, "class")
    with pytest.raises(PreventUpdate):
        overview.show_rates(2, [rate_id("a")], of)
    assert len(overview.show_rates(2, [rate_id("a"), rate_id("b")], of)[0]) == 2


def test_without_cards_there_are_no_rates(overview: ModuleType, messages: Messages) -> None:
    with pytest.raises(PreventUpdate):
        overview.show_rates(1, [], None)
    assert messages.asked == []
