"""The history, transitions and vanished sessions in the read API."""

import pytest

from models.database import Database
from models.run_control import DaqSession
from tests.web.conftest import Person
from tests.web.test_api_v1 import BEGIN, SESSION, get, installation

__all__ = ["installation"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["process_manager localhost:10054", "df-01", "root-controller"]),
        (f"session={SESSION}", ["df-01", "root-controller"]),
        ("subject=node,backend", ["process_manager localhost:10054", "root-controller"]),
        ("aspect=died&aspect=state", ["df-01", "root-controller"]),
        ("name=df-01", ["df-01"]),
        ("end=2026-01-31T12:00:00Z", []),
        ("start=2026-01-31T12:00:00Z&end=2026-01-31T12:00:01Z&subject=run", []),
        ("session=a%00b", []),
    ],
)
def test_the_history_is_filtered(viewer: Person, query: str, names: list[str]) -> None:
    assert [item["name"] for item in get(viewer, f"sessions/history?{query}")["items"]] == names


def test_the_history_goes_back_page_by_page(viewer: Person) -> None:
    seen: list[object] = []
    path = "sessions/history?limit=2"
    while path:
        page = get(viewer, path)
        seen += [item["new"] for item in page["items"]]
        path = f"sessions/history?limit=2&before={page['next']}" if page["next"] is not None else ""
    assert seen == [False, -9, "configured"]


def test_transitions_come_with_what_each_node_did(viewer: Person) -> None:
    start, conf = get(viewer, f"sessions/transitions?session={SESSION}")["items"]
    assert (start["transition"], start["outcome"], start["duration_s"], start["nodes"]) == (
        "start",
        "running",
        None,
        [],
    )
    assert (conf["transition"], conf["outcome"], conf["duration_s"]) == ("conf", "succeeded", 2.5)
    assert [(node["path"], node["duration_s"]) for node in conf["nodes"]] == [("root-controller", 2.5)]
    assert len(get(viewer, f"sessions/transitions?session={SESSION}&limit=1")["items"]) == 1


def test_sessions_that_are_gone_are_asked_for(viewer: Person, web_database: Database) -> None:
    assert get(viewer, "sessions?vanished=true")["items"] == []
    with web_database.write() as tx:
        row = tx.get(DaqSession, SESSION)
        assert row is not None
        row.present, row.vanished_at = False, BEGIN
        row.owner, row.configuration_file, row.configuration_id = "alice", "f.xml", SESSION
    assert get(viewer, "sessions")["items"] == []
    (gone,) = get(viewer, "sessions?vanished=true")["items"]
    assert (gone["owner"], gone["configuration_id"], gone["vanished_at"]) == ("alice", SESSION, "2026-01-31T12:00:00Z")
