"""The check before a run, and what is remembered: the callbacks as functions on a real database."""

import importlib
from types import ModuleType

import pytest
from flask import Flask

from models.database import Database
from services.clock import utc_now
from services.container import Services
from services.run_control.fsm_types import Sequence
from services.run_control.rows import sequences_to_json
from tests.db.services.run_control.rows import ALICE, SESSION, command_row, node_row, process_row, session_row
from tests.unit.components.reading import attribute, drawn, walk, with_class, words
from tests.web.test_controller_page import As, as_person

__all__ = ["as_person"]

DF_01 = "root-controller/df-01"
RUN = [{"component": "arguments", "element": "input", "key": "run_number"}]


@pytest.fixture
def checks(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._preflight")


@pytest.fixture
def form(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._arguments")


def seed(database: Database, *, in_error: bool = False, **fields: object) -> None:
    with database.write() as tx:
        tx.add(session_row(SESSION, **({"polled_at": utc_now()} | fields)))
        tx.add(node_row("root-controller", 0))
        tx.add(node_row(DF_01, 1, kind="application", in_error=in_error))
        tx.add(process_row("u-1", name="df-01"))


def test_before_a_start_the_strip_says_what_stops_it(checks: ModuleType, as_person: As, web_database: Database) -> None:
    seed(web_database, in_error=True)
    with as_person(ALICE):
        strip, hidden, said = checks.show_preflight(0, 0, 0, SESSION, "start", ["31428"], RUN)
    shown = drawn(strip)
    assert "Before start: no-go 1 stops it" in words(with_class(shown, "check-head"))
    assert "no-go: df-01 in error" in words(shown)
    assert [attribute(part, "data-node") for part in walk(shown) if part._type == "A"] == [DF_01]
    assert (hidden, said) == (False, "df-01 in error")


def test_what_is_typed_into_the_form_is_checked_along(
    checks: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        empty = checks.show_preflight(0, 0, 0, SESSION, "start", [""], RUN)
        filled = checks.show_preflight(0, 0, 0, SESSION, "start", ["31428"], RUN)
    assert "No run number" in words(drawn(empty[0]))
    assert "Before start: go nothing stops it" in words(drawn(filled[0]))
    # What the commands' own rules refuse cannot be decided otherwise.
    assert (empty[1], filled[1]) == (True, True)


@pytest.mark.parametrize(
    ("state", "chosen", "shown"),
    [
        ("configured", None, True),
        ("configured", "start", True),
        ("initial", "start_run", True),
        ("initial", None, False),
        ("configured", "scrap", False),
        ("running", None, False),
    ],
)
def test_it_is_shown_where_a_run_can_begin(
    checks: ModuleType, as_person: As, web_database: Database, state: str, chosen: str | None, *, shown: bool
) -> None:
    sequences = sequences_to_json([Sequence("start_run", ("conf", "start"))])
    seed(web_database, state=state, sequences=sequences)
    with as_person(ALICE):
        strip, *_ = checks.show_preflight(0, 0, 0, SESSION, chosen, [], [])
    assert bool(drawn(strip)) is shown


def test_without_a_session_nothing_is_checked(checks: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        assert drawn(checks.show_preflight(0, 0, 0, "gone", None, [], [])[0]) == []


def test_a_no_go_keeps_a_start_back_unless_somebody_decides_otherwise(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database, in_error=True)
    with as_person(ALICE):
        kept, said, _ = form.execute(1, "start", SESSION, ["31428"], RUN, False)
        assert services.run_control.last_commands(SESSION) == ()
        sent, *_ = form.execute(2, "start", SESSION, ["31428"], RUN, True)
    assert kept is form.no_update
    assert "df-01 in error" in words(drawn(said))
    assert services.run_control.command(sent).transition == "start"


def test_a_no_go_stops_nothing_but_runs(
    form: ModuleType, as_person: As, web_database: Database, services: Services
) -> None:
    seed(web_database, in_error=True)
    with as_person(ALICE):
        sent, *_ = form.execute(1, "scrap", SESSION, [], [], False)
    assert services.run_control.command(sent).transition == "scrap"


def test_the_form_offers_what_was_used_in_this_session(form: ModuleType, as_person: As, web_database: Database) -> None:
    seed(web_database)
    with web_database.write() as tx:
        for number, session in enumerate((SESSION, SESSION, "another")):
            sent = {"run_number": 31420 + number, "trigger_rate": 5.0 + number, "disable_data_storage": True}
            tx.add(command_row(f"r-{number}", session=session, arguments=sent, state="succeeded", claimed_at=utc_now()))
        tx.add(command_row("never", arguments={"run_number": 40000}, state="failed"))
    with as_person(ALICE):
        _, body, _ = form.open_form("start", SESSION)
    said = words(with_class(body, "argument-help"))
    assert "last used in this session 31421; highest known 31422" in said
    values = {part.id["key"]: part.value for part in walk(body) if part._type in ("Input", "RadioItems")}
    # A run number is given anew each time.
    assert (values["run_number"], values["trigger_rate"], values["disable_data_storage"]) == ("", "6", "true")
    offered = {part.id: [option.value for option in part.children] for part in walk(body) if part._type == "Datalist"}
    assert offered["used-run_number"] == ["31421", "31420"]
