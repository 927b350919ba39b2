"""What pages read, on both engines."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from models.commands import CommandResult
from models.database import Database
from services.errors import NotFoundError
from services.run_control.command_types import Action, CommandState
from services.run_control.queries import RunControlQueries
from tests.db.services.run_control.rows import (
    NOW,
    SESSION,
    TRANSITIONS,
    command_row,
    node_row,
    process_row,
    session_row,
)


@pytest.fixture
def queries(database: Database) -> RunControlQueries:
    return RunControlQueries(database, lambda: NOW)


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "SHOW", "PRAGMA")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_nothing_yet(queries: RunControlQueries) -> None:
    assert queries.sessions() == ()
    assert queries.processes() == ()
    assert queries.tree(SESSION) == ()
    assert queries.backends() == ()
    assert queries.last_commands(None) == ()
    with pytest.raises(NotFoundError, match="elsewhere"):
        queries.session("elsewhere")
    with pytest.raises(NotFoundError):
        queries.command(1)


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_names_that_no_database_holds(queries: RunControlQueries, name: str) -> None:
    with pytest.raises(NotFoundError):
        queries.session(name)
    assert (queries.processes(name), queries.tree(name), queries.last_commands(name)) == ((), (), ())


def test_a_session_at_a_glance(queries: RunControlQueries, database: Database) -> None:
    with database.write() as tx:
        tx.add(session_row(run_number=2**60))
        tx.add_all([process_row("a"), process_row("b", status_code="DEAD", return_code=-9), process_row("c", "other")])
        tx.add_all([node_row("root", 0), node_row("root/x", 1, in_error=True), node_row("root/y", 2, included=False)])
        tx.add(command_row(state=CommandState.EXECUTING.value))
    (found,) = queries.sessions()
    assert found == queries.session(SESSION)
    assert (found.processes_running, found.processes_dead) == (1, 1)
    assert (found.nodes_total, found.nodes_in_error, found.nodes_excluded) == (3, 1, 1)
    assert found.transitions == TRANSITIONS
    assert found.run.number == 2**60
    assert found.executing is not None
    assert (found.executing.transition, found.executing.state) == ("start", CommandState.EXECUTING)


def test_a_session_that_is_gone_is_not_shown(queries: RunControlQueries, database: Database) -> None:
    with database.write() as tx:
        tx.add(session_row(present=False))
    assert queries.sessions() == ()
    with pytest.raises(NotFoundError):
        queries.session(SESSION)


def test_a_finished_command_is_not_under_way(queries: RunControlQueries, database: Database) -> None:
    with database.write() as tx:
        tx.add(session_row())
        tx.add(command_row(state=CommandState.FAILED.value))
    assert queries.session(SESSION).executing is None


def test_the_number_of_queries_does_not_grow(queries: RunControlQueries, database: Database) -> None:
    def count() -> int:
        with counted() as statements:
            queries.sessions()
        return len(statements)

    with database.write() as tx:
        tx.add(session_row("s0"))
    one = count()
    with database.write() as tx:
        for number in range(1, 20):
            name = f"s{number}"
            tx.add(session_row(name))
            tx.add_all([process_row(f"{name}-p", name), node_row("root", 0, name)])
            tx.add(command_row(f"r-{number}", session=name))
    assert len(queries.sessions()) == 20
    assert count() == one == 4


def test_processes_by_session_and_numeric_tree_id(queries: RunControlQueries, database: Database) -> None:
    ids = {"j": "1.10.0", "b": "1.2.0", "r": "1.0.0", "dummy": None}
    with database.write() as tx:
        tx.add_all(process_row(uuid, tree_id=tree_id) for uuid, tree_id in ids.items())
        tx.add(process_row("z", "a-session", tree_id="1.0.0"))
    assert [process.uuid for process in queries.processes(SESSION)] == ["r", "b", "j", "dummy"]
    assert [process.uuid for process in queries.processes()] == ["z", "r", "b", "j", "dummy"]


def test_commands_newest_first_with_their_results(queries: RunControlQueries, database: Database) -> None:
    with database.write() as tx:
        tx.add_all([command_row("r-1"), command_row("r-2", session="other"), command_row("r-3", reason="because")])
        tx.flush()
        for command_id, position, path in ((1, 1, "root/b"), (1, 0, "root"), (3, 0, "root")):
            tx.add(
                CommandResult(
                    command_id=command_id,
                    position=position,
                    path=path,
                    name=path,
                    succeeded=True,
                    flag="EXECUTED_SUCCESSFULLY",
                    text="",
                )
            )
    newest, oldest = queries.last_commands(SESSION)
    assert (newest.request_id, newest.reason, len(newest.nodes)) == ("r-3", "because", 1)
    assert [node.path for node in oldest.nodes] == ["root", "root/b"]
    assert oldest == queries.command(1)
    assert [view.request_id for view in queries.last_commands(None, limit=2)] == ["r-3", "r-2"]
    kinds = [Action.KILL, Action.EXECUTE_TRANSITION]
    assert [view.request_id for view in queries.last_commands(SESSION, actions=kinds)] == ["r-3", "r-1"]
    assert queries.last_commands(None, actions=[Action.KILL]) == ()
