"""The transition board's callbacks, called as functions on a real database."""

import importlib
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import delete

from models.commands import CommandResult
from models.database import Database
from models.history import HistoryEntry, NodeTransition, TransitionRun
from models.run_control import Process as ProcessRow
from services.clock import nanoseconds, utc_now
from services.history.record import Changes
from services.messages.filter_text import parse
from services.messages.types import And, Since, Until
from services.run_control.command_types import Action, SequenceStep, StepState
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.rows import steps_to_json
from services.run_control.saving_processes import save_processes
from tests.db.services.run_control.rows import ALICE, SESSION, command_row, node_row, process_row, session_row
from tests.unit.components.reading import attribute, drawn, walk, words
from tests.web.conftest import As

NODE = "root-controller/df-01"
BEGAN = utc_now() - timedelta(minutes=3)


@pytest.fixture
def board(app: Flask) -> ModuleType:
    return importlib.import_module("pages.controller._board")


def seed(database: Database, **fields: object) -> dict[str, object]:
    """A session whose ``df-01`` failed in ``conf``; return what a click on that cell tells."""
    with database.write() as tx:
        tx.add(session_row(SESSION, polled_at=utc_now()))
        tx.add(node_row("root-controller", 0))
        tx.add(node_row(NODE, 1))
        tx.add(process_row("u-1", name="df-01"))
        values: dict[str, object] = {"transition": "conf", "outcome": "failed", "source": "command", "session": SESSION}
        run = TransitionRun(**(values | {"began_at": BEGAN, "ended_at": BEGAN + timedelta(seconds=6)} | fields))
        tx.add(run)
        tx.flush()
        for path, outcome in (("root-controller", "succeeded"), (NODE, "failed")):
            tx.add(
                NodeTransition(
                    run_id=run.id,
                    path=path,
                    began_at=BEGAN,
                    ended_at=run.ended_at,
                    outcome=outcome,
                    source="command",
                    text="disk is full" if outcome == "failed" else "",
                )
            )
        return {"run": str(run.id), "path": NODE}


def test_without_a_session_or_transitions_it_says_so(board: ModuleType, as_person: As, web_database: Database) -> None:
    with as_person(ALICE):
        assert words(drawn(board.show_board(0, 0, 0, "gone"))) == "No transitions were seen yet."
        with web_database.write() as tx:
            tx.add(session_row(SESSION))
        assert words(drawn(board.show_board(0, 0, 0, SESSION))) == "No transitions were seen yet."


def test_it_shows_the_last_transitions(board: ModuleType, as_person: As, web_database: Database) -> None:
    cell = seed(web_database)
    with as_person(ALICE):
        shown = drawn(board.show_board(0, 0, 0, SESSION))
    assert "conf" in words(shown)
    failed = [part for part in walk(shown) if attribute(part, "data-run") == cell["run"]]
    assert [words(part) for part in failed] == ["6 s", "failed \u2264 6 s"]


def test_a_cell_leads_to_answer_log_and_messages(board: ModuleType, as_person: As, web_database: Database) -> None:
    cell = seed(web_database)
    with as_person(ALICE):
        hidden, title, details = board.show_cell(cell, 0, 0, SESSION)
    assert (hidden, words(drawn(title)).startswith("df-01, conf,")) == (False, True)
    assert "disk is full" in words(drawn(details))
    # What `drawn` rebuilds has no addresses.
    assert '"href":"/processes/u-1/log?session=' in details
    assert '"href":"/messages?session=' in details


def boot_anew(database: Database, now: datetime, *uuids: str) -> None:
    """Make the processes named ``df-01`` those of ``uuids``, as a poll that finds them listed does."""
    listed = [Process(uuid, "df-01", SESSION, "alice", "host", ProcessStatus.RUNNING) for uuid in uuids]
    with database.write() as tx:
        changes = Changes(now)
        save_processes(tx, listed, changes)
        changes.write(tx)


def test_the_log_is_that_of_the_process_of_then(board: ModuleType, as_person: As, web_database: Database) -> None:
    cell = seed(web_database)
    boot_anew(web_database, BEGAN + timedelta(minutes=1), "u-2")
    boot_anew(web_database, BEGAN + timedelta(minutes=2), "u-3")
    with as_person(ALICE):
        details = board.show_cell(cell, 0, 0, SESSION)[2]
    assert '"href":"/processes/u-1/log?session=' in details
    assert "Log, process gone" in words(drawn(details))
    assert board.GONE in details
    assert "u-3" not in details


def test_a_process_that_came_before_the_transition_is_the_one(
    board: ModuleType, as_person: As, web_database: Database
) -> None:
    cell = seed(web_database)
    boot_anew(web_database, BEGAN - timedelta(minutes=1), "u-2")
    with as_person(ALICE):
        details = board.show_cell(cell, 0, 0, SESSION)[2]
    assert '"href":"/processes/u-2/log?session=' in details
    assert "gone" not in details


def test_where_nobody_knows_which_process_it_was_the_link_says_so(
    board: ModuleType, as_person: As, web_database: Database
) -> None:
    cell = seed(web_database)
    with web_database.write() as tx:
        tx.execute(delete(ProcessRow))
    boot_anew(web_database, BEGAN + timedelta(minutes=1), "u-2")
    with as_person(ALICE):
        details = board.show_cell(cell, 0, 0, SESSION)[2]
    assert '"href":"/processes/u-2/log?session=' in details
    assert board.UNKNOWN.format(name="df-01") in details
    boot_anew(web_database, BEGAN + timedelta(minutes=2))
    with web_database.write() as tx:
        tx.execute(delete(HistoryEntry))
    with as_person(ALICE):
        assert "/log?" not in board.show_cell(cell, 0, 0, SESSION)[2]


def test_messages_are_all_of_that_node_from_shortly_before_until_the_end(
    board: ModuleType, as_person: As, web_database: Database
) -> None:
    seed(web_database)
    with as_person(ALICE):
        (run,) = board.services().history.transitions(SESSION)
    address = urlsplit(board.messages_of(run, "df-01"))
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (address.path, query["session"], query["application"]) == ("/messages", SESSION, "df-01")
    assert query["severity"] == "FATAL,ERROR,WARNING,INFO,LOG,DEBUG"
    since, until = run.began_at - board.BEFORE, run.began_at + timedelta(seconds=6) + board.AFTER
    assert parse(query["where"]) == And((Since(nanoseconds(since)), Until(nanoseconds(until))))


def test_what_is_under_way_has_messages_until_now(board: ModuleType, as_person: As, web_database: Database) -> None:
    seed(web_database, ended_at=None, outcome="running")
    with as_person(ALICE):
        (run,) = board.services().history.transitions(SESSION)
    assert "time%3C" not in board.messages_of(run, "df-01")


@pytest.mark.parametrize("cell", [None, {"run": "99", "path": NODE}, {"run": "1", "path": "root-controller/nobody"}])
def test_nothing_is_shown_of_what_is_not_there(
    board: ModuleType, as_person: As, web_database: Database, cell: dict[str, str] | None
) -> None:
    seed(web_database)
    with as_person(ALICE):
        assert board.show_cell(cell, 0, 0, SESSION)[0] is True
        assert board.show_cell(cell, 0, 0, "gone")[0] is True


def answered(database: Database, text: str, **fields: Any) -> int:
    with database.write() as tx:
        row = command_row(state="failed", **fields)
        tx.add(row)
        tx.flush()
        tx.add(
            CommandResult(
                command_id=row.id,
                position=0,
                path=NODE,
                name="df-01",
                succeeded=False,
                flag="EXECUTED_SUCCESSFULLY",
                fsm_flag="FSM_FAILED",
                text=text,
                detail="Traceback",
            )
        )
        return row.id


def test_the_commands_answer_comes_with_drunc_flags(board: ModuleType, as_person: As, web_database: Database) -> None:
    cell = seed(web_database, command_id=answered(web_database, "no space on device", transition="conf"))
    with as_person(ALICE):
        said = words(drawn(board.show_cell(cell, 0, 0, SESSION)[2]))
    assert "no space on device EXECUTED_SUCCESSFULLY FSM_FAILED" in said
    assert "Traceback" in said


def test_of_a_sequence_only_the_last_steps_answers_are_known(
    board: ModuleType, as_person: As, web_database: Database
) -> None:
    steps = [
        SequenceStep("conf", StepState.SUCCEEDED, started_at=BEGAN),
        SequenceStep("start", StepState.FAILED, started_at=BEGAN),
        SequenceStep("enable_triggers"),
    ]
    command = answered(
        web_database,
        "of the start",
        transition="start_run",
        action=Action.EXECUTE_SEQUENCE.value,
        steps=steps_to_json(steps),
    )
    cell = seed(web_database, command_id=command)
    with as_person(ALICE):
        of_conf = words(drawn(board.show_cell(cell, 0, 0, SESSION)[2]))
        with web_database.write() as tx:
            tx.get_one(TransitionRun, int(str(cell["run"]))).transition = "start"
        of_start = words(drawn(board.show_cell(cell, 0, 0, SESSION)[2]))
    assert ("disk is full" in of_conf, "of the start" in of_conf) == (True, False)
    assert "of the start" in of_start
