"""The callbacks of the page of all sessions, called as functions on a real database."""

import importlib
import json
from datetime import timedelta
from types import ModuleType

import pytest
from dash import no_update
from flask import Flask

from models.database import Database
from models.history import HistoryEntry, TransitionRun
from models.run_control import BootConfiguration
from services.clock import utc_now
from services.container import Services
from services.run_control.command_types import Action, CommandView
from settings import Settings
from tests.db.services.run_control.rows import (
    ALICE,
    NOW,
    SESSION,
    VIEWER,
    command_row,
    node_row,
    process_row,
    session_row,
)
from tests.unit.components.reading import drawn, words
from tests.web.conftest import As

FILE = "example-configs.data.xml"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation with a run control service."""
    return settings.model_copy(update={"run_control_url": "localhost:50001"})


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.sessions.page")


@pytest.fixture
def booting(app: Flask) -> ModuleType:
    return importlib.import_module("pages.sessions._boot")


@pytest.fixture
def ending(app: Flask) -> ModuleType:
    return importlib.import_module("pages.sessions._end")


@pytest.fixture(autouse=True)
def listed(web_database: Database) -> None:
    """A session in a run, one without, one that is gone, and two configurations."""
    with web_database.write() as tx:
        tx.add(session_row(SESSION, state="running", run_number=31427, owner="bob", run_started_at=utc_now()))
        tx.add(session_row("idle", root_address="h:2"))
        tx.add(session_row("old", root_address="h:3", present=False, vanished_at=utc_now()))
        tx.add_all([process_row("u-1", name="df-01"), process_row("u-2", "idle", name="mlt")])
        tx.add_all([BootConfiguration(file=FILE, configuration_id=name, position=0) for name in (SESSION, "other")])


def only_command(services: Services) -> CommandView:
    (command,) = services.run_control.last_commands(None)
    return command


def test_the_tables_show_what_is_and_was_there(page: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        said, active, gone, configurations = page.show_sessions(0, 0, 0, 0)
    assert said == "2 sessions, 2 configurations"
    assert "31427" in words(drawn(active))
    assert "old" not in words(drawn(active))
    assert "old" in words(drawn(gone))
    assert FILE in words(drawn(configurations))


def test_a_chosen_configuration_fills_the_form(booting: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        options = booting.show_configurations(0, None)
        again = booting.show_configurations(1, options)
        found = booting.fill_in(options[1]["value"])
        kept = booting.fill_in(booting.OTHER)
    assert json.loads(options[2]["value"]) == [FILE, "other"]
    assert again is no_update
    assert found == (FILE, SESSION)
    assert kept == (no_update, no_update)


def test_a_session_is_booted_with_one_click(booting: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        refused = booting.boot(1, " shift-7 ", FILE, SESSION)
    command = only_command(services)
    assert drawn(refused) == []
    assert (command.action, command.session, command.user_name) == (Action.START_SESSION, "shift-7", "alice")


@pytest.mark.parametrize(
    ("fields", "said"),
    [(("a/b", FILE), "letters, digits"), (("shift-7", ""), "file is missing"), (("idle", FILE), "already")],
)
def test_what_cannot_be_booted_is_said_below_the_button(
    booting: ModuleType, as_person: As, services: Services, fields: tuple[str, str], said: str
) -> None:
    with as_person(ALICE):
        refused = words(drawn(booting.boot(1, *fields, SESSION)))
    assert said in refused
    assert "Nothing was sent." in refused
    assert services.run_control.last_commands(None) == ()


def test_the_next_order_waits_for_the_one_before(
    booting: ModuleType, ending: ModuleType, page: ModuleType, as_person: As, services: Services
) -> None:
    with as_person(ALICE):
        booting.boot(1, "shift-7", FILE, SESSION)
        boot = booting.show_boot(0)
        end = ending.show_end("idle", 0, 0)
        pending, refused = ending.ask(1, "idle")
        shown = page.show_commands(0)
    reason = "start session shift-7 by alice is under way."
    assert boot[:2] == (False, True)
    assert (boot[3], boot[4]) == ("true", reason)
    assert (end[3], end[4]) == ("true", reason)
    assert pending is no_update
    assert reason in words(drawn(refused))
    assert "start session" in words(drawn(shown))


def test_a_viewer_sees_both_buttons_off_with_the_reason(booting: ModuleType, ending: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        boot, end = booting.show_boot(0), ending.show_end("idle", 0, 0)
    assert (boot[3], end[3]) == ("true", "true")
    assert boot[4] == "The role viewer of victor does not include session.start."
    assert end[4] == "The role viewer of victor does not include session.end."


def test_the_session_of_the_address_is_chosen_first(ending: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        options, value = ending.show_choice(0, None, None, "idle")
        kept = ending.show_choice(1, options, SESSION, "idle")
        gone = ending.show_choice(1, options, "old", "")
    assert [option["value"] for option in options] == ["idle", SESSION]
    assert value == "idle"
    assert kept == (no_update, no_update)
    assert gone == (no_update, None)


def test_the_end_of_a_run_wants_its_number(ending: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        pending, refused = ending.ask(1, SESSION)
        is_open, title, body, nothing_to_type, label, deed, *_ = ending.show_question(pending)
        held = ending.release("3142", pending)
        still, said = ending.confirm(1, pending, "3142")
        assert services.run_control.last_commands(None) == ()
        free = ending.release(" 31427 ", pending)
        closed, _ = ending.confirm(1, pending, "31427")
    assert drawn(refused) == []
    assert (is_open, nothing_to_type, deed) == (True, False, f"End {SESSION}")
    assert title == f"End {SESSION} with its 1 process while run 31427 is on?"
    assert "Run 31427 stops" in words(drawn(body))
    assert "df-01" in words(drawn(body))
    assert words(label) == "Type the run number 31427 to release the button"
    assert held[:3] == ("4 of 5 characters. Enter does not confirm.", "true", "Type 31427 first.")
    assert still is no_update
    assert "Type 31427 first." in words(said)
    assert free[:2] == ("Released.", "false")
    assert closed is None
    assert (only_command(services).action, only_command(services).session) == (Action.END_SESSION, SESSION)


def test_without_a_run_nothing_is_typed(ending: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        shown = ending.show_question("idle")
        ending.confirm(1, "idle", "")
    assert (shown[1], shown[3]) == ("End idle with its 1 process?", True)
    assert only_command(services).session == "idle"


def test_a_run_that_began_meanwhile_counts(
    ending: ModuleType, as_person: As, services: Services, web_database: Database
) -> None:
    with as_person(ALICE):
        pending, _ = ending.ask(1, "idle")
        with web_database.write() as tx:
            tx.merge(session_row("idle", root_address="h:2", state="running", run_number=7))
        _, said = ending.confirm(1, pending, "")
    assert "Type 7 first." in words(said)
    assert services.run_control.last_commands(None) == ()


def test_a_session_that_goes_meanwhile_is_refused_in_the_dialog(ending: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        held = ending.release("", "old")
        still, said = ending.confirm(1, "old", "")
    assert held[1:3] == ("true", "It is gone meanwhile.")
    assert still is no_update
    assert "old" in words(said)


def test_leaving_and_no_click_order_nothing(ending: ModuleType, booting: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        assert ending.ask(None, SESSION) == (no_update, no_update)
        assert ending.confirm(None, SESSION, "31427") == (no_update, no_update)
        assert booting.boot(None, "shift-7", FILE, SESSION) is no_update
        assert ending.show_question(None)[0] is False
        assert ending.leave(1) is None


@pytest.fixture
def comparing(app: Flask) -> ModuleType:
    return importlib.import_module("pages.sessions._difference")


def test_two_sessions_are_compared_by_name(comparing: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        sessions, one, others, other = comparing.show_choices(0, None, None, None, "idle")
        again = comparing.show_choices(1, sessions, one, other, "idle")
        said = words(drawn(comparing.show_difference("idle", SESSION)))
        gone = words(drawn(comparing.show_difference("idle", "old")))
        nothing = words(drawn(comparing.show_difference(None, comparing.GOOD_RUN)))
    assert (one, other) == ("idle", comparing.GOOD_RUN)
    assert [option["value"] for option in others] == [comparing.GOOD_RUN, "idle", SESSION]
    assert again == (no_update,) * 4
    assert "process df-01 – not there there" in said
    assert "There is no session old." in gone
    assert "Nothing to compare" in nothing


def test_a_session_is_compared_with_its_last_good_run(
    comparing: ModuleType, as_person: As, web_database: Database
) -> None:
    with as_person(VIEWER):
        none = words(drawn(comparing.show_difference(SESSION, comparing.GOOD_RUN)))
    hour = timedelta(hours=1)
    ready, configured = ("configured", "ready"), ("ready", "configured")
    with web_database.write() as tx:
        tx.add(
            command_row(state="succeeded", created_at=NOW - 2 * hour, arguments={"run_number": 7, "trigger_rate": 1.0})
        )
        tx.flush()
        for began, name, (before, after) in ((2 * hour, "start", ready), (hour, "stop", configured)):
            tx.add(
                TransitionRun(
                    session=SESSION,
                    transition=name,
                    state_before=before,
                    state_after=after,
                    began_at=NOW - began,
                    ended_at=NOW - began,
                    outcome="succeeded",
                    source="command",
                    command_id=1 if name == "start" else None,
                )
            )
        changed = {"at": NOW, "noted_at": NOW, "source": "poll", "session": SESSION, "subject": "node"}
        tx.add(node_row("root-controller", 0))
        tx.add(HistoryEntry(**changed, name="root-controller", aspect="included", old=False, new=True))
    with as_person(VIEWER):
        said = words(drawn(comparing.show_difference(SESSION, comparing.GOOD_RUN)))
    assert "No good run to compare with" in none
    assert "As it was at the end of run 7" in said
    assert "node root-controller takes part excluded yes" in said
    # The fixture's process was first seen later than that run.
    assert "process df-01 booted before since then" in said


class TestWithoutService:
    """drunc boots and ends sessions from its own shells."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"run_control_url": None})

    def test_the_lines_to_boot_follow_the_form(self, booting: ModuleType, as_person: As) -> None:
        with as_person(VIEWER):
            hidden = booting.show_boot(0)[:2]
            lines = booting.show_lines("shift-7", FILE, "local-2x3-config")
            empty = booting.show_lines("", FILE, "")
            wrong = booting.show_lines("-x", FILE, "c")
        assert hidden == (True, False)
        assert lines == (f"drunc-unified-shell grpc://localhost:10054 {FILE} local-2x3-config shift-7", "boot", "")
        assert empty == ("", "", "Fill in the file and a name.")
        assert "does not begin with a dash" in wrong[2]

    def test_the_lines_to_end_follow_the_choice(self, ending: ModuleType, as_person: As) -> None:
        with as_person(VIEWER):
            shown = ending.show_end("idle", 0, 0)
            none = ending.show_end(None, 0, 0)
        assert shown[:2] == (True, False)
        assert shown[-2:] == ("drunc-process-manager-shell grpc://localhost:10054", "kill --session idle")
        assert none[-2:] == ("", "")

    def test_an_order_is_refused_with_what_to_do_instead(self, booting: ModuleType, as_person: As) -> None:
        with as_person(ALICE):
            refused = booting.boot(1, "shift-7", FILE, SESSION)
        assert "Copy the lines for the shell." in words(drawn(refused))
