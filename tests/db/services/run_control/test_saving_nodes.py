"""The rows of a tree: only what changed is written, on both engines."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from models.database import Database
from models.run_control import Node as NodeRow
from services.history.record import Changes
from services.run_control.node_types import Node, NodeKind
from services.run_control.saving_nodes import save_nodes
from tests.db.services.run_control.rows import NOW, SESSION

LATER = NOW + timedelta(seconds=1)


def node(path: str, **changed: object) -> Node:
    known = Node(
        path,
        path.rpartition("/")[2],
        NodeKind.CONTROLLER,
        path.count("/"),
        state="ready",
        sub_state="ready",
        in_error=False,
        included=True,
        seen_at=NOW,
    )
    return replace(known, **changed)  # type: ignore[arg-type]


ROOT, FIRST, SECOND = node("root"), node("root/a"), node("root/b", endpoint="grpc://h:1")


def save(database: Database, *nodes: Node, at: datetime = NOW, session: str = SESSION) -> bool:
    with database.write() as tx:
        return save_nodes(tx, session, nodes, Changes(at)).changed


def rows(database: Database, session: str = SESSION) -> dict[str, NodeRow]:
    with database.read() as tx:
        found = tx.scalars(select(NodeRow).where(NodeRow.session == session).order_by(NodeRow.position)).all()
        tx.expunge_all()
    return {row.path: row for row in found}


def test_new_rows_hold_everything(database: Database) -> None:
    assert save(database, ROOT, SECOND)
    row = rows(database)["root/b"]
    assert (row.name, row.position, row.depth, row.kind, row.endpoint) == ("b", 1, 1, "controller", "grpc://h:1")
    assert (row.state, row.sub_state, row.in_error, row.included) == ("ready", "ready", False, True)
    assert row.state_since == row.seen_at == NOW


def test_the_same_again_renews_the_age_of_those_heard_of(database: Database) -> None:
    save(database, ROOT, FIRST)
    assert not save(database, ROOT, FIRST, at=LATER)
    assert {row.seen_at for row in rows(database).values()} == {LATER}
    assert {row.state_since for row in rows(database).values()} == {NOW}


def test_one_not_heard_of_among_others_keeps_status_and_age(database: Database) -> None:
    save(database, ROOT, FIRST, SECOND)
    silent = node("root/a", state=None, sub_state=None, in_error=None, included=None, seen_at=None)
    assert not save(database, ROOT, silent, SECOND, at=LATER)
    found = rows(database)
    assert (found["root/a"].state, found["root/a"].seen_at) == ("ready", NOW)
    assert found["root"].seen_at == found["root/b"].seen_at == LATER


def test_one_never_heard_of_has_neither_status_nor_age_until_it_is(database: Database) -> None:
    save(database, ROOT, replace(FIRST, seen_at=None))
    row = rows(database)["root/a"]
    assert (row.state, row.included, row.state_since, row.seen_at) == (None, None, None, None)
    assert save(database, ROOT, FIRST, at=LATER)
    row = rows(database)["root/a"]
    assert (row.state, row.state_since, row.seen_at) == ("ready", LATER, LATER)


def test_only_a_new_state_begins_anew(database: Database) -> None:
    save(database, ROOT, FIRST)
    assert save(database, replace(ROOT, sub_state="preparing-conf"), replace(FIRST, state="running"), at=LATER)
    found = rows(database)
    assert (found["root"].sub_state, found["root"].state_since) == ("preparing-conf", NOW)
    assert (found["root/a"].state, found["root/a"].state_since) == ("running", LATER)


def test_order_and_place_change_without_the_status(database: Database) -> None:
    save(database, ROOT, FIRST, SECOND)
    assert save(database, ROOT, replace(SECOND, endpoint="grpc://h:2"), replace(FIRST, seen_at=None), at=LATER)
    found = rows(database)
    assert list(found) == ["root", "root/b", "root/a"]
    assert found["root/b"].endpoint == "grpc://h:2"
    assert (found["root/a"].state, found["root/a"].seen_at) == ("ready", NOW)


def test_those_that_vanished_are_removed_in_this_session_only(database: Database) -> None:
    save(database, ROOT, FIRST)
    save(database, ROOT, FIRST, session="other")
    assert save(database, ROOT, at=LATER)
    assert list(rows(database)) == ["root"]
    assert list(rows(database, "other")) == ["root", "root/a"]
    assert {row.seen_at for row in rows(database, "other").values()} == {NOW}
