"""Callbacks: the permission is checked on the server at each call, and errors reach people as texts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dash
import pytest
from dash import Input, Output
from flask import Flask
from werkzeug.test import TestResponse

import app as web
import pages._access
from models.database import Database
from pages._access import CallbackRegistry
from services.accounts.types import Permission
from settings import Settings
from tests.web.conftest import Person

PAGE = '''
"""A page for tests."""
import dash
from dash import Input, Output, State, html
from flask import abort
from pages._access import callback
from pages._context import identity, services
from services.accounts.types import Permission
from services.errors import RefusedError

dash.register_page(__name__, path="/probe", name="probe")
layout = html.Div([html.Button(id="probe-button"), html.P(id="probe-text")])

@callback(Output("probe-text", "children"), Input("probe-button", "n_clicks"), State("probe-button", "title"),
          permission=Permission.EXECUTE_TRANSITION)
def act(_clicks, what):
    if what == "refuse":
        raise RefusedError("The tree is in error.", not_done="Nothing was sent.", next_step="Look at df-03.")
    if what == "break":
        raise RuntimeError("a secret detail")
    if what == "abort":
        abort(403)
    return f"done by {identity().name}, {len(services().run_control.sessions())} sessions"
'''


@pytest.fixture
def app(settings: Settings, web_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    registry = CallbackRegistry()
    monkeypatch.setattr(pages._access, "CALLBACKS", registry)
    monkeypatch.setattr(web, "CALLBACKS", registry)
    folder = tmp_path / "probe_pages"
    folder.mkdir()
    (folder / "probe.py").write_text(PAGE)
    yield web.create_app(settings, pages_folder=folder)
    for module in [module for module in dash.page_registry if module.endswith("probe")]:
        del dash.page_registry[module]


def press(person: Person, what: str = "") -> TestResponse:
    body: Mapping[str, Any] = {
        "output": "probe-text.children",
        "outputs": {"id": "probe-text", "property": "children"},
        "inputs": [{"id": "probe-button", "property": "n_clicks", "value": 1}],
        "state": [{"id": "probe-button", "property": "title", "value": what}],
        "changedPropIds": ["probe-button.n_clicks"],
    }
    return person.client.post("/_dash-update-component", json=body, headers=person.csrf())


def notice(answer: TestResponse) -> str:
    assert answer.status_code == 200
    assert answer.json is not None
    # Nothing that was on the page changes.
    assert "probe-text" not in answer.json.get("response", {})
    return json.dumps(answer.json["sideUpdate"]["notices"])


def test_who_has_the_permission_acts_under_their_own_name(operator: Person) -> None:
    answer = press(operator)
    assert answer.json is not None
    assert answer.json["response"] == {"probe-text": {"children": "done by operator, 0 sessions"}}


def test_a_viewer_cannot_act_however_the_request_is_made(viewer: Person) -> None:
    shown = notice(press(viewer))
    assert "viewer (viewer) may not do this; it needs transition.execute." in shown
    assert "done by" not in shown


def test_known_errors_show_their_own_texts(operator: Person) -> None:
    answer = press(operator, "refuse")
    shown = notice(answer)
    for text in ("The tree is in error.", "Nothing was sent.", "Look at df-03."):
        assert text in shown


def test_unknown_errors_show_the_request_id_and_are_logged(operator: Person, caplog: pytest.LogCaptureFixture) -> None:
    answer = press(operator, "break")
    shown = notice(answer)
    assert answer.headers["X-Request-ID"] in shown
    assert "secret detail" not in shown
    assert "secret detail" in caplog.text


def test_http_answers_pass_through(operator: Person) -> None:
    assert press(operator, "abort").status_code == 403


def test_strangers_and_requests_without_a_token_are_stopped_before(app: Flask, operator: Person) -> None:
    assert app.test_client().post("/_dash-update-component", json={}).status_code == 401
    assert operator.client.post("/_dash-update-component", json={}).status_code == 400


def test_a_second_app_in_the_process_has_the_callbacks_too(app: Flask, settings: Settings, tmp_path: Path) -> None:
    again = web.create_app(settings, pages_folder=tmp_path / "probe_pages")
    visitor = Person(again.test_client())
    visitor.log_in("operator")
    answer = press(visitor)
    assert answer.json is not None
    assert "response" in answer.json


def test_the_function_itself_stays_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages._access, "CALLBACKS", CallbackRegistry())

    def double(number: int) -> int:
        return 2 * number

    declare = pages._access.callback(Output("x", "y"), Input("z", "y"), permission=Permission.VIEW_MESSAGES)
    assert declare(double) is double
