"""What browsers ask all the time, and what monitoring asks."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app import create_app
from models.database import Database
from services.clock import utc_now
from services.container import Services
from services.revisions import LiveTopic, bump
from settings import Settings
from tests.waiting import wait_until
from tests.web.conftest import Person


def test_a_tick_tells_time_and_revisions_and_then_only_what_changed(operator: Person, web_database: Database) -> None:
    first = operator.client.get("/live")
    assert first.status_code == 200
    assert first.json is not None
    assert set(first.json) == {"now_ms", "revisions"}
    assert set(first.json["revisions"]) == {topic.value for topic in LiveTopic}
    tag = {"If-None-Match": first.headers["ETag"]}
    second = operator.client.get("/live", headers=tag)
    assert (second.status_code, second.data) == (304, b"")
    assert int(second.headers["X-Now-Ms"]) >= first.json["now_ms"]
    with web_database.write() as tx:
        bump(tx, utc_now(), LiveTopic.TREE)
    changed = wait_until(lambda: _if_changed(operator, tag), 5, "the new revision")
    assert changed is not None
    assert changed["revisions"]["tree"] == 1


def _if_changed(person: Person, tag: dict[str, str]) -> dict[str, dict[str, int]] | None:
    answer = person.client.get("/live", headers=tag)
    return answer.json if answer.status_code == 200 else None


def test_every_tick_and_every_page_say_what_is_installed(operator: Person, settings: Settings) -> None:
    first = operator.client.get("/live")
    second = operator.client.get("/live", headers={"If-None-Match": first.headers["ETag"]})
    served = first.headers["X-Fingerprint"]
    assert second.status_code == 304
    assert second.headers["X-Fingerprint"] == served
    assert f'data-fingerprint="{served}"' in operator.client.get("/messages").get_data(as_text=True)
    # Another worker of the same installation says the same.
    assert _tick_after_a_log_in(create_app(settings), None).headers["X-Fingerprint"] == served


def test_an_upgrade_changes_no_tag(operator: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = operator.client.get("/live").headers
    monkeypatch.setattr("app.fingerprint", lambda _folders, _packages: "upgraded")
    told = _tick_after_a_log_in(create_app(settings), before["ETag"])
    assert (told.status_code, told.headers["X-Fingerprint"]) == (304, "upgraded")
    assert before["X-Fingerprint"] != "upgraded"


def _tick_after_a_log_in(app: Flask, tag: str | None) -> TestResponse:
    person = Person(app.test_client())
    assert person.log_in("operator").status_code == 302
    return person.client.get("/live", headers={"If-None-Match": tag} if tag else {})


def test_idle_ticks_ask_the_database_next_to_nothing(operator: Person, services: Services) -> None:
    tag = {"If-None-Match": operator.client.get("/live").headers["ETag"]}
    statements: list[str] = []
    database = services.live._database
    event.listen(database._reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(20):
        assert operator.client.get("/live", headers=tag).status_code == 304
    assert not [statement for statement in statements if "user_account" in statement]
    # Revisions are kept for 150 ms: twenty ticks do not take much longer.
    assert sum("FROM revision" in statement for statement in statements) <= 2


def test_a_tick_sets_no_cookies(operator: Person) -> None:
    operator.client.get("/live")
    assert "Set-Cookie" not in operator.client.get("/live").headers


def test_the_process_answers(anonymous: FlaskClient) -> None:
    answer = anonymous.get("/health/live")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_while_the_database_is_good(anonymous: FlaskClient) -> None:
    answer = anonymous.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "ready"
    assert list(answer.json["parts"]) == ["collector", "database", "drunc", "kafka", "migrations"]
    for part in answer.json["parts"].values():
        assert set(part) == {"state", "age_s", "last_error"}


def test_not_ready_when_the_schema_is_behind_yet_alive(anonymous: FlaskClient, web_database: Database) -> None:
    web_database.migrate("base")
    answer = anonymous.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["parts"]["migrations"]["state"] == "failed"
    assert anonymous.get("/health/live").status_code == 200
