"""What every answer carries."""

import base64
import hashlib
import logging
import re

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from app import create_app
from models.database import Database
from settings import Settings
from tests.web.conftest import Person

PATHS = ["/", "/login", "/live", "/health/live", "/nothing/here", "/api/v1/sessions", "/_dash-layout"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_hardened(operator: Person, anonymous: FlaskClient, path: str) -> None:
    for client in (operator.client, anonymous):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'sha256-" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert re.fullmatch(r"[0-9a-f]{12}", headers["X-Request-ID"])
        assert "Strict-Transport-Security" not in headers


def test_each_request_has_an_id_of_its_own(anonymous: FlaskClient) -> None:
    ids = {anonymous.get("/health/live", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5
    assert "mine" not in ids


def test_https_is_remembered_where_cookies_need_it(settings: Settings, web_database: Database) -> None:
    app = create_app(settings.model_copy(update={"cookie_secure": True}))
    answer = app.test_client().get("/login")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_the_policy_allows_every_inline_script_of_the_page(operator: Person) -> None:
    answer = operator.client.get("/")
    inline = re.findall(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>(.*?)</script>", answer.get_data(as_text=True), re.S
    )
    assert inline
    for script in filter(None, inline):
        if "Internet Explorer" in script:
            continue
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def loaded_by(client: FlaskClient, path: str) -> list[str]:
    """Return the addresses of what a page loads. A data: address asks nobody."""
    page = client.get(path).get_data(as_text=True)
    return [found for found in re.findall(r'(?:src|href)="([^"]+)"', page) if not found.startswith("data:")]


def test_a_page_asks_for_nothing_from_elsewhere(operator: Person) -> None:
    addresses = loaded_by(operator.client, "/")
    assert addresses
    assert [address for address in addresses if not address.startswith("/") or address.startswith("//")] == []
    for address in addresses:
        with operator.client.get(address) as found:
            assert found.status_code == 200, address


@pytest.mark.parametrize("path", ["/", "/login", "/nothing/here.html"])
def test_browsers_may_keep_what_a_page_loads(operator: Person, anonymous: FlaskClient, path: str) -> None:
    addresses = loaded_by(anonymous if path == "/login" else operator.client, path)
    assert [address for address in addresses if "/assets/" in address]
    for address in addresses:
        with anonymous.get(address) as found:
            assert found.cache_control.max_age == 365 * 24 * 3600, address
            assert not found.cache_control.no_cache


def test_another_installation_has_other_addresses(operator: Person, anonymous: FlaskClient) -> None:
    served = operator.client.get("/live").headers["X-Fingerprint"]
    with anonymous.get(f"/assets/{served}/theme.js") as found:
        assert found.status_code == 200
    # An address like any other: a stranger is asked to log in.
    assert anonymous.get("/assets/another/theme.js").status_code == 302


def test_an_unexpected_error_says_its_id_and_no_more(
    app: Flask, operator: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(app.extensions["services"].live.__class__, "state", lambda _self: fail())
    answer = operator.client.get("/live")
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-ID"]
    assert "secret detail" not in answer.get_data(as_text=True)
    assert "secret detail" in caplog.text


def test_a_database_that_fails_is_said_without_its_secrets(
    operator: Person, web_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert operator.client.get("/api/v1/sessions").status_code == 200
    web_database.migrate("base")
    answer = operator.client.get("/api/v1/sessions")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["error"]["code"] == "database_failed"
    assert "daq_session" not in answer.get_data(as_text=True)
    assert "daq_session" in caplog.text


def test_the_proxy_is_believed_only_where_the_settings_say_so(settings: Settings, web_database: Database) -> None:
    seen = {}
    for hops in (0, 1):
        app = create_app(settings.model_copy(update={"trusted_proxies": hops}))
        with app.test_client() as client:
            client.get("/health/live", headers={"X-Forwarded-For": "192.0.2.1, 192.0.2.2"})
            seen[hops] = request.remote_addr
    assert seen == {0: "127.0.0.1", 1: "192.0.2.2"}


def test_requests_are_logged_with_person_and_id_but_not_what_they_said(
    operator: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="api"):
        operator.client.get("/live")
        answer = operator.client.get("/controller?secret=1")
    (record,) = [record for record in caplog.records if record.name == "api.request_log"]
    fields = record.__dict__["fields"]
    assert (fields["method"], fields["path"], fields["status"], fields["user"]) == (
        "GET", "/controller", str(answer.status_code), "operator",
    )  # fmt: skip
    assert "secret" not in str(fields)
