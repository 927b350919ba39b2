"""The callbacks of the page of all processes, called as functions on a real database."""

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from dash import no_update
from dash._callback_context import context_value
from dash._utils import AttributeDict
from flask import Flask

from components.process_stake import Act
from models.database import Database
from services.accounts.types import Identity, Role
from services.clock import utc_now
from services.container import Services
from services.run_control.command_types import Action, CommandView
from tests.db.services.run_control.rows import ALICE, SESSION, VIEWER, process_row, session_row
from tests.unit.components.reading import drawn, words
from tests.web.conftest import As, Person

ADMINISTRATOR = Identity("ada", Role.ADMINISTRATOR, "192.0.2.9")


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.processes.page")


@pytest.fixture
def orders(app: Flask) -> ModuleType:
    return importlib.import_module("pages.processes._orders")


@pytest.fixture
def booting(app: Flask) -> ModuleType:
    return importlib.import_module("pages.processes._boot")


@pytest.fixture(autouse=True)
def listed(web_database: Database) -> None:
    """A session with a run on, one without, and a dead process in each."""
    with web_database.write() as tx:
        tx.add(session_row(SESSION, state="running", run_number=31427, run_started_at=utc_now()))
        tx.add(session_row("idle", root_address="h:2"))
        tx.add_all(
            [
                process_row("u-1", name="df-01", tree_id="1.1.1"),
                process_row("u-2", name="ru-01", status_code="DEAD", return_code=137),
                process_row("u-3", "idle", name="mlt"),
                process_row("u-4", "idle", name="tc", status_code="DEAD", return_code=0),
            ]
        )


@contextmanager
def triggered(component: str) -> Iterator[None]:
    token = context_value.set(AttributeDict(triggered_inputs=[{"prop_id": f"{component}.n_clicks", "value": 1}]))
    yield
    context_value.reset(token)


def only_command(services: Services) -> CommandView:
    (command,) = services.run_control.last_commands(None)
    return command


def looks(page: ModuleType, shown: tuple[Any, ...]) -> Mapping[Act, tuple[Any, ...]]:
    return {act: shown[2 + 4 * place : 6 + 4 * place] for place, act in enumerate(page.Act)}


def test_actions_say_how_many_or_why_not(page: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        shown = page.show_actions(["u-1", "u-2"], 0, 0, 0, "")
    found = looks(page, shown)
    assert [found[act][0] for act in Act] == ["true", "false", "false", "false", "true"]
    assert words(found[Act.KILL][3]) == "Kill 2…"
    assert found[Act.RESTART][1] == "It works on exactly one process; 2 are selected."
    assert found[Act.END][1] == f"All processes of {SESSION}"
    assert "2 selected df-01, ru-01" in words(drawn(shown[0]))
    assert "Restart is off" in words(drawn(shown[1]))


def test_a_viewer_sees_every_action_off_with_the_reason(page: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        shown = page.show_actions(["u-1"], 0, 0, 0, "")
    found = looks(page, shown)
    assert {found[act][0] for act in Act} == {"true"}
    assert all("role viewer" in found[act][1] for act in Act)
    assert shown[-3] == "true"


def test_flushing_takes_one_click_and_only_the_dead(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        sent, refused = orders.flush(1, ["u-1", "u-2"])
    assert drawn(refused) == []
    assert (only_command(services).id, only_command(services).target) == (sent, "ru-01")


def test_flushing_without_a_selection_is_for_all_dead(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        orders.flush(1, [])
    assert only_command(services).target == "tc, ru-01"


def test_a_dead_process_restarts_at_once(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        sent, _, pending = orders.restart(1, ["u-2"])
    assert pending is no_update
    assert (only_command(services).action, only_command(services).id) == (Action.RESTART, sent)


def test_a_running_one_only_after_a_question(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        sent, _, pending = orders.restart(1, ["u-3"])
        title = orders.show_question(pending)[1]
        done, closed, _ = orders.confirm(1, pending, "", "")
    assert (sent, closed) == (no_update, None)
    assert title == "Restart mlt?"
    assert only_command(services).id == done


@pytest.mark.parametrize("action", ["flush", "restart"])
def test_a_click_on_what_is_off_says_why(orders: ModuleType, as_person: As, services: Services, action: str) -> None:
    with as_person(ALICE):
        refused = getattr(orders, action)(1, ["u-1", "u-3"])[1]
    assert "Nothing was sent." in words(drawn(refused))
    assert services.run_control.last_commands(None) == ()


def ask(orders: ModuleType, act: Act, chosen: list[str], wanted: str = "") -> Any:
    with triggered(orders.ids.ACTIONS[act]):
        return orders.ask_to_kill(1, 1, chosen, wanted)[0]


def test_a_kill_during_a_run_wants_its_number(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        pending = ask(orders, Act.KILL, ["u-1"])
        is_open, title, body, no_reason, nothing_to_type, label, *_ = orders.show_question(pending)
        held = orders.release("3142", "", pending)
        refused = orders.confirm(1, pending, "3142", "")
        assert services.run_control.last_commands(None) == ()
        free = orders.release(" 31427 ", "", pending)
        sent, closed, said = orders.confirm(1, pending, "31427", "")
    assert (is_open, title, no_reason, nothing_to_type) == (True, "Kill df-01 while run 31427 is on?", True, False)
    assert "Run 31427" in words(drawn(body))
    assert words(label) == "Type the run number 31427 to release the button"
    assert held[:3] == ("4 of 5 characters. Enter does not confirm.", "true", "Type 31427 first.")
    assert refused[:2] == (no_update, no_update)
    assert "Type 31427 first." in words(refused[2])
    assert free[:2] == ("Released.", "false")
    assert (closed, said) == (None, [])
    assert (only_command(services).id, only_command(services).action) == (sent, Action.KILL)


def test_a_run_that_began_meanwhile_counts(
    orders: ModuleType, as_person: As, services: Services, web_database: Database
) -> None:
    with as_person(ALICE):
        pending = ask(orders, Act.KILL, ["u-3"])
        assert orders.show_question(pending)[4] is True
        with web_database.write() as tx:
            tx.merge(session_row("idle", root_address="h:2", state="running", run_number=7))
        assert "Type 7 first." in words(orders.confirm(1, pending, "", "")[2])
    assert services.run_control.last_commands(None) == ()


def test_a_session_is_terminated_by_its_uuids(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        pending = ask(orders, Act.END, [], "idle")
        orders.confirm(1, pending, "", "")
    command = only_command(services)
    assert sorted(pending["uuids"]) == ["u-3", "u-4"]
    assert (command.action, command.session) == (Action.KILL, "idle")


def test_what_vanished_meanwhile_is_told_in_the_dialog(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        _, pending, said = orders.confirm(1, {"act": "kill", "uuids": ["u-3", "gone"]}, "", "")
    assert pending is no_update
    assert "1 of the 2 processes are not listed any more. Nothing was sent." in words(said)


def test_everything_needs_an_administrator_a_reason_and_the_run(
    orders: ModuleType, as_person: As, services: Services
) -> None:
    with as_person(ALICE):
        pending, refused = orders.ask_to_terminate(1)
        assert pending is no_update
        assert "process.terminate" in words(drawn(refused))
    with as_person(ADMINISTRATOR):
        pending, _ = orders.ask_to_terminate(1)
        assert orders.show_question(pending)[3:5] == (False, False)
        assert "reason" in words(orders.confirm(1, pending, "31427", " ")[2])
        assert "31427" in words(orders.confirm(1, pending, "", "end of the shift")[2])
        orders.confirm(1, pending, "31427", "end of the shift")
    assert (only_command(services).action, only_command(services).reason) == (Action.TERMINATE, "end of the shift")


def test_leaving_closes_the_question(orders: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        assert orders.leave(1) is None
        assert orders.show_question(None)[0] is False
    assert services.run_control.last_commands(None) == ()


def test_a_viewer_who_forges_a_confirmation_is_refused_and_audited(
    orders: ModuleType, as_person: As, services: Services
) -> None:
    with as_person(VIEWER):
        _, _, said = orders.confirm(1, {"act": "kill", "uuids": ["u-3"]}, "", "")
    assert "does not include process.kill" in words(said)
    assert services.run_control.last_commands(None) == ()
    assert [view.entry.action for view in services.audit.newest()][:1] == ["kill"]


def test_only_commands_on_processes_are_shown_the_newest_open(
    page: ModuleType, orders: ModuleType, as_person: As
) -> None:
    with as_person(ALICE):
        assert "No commands on processes" in words(drawn(page.show_commands(0, None)))
        orders.flush(1, ["u-2"])
        shown = json.loads(page.show_commands(0, 1))
    assert [(item[0], "open" in item[1]) for item in shown] == [("details", True)]


FIELDS = ("trial", "", "2", "6", "10")


def test_a_dummy_boot(booting: ModuleType, as_person: As, services: Services) -> None:
    with as_person(ALICE):
        sent, is_open, _ = booting.boot(1, "dummy", None, *FIELDS)
        assert booting.count_them("dummy", "2", None) == "Boot 2 processes"
    assert is_open is False
    assert (only_command(services).id, only_command(services).target) == (sent, "dummy_boot_0, dummy_boot_1")


def test_a_boot_from_a_description(booting: ModuleType, as_person: As, services: Services) -> None:
    text = json.dumps({"name": "x", "session": "trial", "commands": [["sleep", "1"]]})
    with as_person(ALICE):
        assert booting.count_them("description", None, text) == "Boot 1 process"
        booting.boot(1, "description", text, *FIELDS)
    assert only_command(services).target == "x"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("dummy", "", "", *FIELDS[1:]), "no session"),
        (("dummy", "", "s", "", "many", "6", "10"), "Processes must be a whole number"),
        (("dummy", "", "s", "", "51", "6", "10"), "from 1 to 50"),
        (("description", "{", *FIELDS), "no JSON"),
        (("description", '{"name": "x"}', *FIELDS), "session"),
    ],
)
def test_what_cannot_be_booted_is_told_in_the_dialog(
    booting: ModuleType, as_person: As, services: Services, given: tuple[str, ...], said: str
) -> None:
    with as_person(ALICE):
        sent, is_open, error = booting.boot(1, *given)
        assert booting.count_them("description", None, given[1]) == "Boot"
    assert (sent, is_open) == (no_update, no_update)
    assert said in words(error)
    assert services.run_control.last_commands(None) == ()


def test_the_boot_dialog_takes_the_session_of_the_address_but_keeps_what_was_typed(
    booting: ModuleType, as_person: As
) -> None:
    with as_person(ALICE), triggered(booting.ids.BOOT):
        assert booting.open_dialog(1, None, SESSION, "")[:2] == (True, SESSION)
        assert booting.open_dialog(1, None, SESSION, "mine")[:2] == (True, "mine")
    with as_person(ALICE), triggered(booting.ids.BOOT_CANCEL):
        assert booting.open_dialog(1, 1, SESSION, "")[0] is False
    with as_person(VIEWER), triggered(booting.ids.BOOT):
        assert booting.open_dialog(1, None, SESSION, "")[0] is False


@pytest.mark.parametrize(
    ("output", "button"),
    [("processes-sent.data", "processes-flush-button"), ("processes-boot-dialog.is_open", "processes-boot-button")],
)
def test_a_viewers_click_does_not_reach_the_services(
    viewer: Person, services: Services, output: str, button: str
) -> None:
    dependencies = viewer.client.get("/_dash-dependencies").get_json()
    found = next(
        item
        for item in dependencies
        if output.partition("@")[0] in item["output"] and item["inputs"][0]["id"] == button
    )
    names = found["output"].strip(".").split("...") if found["output"].startswith("..") else [found["output"]]
    outputs = [{"id": name.rpartition(".")[0], "property": name.rpartition(".")[2]} for name in names]
    body = {
        "output": found["output"],
        "outputs": outputs,
        "inputs": [{"id": item["id"], "property": item["property"], "value": 1} for item in found["inputs"]],
        "state": [{"id": item["id"], "property": item["property"], "value": None} for item in found["state"]],
        "changedPropIds": [f"{button}.n_clicks"],
    }
    answer = viewer.client.post("/_dash-update-component", json=body, headers=viewer.csrf())
    assert "may not do this" in answer.get_data(as_text=True)
    assert services.run_control.last_commands(None) == ()
