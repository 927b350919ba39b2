"""The status page: its callbacks on a real database, and who may see it."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models.database import Database
from models.run_control import Backend
from services.accounts.types import Role
from services.clock import utc_now
from services.health import WorkerHealth
from services.messages.store import MessageStore
from services.messages.types import Decoded
from services.run_control.backend_types import BackendKind
from services.workers import WorkerReport
from tests.db.services.messages.builders import batch, message, new_incarnation
from tests.unit.components.reading import drawn, words
from tests.web.conftest import Person


class Worker:
    def health(self) -> WorkerHealth:
        return WorkerHealth("messages", "ok", utc_now(), details={"lag_messages": 5, "lag_s": 1.5})


@pytest.fixture
def status(app: Flask) -> ModuleType:
    return importlib.import_module("pages.status")


@pytest.fixture
def busy(web_database: Database) -> None:
    """A collector that read two messages and one record it could not decode."""
    sent: list[Decoded | str] = [message("a"), message("b"), "<b>not</b> a BroadcastMessage"]
    MessageStore(web_database, utc_now).write(batch(new_incarnation(web_database), sent))
    WorkerReport(web_database, utc_now, [Worker()]).turn()


def add_process_manager(database: Database, *, reachable: bool) -> None:
    now = utc_now()
    row = Backend(
        kind=BackendKind.PROCESS_MANAGER.value, address="pm:1", generation="G1", reachable=reachable, since=now,
        answered_at=now, tried_at=now, latency_ms=1.0, error="pm:1 is away", error_at=now,
    )  # fmt: skip
    with database.write() as session:
        session.add(row)


def test_before_a_collector_ever_ran(app: Flask, status: ModuleType) -> None:
    with app.test_request_context():
        said, figures, addresses, workers, reported = status.show_state(0, 0)
        topics, shown, *_ = status.show_pipeline(0)
    assert words(drawn(said)) == "no address is known, no collector is at work"
    assert "no collector reports" in words(drawn(figures))
    assert "No address is known" in words(drawn(addresses))
    assert "No collector is at work" in words(drawn(workers))
    assert drawn(reported) == []
    assert "No topic has been read" in words(drawn(topics))
    assert shown == "0 partitions"


def test_a_collector_in_another_process_is_told(
    app: Flask, status: ModuleType, web_database: Database, busy: None
) -> None:
    add_process_manager(web_database, reachable=True)
    with app.test_request_context():
        said, figures, addresses, workers, reported = status.show_state(1, 1)
    assert words(drawn(said)).startswith("every address answers, every worker is in order")
    assert "Messages to read 5" in words(drawn(figures))
    assert "1.5 s behind" in words(drawn(figures))
    assert "process manager pm:1 G1 answers" in words(drawn(addresses))
    assert "messages ok" in words(drawn(workers))
    assert words(drawn(reported)) == "reported … ago"


def test_an_address_that_is_gone_is_told(app: Flask, status: ModuleType, web_database: Database, busy: None) -> None:
    add_process_manager(web_database, reachable=False)
    with app.test_request_context():
        said, _, addresses, *_ = status.show_state(1, 1)
    assert words(drawn(said)).startswith("1 address does not answer")
    assert "pm:1 is away" in words(drawn(addresses))


def test_the_pipeline_is_told(app: Flask, status: ModuleType, busy: None) -> None:
    with app.test_request_context():
        topics, shown, counts, gaps, quarantine, kept = status.show_pipeline(1)
    assert "control.np04.root-controller 0 3" in words(drawn(topics))
    assert shown == "1 partition"
    assert "stored 2 messages written" in words(drawn(counts))
    assert "Nothing was missed" in words(drawn(gaps))
    assert "<b>not</b> a BroadcastMessage" in words(drawn(quarantine))
    assert kept == "1 record that could not be decoded, newest first"


def press(person: Person) -> TestResponse:
    outputs = ["status-topics", "status-topics-shown", "status-counts", "status-gaps", "status-quarantine"]
    properties = dict.fromkeys(outputs, "data-content") | {
        "status-topics-shown": "children",
        "status-quarantine-shown": "children",
    }
    body: dict[str, Any] = {
        "output": f"..{'...'.join(f'{name}.{what}' for name, what in properties.items())}..",
        "outputs": [{"id": name, "property": what} for name, what in properties.items()],
        "inputs": [{"id": "live-status", "property": "data", "value": 1}],
        "changedPropIds": ["live-status.data"],
    }
    return person.client.post("/_dash-update-component", json=body, headers=person.csrf())


@pytest.mark.parametrize("role", list(Role))
def test_everybody_who_may_view_sees_it(person: Callable[[Role], Person], role: Role, busy: None) -> None:
    answer = press(person(role))
    assert answer.json is not None
    assert answer.json["response"]["status-topics-shown"] == {"children": "1 partition"}


def test_strangers_see_nothing(app: Flask, busy: None) -> None:
    stranger = app.test_client()
    assert stranger.get("/status").status_code == 302
    assert stranger.post("/_dash-update-component", json={}).status_code == 401
