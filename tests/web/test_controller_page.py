"""The controller page's callbacks, called as functions on a real database."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from types import ModuleType, SimpleNamespace

import pytest
from dash._callback_context import context_value
from dash._utils import AttributeDict
from flask import Flask, g

from models.database import Database
from services.accounts.types import Identity
from services.clock import utc_now
from services.container import Services
from services.errors import NotFoundError
from services.run_control.command_types import Action, SequenceStep, StepState
from services.run_control.fsm_types import Sequence
from services.run_control.rows import sequences_to_json, steps_to_json
from tests.db.services.run_control.rows import ALICE, BOB, SESSION, VIEWER, command_row, node_row, session_row
from tests.unit.components.reading import attribute, drawn, walk, with_class, words

As = Callable[[Identity], AbstractContextManager[None]]


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller.page")


@pytest.fixture
def form(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._arguments")


@pytest.fixture
def transitions(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._transitions")


@pytest.fixture
def control(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._control")


@pytest.fixture
def as_person(app: Flask) -> As:
    @contextmanager
    def act(identity: Identity) -> Iterator[None]:
        with app.test_request_context():
            g._login_user = SimpleNamespace(identity=identity)
            yield

    return act


@contextmanager
def triggered(component: str | Mapping[str, str], value: object = 1) -> Iterator[None]:
    """Call a callback as if this component had caused it."""
    name = (
        component if isinstance(component, str) else json.dumps(dict(component), sort_keys=True, separators=(",", ":"))
    )
    token = context_value.set(AttributeDict(triggered_inputs=[{"prop_id": f"{name}.n_clicks", "value": value}]))
    yield
    context_value.reset(token)


def seed(database: Database, **fields: object) -> None:
    with database.write() as tx:
        tx.add(session_row(SESSION, **({"polled_at": utc_now()} | fields)))
        tx.add(node_row("root-controller", 0, depth=0))
        tx.add(node_row("root-controller/df-01", 1, depth=1, included=False))


def button_ids(page: ModuleType, names: list[str]) -> list[dict[str, str]]:
    return [page.ids.transition_id(name) for name in names]


def test_without_a_session_the_page_says_so(page: ModuleType, control: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        assert "There is no session gone" in words(drawn(page.show_machine(0, 0, "gone")[0]))
        assert "No session is running" in words(drawn(page.show_machine(0, 0, "")[0]))
        assert words(drawn(page.show_tree(0, 0, "")[0])) == "No nodes known yet."
        assert control.show_control(0, "")[2] == "true"


def test_machine_and_tree_show_the_session(page: ModuleType, as_person: As, web_database: Database) -> None:
    seed(web_database)
    with as_person(ALICE):
        picture, about, progress = page.show_machine(0, 0, SESSION)
        tree, count = page.show_tree(0, 0, SESSION)
    assert about == f"{SESSION}, root-controller, G1"
    assert drawn(progress) == []
    assert [words(box) for box in with_class(with_class(drawn(picture), "fsm-wide"), "is-now")] == ["configured"]
    assert count == "2 nodes"
    assert len(with_class(drawn(tree), "tree-row")) == 2


def test_old_data_is_marked_in_the_browser_but_not_during_a_command(
    page: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        idle = page.show_machine(0, 0, SESSION)[0]
        with web_database.write() as tx:
            tx.add(command_row(state="executing", transition="start", action=Action.EXECUTE_TRANSITION.value))
        busy, _, progress = page.show_machine(0, 0, SESSION)
    assert attribute(drawn(idle)[0], "data-stale-after-s") == "3"
    assert attribute(drawn(busy)[0], "data-stale-after-s") is None
    assert words(drawn(progress)).startswith("start")
    assert "0 of 1 nodes in ready awaited: root-controller" in words(drawn(progress))


def test_buttons_are_made_once_and_again_only_when_the_server_lists_others(
    page: ModuleType, transitions: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        rows, names = transitions.make_buttons(0, SESSION, [])
        again, _ = transitions.make_buttons(1, SESSION, names)
    assert names == ["conf", "start", "scrap"]
    assert [words(part) for part in walk(rows) if part._type == "Button"] == ["conf", "start…", "scrap"]
    assert again is transitions.no_update


def test_buttons_are_off_with_every_reason(
    page: ModuleType, transitions: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database, polled_at=utc_now() - timedelta(minutes=2))
    buttons = button_ids(page, ["conf", "start"])
    with as_person(BOB):
        disabled, titles, _ = transitions.show_buttons(0, [], None, buttons, SESSION)
    assert disabled == ["true", "true"]
    for reason in ("s old", "alice is in control", "conf is not possible in the state configured"):
        assert reason in titles[0]
    assert "not possible" not in titles[1]


def test_what_is_possible_is_on(
    page: ModuleType, transitions: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        disabled, titles, classes = transitions.show_buttons(
            0, [], "start", button_ids(page, ["conf", "start"]), SESSION
        )
    assert disabled == ["true", "false"]
    assert titles[1] == ""
    assert classes == ["button button-outline", "button button-chosen"]


def test_control_says_who_holds_it_and_what_can_be_done(
    control: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        mine = control.show_control(0, SESSION)
    with as_person(BOB):
        others = control.show_control(0, SESSION)
    with as_person(VIEWER):
        looking = control.show_control(0, SESSION)
    assert "alice you" in words(mine[0])
    assert (mine[2], mine[5]) == ("true", "false")
    assert "alice somebody else" in words(others[0])
    assert (others[2], others[5]) == ("false", "true")
    assert "viewer" in looking[1]
    assert looking[2] == looking[5] == "true"


def test_the_form_is_built_from_the_servers_description(
    form: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        hidden, body, _ = form.open_form("start", SESSION)
        head, standing, text, disabled, *_ = form.show_standing(0, "start", SESSION)
    assert hidden is False
    assert "Target root-controller and all below, 1 of 2 nodes. Excluded, gets nothing: df-01." in words(body)
    assert [words(name) for name in with_class(body, "argument-name")][:2] == ["run_number", "trigger_rate"]
    assert words(head) == "start configured → ready"
    assert (words(standing), text, disabled) == ("", "Execute start", "false")


def test_a_click_opens_a_form_but_a_button_drawn_anew_does_not(
    page: ModuleType, form: ModuleType, as_person: As
) -> None:
    choose = form.choose
    with as_person(ALICE):
        with triggered(page.ids.transition_id("conf")):
            assert choose([1], None) == "conf"
        with triggered(page.ids.transition_id("conf"), None):
            assert choose([None], None) is form.no_update
        with triggered(page.ids.FORM_CLOSE):
            assert choose([1], 1) is None


def fields(form: ModuleType, *names: str) -> list[dict[str, str]]:
    return [form.input_id(name) for name in names]


def test_wrong_arguments_are_told_at_their_fields_all_at_once(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(ALICE):
        sent, result, errors = form.execute(
            1, "start", SESSION, ["", "12,4", "TEST"], fields(form, "run_number", "trigger_rate", "run_type"), False
        )
    assert sent is form.no_update
    assert drawn(result) == []
    assert "run_number is mandatory." in words(errors[0])
    assert "trigger_rate must be a number." in words(errors[1])
    assert errors[2] == []
    assert services.run_control.last_commands(SESSION) == ()


def test_execute_orders_the_transition_and_follows_it_in_place(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(ALICE):
        sent, _, errors = form.execute(
            1, "start", SESSION, ["31428", ""], fields(form, "run_number", "trigger_rate"), False
        )
        with triggered(form.ids.SENT):
            shown = form.show_result(sent, 0)
    assert errors == [[], []]
    command = services.run_control.command(sent)
    assert (command.transition, dict(command.arguments), command.user_name) == ("start", {"run_number": 31428}, "alice")
    assert "start waiting" in words(drawn(shown))


def test_a_refusal_stands_in_place_and_names_the_holder(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(BOB):
        sent, result, _ = form.execute(1, "scrap", SESSION, [], [], False)
    assert sent is form.no_update
    assert "alice is in control" in words(drawn(result))
    assert "Nothing was sent." in words(drawn(result))
    assert services.run_control.last_commands(SESSION) == ()


def test_a_second_click_while_the_first_is_under_way_is_refused(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(ALICE):
        form.execute(1, "scrap", SESSION, [], [], False)
        _, result, _ = form.execute(2, "scrap", SESSION, [], [], False)
    assert "under way" in words(drawn(result))
    assert len(services.run_control.last_commands(SESSION)) == 1


SEQUENCES = (Sequence("start_run", ("conf", "start"), frozenset({"conf"})),)


def seed_sequence(database: Database, steps: list[SequenceStep]) -> int:
    seed(database, sequences=sequences_to_json(SEQUENCES))
    with database.write() as tx:
        row = command_row(
            state="executing",
            transition="start_run",
            action=Action.EXECUTE_SEQUENCE.value,
            steps=steps_to_json(steps),
        )
        tx.add(row)
        tx.flush()
        return row.id


def test_a_sequence_asks_for_the_arguments_of_what_it_goes_through(
    form: ModuleType, transitions: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database, sequences=sequences_to_json(SEQUENCES))
    with as_person(ALICE):
        rows, names = transitions.make_buttons(0, SESSION, [])
        _, body, _ = form.open_form("start_run", SESSION)
        head = form.show_standing(0, "start_run", SESSION)[0]
        refused, _, errors = form.execute(1, "start_run", SESSION, [""], fields(form, "run_number"), False)
        sent, *_ = form.execute(2, "start_run", SESSION, ["31428"], fields(form, "run_number"), False)
    assert names == ["conf", "start", "scrap", "start_run"]
    assert words(rows).endswith("Sequences start_run…")
    assert words(head) == "start_run configured → ready"
    assert "conf (skipped where it is not possible), start" in words(body)
    assert "run_number" in [words(name) for name in with_class(body, "argument-name")]
    assert (refused is form.no_update, "mandatory" in words(errors[0])) == (True, True)
    command = services.run_control.command(sent)
    assert (command.action, [step.transition for step in command.steps]) == (
        Action.EXECUTE_SEQUENCE,
        ["conf", "start"],
    )


def test_a_sequence_shows_its_steps_and_can_be_ended_between_them(
    page: ModuleType, transitions: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    steps = [SequenceStep("conf", StepState.SKIPPED), SequenceStep("start", StepState.EXECUTING, started_at=utc_now())]
    command_id = seed_sequence(web_database, steps)
    with as_person(ALICE):
        picture, _, progress = page.show_machine(0, 0, SESSION)
        offered = transitions.show_abort(0, SESSION)
        transitions.abort(1, SESSION)
        asked = transitions.show_abort(0, SESSION)
    assert "conf skipped start in progress" in words(drawn(progress))
    assert [words(box) for box in with_class(with_class(drawn(picture), "fsm-wide"), "is-next")] == ["ready"]
    assert (offered[0], offered[2]) == (False, "false")
    assert services.run_control.command(command_id).aborted_by == "alice"
    assert (asked[2], "alice asked" in asked[1]) == ("true", True)


def test_without_a_sequence_there_is_nothing_to_end(
    transitions: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        assert transitions.show_abort(0, SESSION)[0] is True
        assert transitions.abort(1, SESSION) is transitions.no_update


def test_taking_from_nobody_needs_no_words(
    control: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database, holder="controller_init_token")
    with as_person(BOB):
        sent, _, is_open, _ = control.take(1, SESSION)
        shown = control.show_control_result(sent, 0)
    assert is_open is False
    assert services.run_control.command(sent).action is Action.TAKE_CONTROL
    assert "take control waiting" in words(drawn(shown))


def test_taking_from_somebody_needs_a_reason(
    control: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(BOB):
        sent, _, is_open, said = control.take(1, SESSION)
        assert (sent is control.no_update, is_open) == (True, True)
        assert "alice is in control" in words(said)
        with triggered(control.ids.CONFIRM):
            assert "needs a reason" in words(control.force(1, None, " ", SESSION)[2])
            taken, is_open, *_ = control.force(2, None, "alice went home", SESSION)
    assert is_open is False
    assert services.run_control.command(taken).reason == "alice went home"


def test_leaving_the_dialog_changes_nothing(
    control: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(BOB), triggered(control.ids.CANCEL):
        assert control.force(None, 1, "why not", SESSION)[1] is False
    assert services.run_control.last_commands(SESSION) == ()


def test_only_the_holder_releases(
    control: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database)
    with as_person(BOB):
        assert "alice is in control" in words(drawn(control.release(1, SESSION)[1]))
    with as_person(ALICE):
        sent, _ = control.release(1, SESSION)
    assert services.run_control.command(sent).action is Action.RELEASE_CONTROL


def test_a_field_is_checked_while_it_is_filled_in(form: ModuleType, as_person: As, web_database: Database) -> None:
    seed(web_database)
    with as_person(ALICE), triggered(form.input_id("run_number")):
        assert "whole number" in words(form.check_field("x", "start", SESSION))
        assert form.check_field("", "start", SESSION) == []
        assert form.check_field("7", "start", SESSION) == []


def test_a_command_that_is_gone_is_not_found(form: ModuleType, as_person: As) -> None:
    with as_person(ALICE), pytest.raises(NotFoundError):
        form.show_result(99, 0)
