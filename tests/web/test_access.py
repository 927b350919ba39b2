"""Default deny: nothing is served to strangers, and nothing starts that does not say who may use it."""

from collections.abc import Callable
from pathlib import Path

import dash
import pytest
from dash import Input, Output
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from api.access import UndeclaredAccessError
from api.vendor import vendor_blueprint
from app import create_app
from models.database import Database, SchemaError
from pages._access import UndeclaredCallbackError
from services.accounts.types import Role
from settings import Settings
from tests.web.conftest import Person

PUBLIC = {
    "/login",
    "/health/live",
    "/health/ready",
    "/_favicon.ico",
    "/favicon.ico",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
}


def test_a_stranger_is_refused_by_every_route_that_is_not_public(app: Flask, anonymous: FlaskClient) -> None:
    answers = {}
    for rule in app.url_map.iter_rules():
        if rule.rule in PUBLIC or rule.rule.startswith(("/vendor/", "/assets/")):
            continue
        path = rule.rule.replace("<path:path>", "controller")
        for method in rule.methods or ():
            answers[f"{method} {rule.rule}"] = anonymous.open(path, method=method).status_code
    pages = {"GET /", "HEAD /", "OPTIONS /", "GET /<path:path>", "HEAD /<path:path>", "OPTIONS /<path:path>"}
    pages |= {"POST /logout", "OPTIONS /logout"}
    assert {key for key, status in answers.items() if status == 302} == pages
    assert {status for key, status in answers.items() if key not in pages} == {401}
    assert "POST /_dash-update-component" in answers


def test_a_stranger_gets_no_page_layout(anonymous: FlaskClient) -> None:
    body = anonymous.get("/", follow_redirects=True).get_data(as_text=True)
    assert "_dash-renderer" not in body
    assert "page_container" not in body
    for path in ("/_dash-layout", "/_dash-dependencies"):
        answer = anonymous.get(path)
        assert answer.status_code == 401
        assert answer.json is not None
        assert set(answer.json) == {"error"}


def test_401_comes_before_400_and_400_before_anything_runs(anonymous: FlaskClient, operator: Person) -> None:
    refused = anonymous.post("/_dash-update-component", json={})
    assert refused.status_code == 401
    assert refused.json is not None
    assert refused.json["error"]["code"] == "not_logged_in"
    assert refused.json["error"]["request_id"] == refused.headers["X-Request-ID"]
    assert operator.client.post("/_dash-update-component", json={}).status_code == 400


def test_an_address_that_takes_no_such_request_says_nothing_to_strangers(
    anonymous: FlaskClient, operator: Person
) -> None:
    assert anonymous.post("/nowhere").status_code == 401
    assert operator.client.post("/nowhere", headers=operator.csrf()).status_code == 405
    assert anonymous.get("/_dash-component-suites/dash/nothing.js").status_code == 404


def test_a_route_without_a_declaration_stops_the_start(
    settings: Settings, web_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = Blueprint("forgetful", __name__)
    forgetful.add_url_rule("/forgotten", view_func=lambda: "secret")
    monkeypatch.setattr("app.vendor_blueprint", _with(forgetful))
    with pytest.raises(UndeclaredAccessError, match="/forgotten"):
        create_app(settings)


def _with(forgetful: Blueprint) -> Callable[[], Blueprint]:
    def both() -> Blueprint:
        vendor = vendor_blueprint()
        vendor.register_blueprint(forgetful)
        return vendor

    return both


PAGE = """
import dash
from dash import Input, Output, html
{imports}
dash.register_page(__name__, path="/forgotten", name="forgotten")
layout = html.Div([html.Button(id="forgotten-button"), html.P(id="forgotten-text")])

@{decorator}
def show(_clicks):
    return "shown"
"""


@pytest.fixture
def pages_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "more_pages"
    folder.mkdir()
    return folder


def test_a_callback_without_a_declaration_stops_the_start(
    settings: Settings, web_database: Database, pages_folder: Path
) -> None:
    arguments = 'Output("forgotten-text", "children"), Input("forgotten-button", "n_clicks")'
    page = PAGE.format(imports="", decorator=f"dash.callback({arguments})")
    (pages_folder / "forgotten.py").write_text(page)
    try:
        with pytest.raises(UndeclaredCallbackError, match="forgotten-text"):
            create_app(settings, pages_folder=pages_folder)
    finally:
        forget_page("forgotten")


def forget_page(name: str) -> None:
    """Dash keeps its pages for the whole process."""
    for module in [module for module in dash.page_registry if module.endswith(name)]:
        del dash.page_registry[module]


def test_clientside_callbacks_need_no_permission(
    settings: Settings, web_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = type("Registry", (), {"register": staticmethod(_add_clientside)})
    monkeypatch.setattr("app.CALLBACKS", registry)
    create_app(settings)


def _add_clientside(app: dash.Dash) -> None:
    app.clientside_callback("function(n) { return n; }", Output("x", "children"), Input("y", "n_clicks"))


@pytest.mark.parametrize("prepare", ["nothing", "base"])
def test_the_web_refuses_to_serve_when_the_schema_is_not_at_head(settings: Settings, prepare: str) -> None:
    database = Database(settings.sqlalchemy_url)
    if prepare == "base":
        database.migrate()
        database.migrate("base")
    database.close()
    with pytest.raises(SchemaError, match="make migrate"):
        create_app(settings)


def test_roles_without_a_permission_get_403(person: Callable[[Role], Person], monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = person(Role.VIEWER)
    monkeypatch.setattr("services.accounts.types.ROLE_PERMISSIONS", {Role.VIEWER: frozenset()})
    answer = viewer.client.get("/api/v1/sessions")
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"]["code"] == "not_permitted"
