"""What is ordered of selected nodes: the callbacks as functions on a real database."""

import importlib
import json
from types import ModuleType

import pytest
from flask import Flask

from models.database import Database
from services.accounts.types import Identity, Role
from services.clock import utc_now
from services.container import Services
from services.run_control.command_types import Action
from tests.db.services.run_control.rows import ALICE, BOB, SESSION, node_row, process_row, session_row
from tests.unit.components.reading import drawn, words
from tests.web.test_controller_page import As, as_person, triggered

__all__ = ["as_person"]

DF, DF_01 = "root-controller/df-controller", "root-controller/df-controller/df-01"
EXPERT = json.dumps({"id": "x", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "ANY"})
CHIEF = Identity("alice", Role.ADMINISTRATOR, "192.0.2.1")


@pytest.fixture
def nodes(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._nodes")


@pytest.fixture
def dialogs(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._node_dialogs")


@pytest.fixture(autouse=True)
def seeded(web_database: Database) -> None:
    with web_database.write() as tx:
        tx.add(session_row(SESSION, polled_at=utc_now(), generation="G2", run_number=31427))
        tx.add(node_row("root-controller", 0))
        tx.add(node_row(DF, 1))
        tx.add(node_row(DF_01, 2, kind="application"))
        tx.add(process_row("u-1", name="df-01", hostname="np04-srv-029"))


def test_the_panel_follows_the_selection(nodes: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        nothing, _, said = nodes.show_nodes(None, 0, SESSION)
        one, title, _ = nodes.show_nodes([DF_01, "root-controller/gone"], 0, SESSION)
        several = nodes.show_nodes([DF_01, DF], 0, SESSION)[2]
    assert ("Select a node" in words(drawn(nothing)), said) == (True, "nothing selected")
    assert ("np04-srv-029" in words(drawn(one)), title) == (True, "df-01")
    assert several == "2 nodes selected"


def test_actions_are_off_with_the_reason_of_each(nodes: ModuleType, as_person: As) -> None:
    buttons = [nodes.ids.node_action_id(action) for action in nodes.NODE_ACTIONS]
    with as_person(ALICE):
        empty = nodes.show_actions([], 0, SESSION, buttons)
        chosen = nodes.show_actions([DF_01], 0, SESSION, buttons)
    with as_person(BOB):
        others = nodes.show_actions([DF_01], 0, SESSION, buttons)
    assert (set(empty[0]), empty[2]) == ({"true"}, "Select nodes in the tree first.")
    assert chosen[0] == ["false", "false", "false", "true", "true"]
    assert "operator" in chosen[1][3]
    assert "alice is in control" in others[2]


def test_a_selection_is_excluded_by_one_command_that_is_followed_in_place(
    nodes: ModuleType, as_person: As, services: Services
) -> None:
    with as_person(ALICE):
        sent, said = nodes.exclude(1, [DF_01], SESSION)
        shown = nodes.show_node_result(sent, 0)
    command = services.run_control.command(sent)
    assert (command.action, command.target, drawn(said)) == (Action.EXCLUDE, DF_01, [])
    assert "waiting" in words(drawn(shown))


def test_a_refusal_stands_in_place_and_nothing_is_sent(nodes: ModuleType, as_person: As, services: Services) -> None:
    with as_person(BOB):
        sent, said = nodes.include(1, [DF_01], SESSION)
        assert (sent, "alice is in control" in words(drawn(said))) == (nodes.no_update, True)
        assert "Select nodes" in words(drawn(nodes.recompute(1, [], SESSION)[1]))
    assert services.run_control.last_commands(SESSION) == ()


def test_an_expert_command_names_its_target_and_is_checked_in_the_dialog(
    dialogs: ModuleType, as_person: As, services: Services
) -> None:
    with as_person(CHIEF):
        with triggered(dialogs.ids.node_action_id(Action.EXPERT_COMMAND)):
            is_open, said, *_ = dialogs.open_dialog(1, None, [DF_01], SESSION)
        with triggered(dialogs.ids.EXPERT_SEND):
            wrong = dialogs.send_expert(1, None, "{", [DF_01], SESSION)
            sent, _, still_open, errors = dialogs.send_expert(2, None, EXPERT, [DF_01], SESSION)
    assert is_open is True
    assert DF_01 in said
    assert "Run 31427 is on." in said
    assert (wrong[2], "no JSON" in words(wrong[3])) == (True, True)
    assert (still_open, errors) == (False, [])
    assert services.run_control.command(sent).action is Action.EXPERT_COMMAND


def test_what_cannot_be_ordered_opens_no_dialog(dialogs: ModuleType, as_person: As) -> None:
    with as_person(ALICE), triggered(dialogs.ids.node_action_id(Action.TO_ERROR)):
        expert, _, to_error, _, said = dialogs.open_dialog(None, 1, [DF_01], SESSION)
    assert (expert, to_error) == (False, False)
    assert "Nothing was sent." in words(drawn(said))


def test_to_error_can_be_left(dialogs: ModuleType, as_person: As, services: Services) -> None:
    with as_person(CHIEF):
        with triggered(dialogs.ids.TO_ERROR_CANCEL):
            assert dialogs.send_to_error(None, 1, [DF_01], SESSION)[2] is False
        with triggered(dialogs.ids.TO_ERROR_SEND):
            _, said, is_open = dialogs.send_to_error(1, None, [DF_01], SESSION)
    # G2 has no such command.
    assert ("G2" in words(drawn(said)), is_open) == (True, False)
    assert services.run_control.last_commands(SESSION) == ()
