"""Control between people on every page: the callbacks as functions on a real database."""

import importlib
from types import ModuleType

import pytest
from flask import Flask

from models.database import Database
from services.clock import utc_now
from services.container import Services
from services.run_control.command_types import Action, CommandState
from services.run_control.ownership import RequestState
from tests.db.services.run_control.rows import ALICE, BOB, SESSION, VIEWER, command_row, node_row, session_row
from tests.unit.components.reading import drawn, words
from tests.web.test_controller_page import As, as_person, triggered

__all__ = ["as_person"]


@pytest.fixture
def notices(app: Flask) -> ModuleType:
    return importlib.import_module("pages._control")


@pytest.fixture
def panel(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._control")


@pytest.fixture(autouse=True)
def seeded(web_database: Database) -> None:
    with web_database.write() as tx:
        tx.add(session_row(SESSION, polled_at=utc_now()))
        tx.add(node_row("root-controller", 0))


def seen(notices: ModuleType) -> tuple[str, str, str]:
    """Return what somebody is asked, what they wait for, and the news."""
    asked_hidden, _, asked, *_hidden, mine_hidden, _, mine, news = notices.show_control(0, 0, "/")
    said = words(drawn(asked)), words(drawn(mine)), words(drawn(news))
    assert (asked_hidden, mine_hidden) == (not said[0], not said[1])
    return said


def test_the_holder_is_asked_and_the_other_waits(notices: ModuleType, panel: ModuleType, as_person: As) -> None:
    with as_person(BOB):
        is_open, said, _ = panel.ask(1, SESSION)
        with triggered(panel.ids.ASK_SEND):
            assert panel.send_request(1, None, "Night shift.", SESSION)[0] is False
        assert "You asked alice for control" in seen(notices)[1]
    with as_person(ALICE):
        assert "bob asks for control" in seen(notices)[0]
        assert "Night shift." in seen(notices)[0]
    with as_person(VIEWER):
        assert seen(notices) == ("", "", "")
    assert (is_open, "alice is in control" in said) == (True, True)


def test_the_answer_reaches_who_asked(notices: ModuleType, as_person: As, services: Services) -> None:
    number = services.control_requests.request(BOB, SESSION)
    with as_person(ALICE), triggered(notices.shown.DECLINE_ID):
        assert notices.answer(None, 1, "Not now.", number) == ([], "")
    with as_person(BOB):
        assert "alice keeps control" in seen(notices)[2]
        assert "Not now." in seen(notices)[2]
    number = services.control_requests.request(BOB, SESSION)
    with as_person(ALICE), triggered(notices.shown.GRANT_ID):
        assert notices.answer(1, None, "", number) == ([], "")
        said, _ = notices.answer(2, None, "", number)
    assert "granted already" in words(said)
    (command,) = services.run_control.last_commands(SESSION)
    assert (command.action, command.user_name) == (Action.TAKE_CONTROL, "bob")
    with as_person(BOB):
        assert "alice handed control" in seen(notices)[2]


def offered(notices: ModuleType) -> list[str]:
    """Return which answers have a button now."""
    hidden = notices.show_control(0, 0, "/")[3:6]
    return [word for word, off in zip(("now", "after the command", "take back"), hidden, strict=True) if not off]


def test_during_a_command_it_is_handed_over_afterwards(
    notices: ModuleType, as_person: As, services: Services, web_database: Database
) -> None:
    number = services.control_requests.request(BOB, SESSION)
    with as_person(ALICE):
        assert offered(notices) == ["now"]
    with web_database.write() as tx:
        tx.add(command_row(state="executing", transition="start"))
    with as_person(ALICE):
        assert offered(notices) == ["after the command"]
        assert "start is under way: nothing is handed over before it has ended." in seen(notices)[0]
        with triggered(notices.shown.PROMISE_ID):
            assert notices.answer(None, 1, None, None, "", number) == ([], "")
        assert offered(notices) == ["take back"]
        assert "You hand it over as soon as start has ended" in seen(notices)[0]
    with as_person(BOB):
        assert "You get it as soon as start has ended." in seen(notices)[1]
        assert offered(notices) == []
    with as_person(ALICE), triggered(notices.shown.TAKE_BACK_ID):
        assert notices.answer(None, None, 1, None, "", number) == ([], "")
        assert offered(notices) == ["after the command"]


def test_a_request_can_be_withdrawn(notices: ModuleType, as_person: As, services: Services) -> None:
    number = services.control_requests.request(BOB, SESSION)
    with as_person(BOB):
        notices.withdraw(1, number)
        assert seen(notices) == ("", "", "")
    (request,) = services.control_requests.concerning("bob")
    assert request.state is RequestState.WITHDRAWN


def test_who_cannot_ask_is_told_why(panel: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        looks = panel.show_asking(0, SESSION)
        is_open, _, said = panel.ask(1, SESSION)
        with triggered(panel.ids.ASK_SEND):
            still_open, error, _ = panel.send_request(1, None, "", SESSION)
    assert (looks[0], looks[1], is_open) == ("true", "You are in control already.", False)
    assert "in control already" in words(drawn(said))
    assert (still_open, "Nobody was asked." in words(error)) == (True, True)
    assert services.control_requests.concerning("alice") == ()


def test_without_a_session_nobody_is_asked(panel: ModuleType, as_person: As) -> None:
    with as_person(BOB):
        assert panel.show_asking(0, "gone")[0] == "true"
        assert panel.ask(1, "gone")[0] is panel.no_update
        with triggered(panel.ids.ASK_CANCEL):
            assert panel.send_request(None, 1, "", SESSION) == (False, [], "")


def test_control_that_was_lost_is_told_to_who_had_it_and_on_the_page(
    notices: ModuleType, panel: ModuleType, as_person: As, web_database: Database
) -> None:
    with web_database.write() as tx:
        taken = {"action": Action.TAKE_CONTROL.value, "state": CommandState.SUCCEEDED.value, "transition": None}
        tx.add(command_row("r-1", **taken))
        tx.add(command_row("r-2", user_name="bob", reason="alice went home", finished_at=utc_now(), **taken))
        tx.get_one(type(session_row()), SESSION).holder = "bob"
    with as_person(ALICE):
        assert "bob took control of local-1x1-config from you" in seen(notices)[2]
        assert "alice went home" in seen(notices)[2]
    with as_person(VIEWER):
        assert seen(notices)[2] == ""
        assert "from alice" in words(drawn(panel.show_asking(0, SESSION)[3]))
