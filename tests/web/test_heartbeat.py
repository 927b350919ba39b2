"""The short way of the heartbeat: the same answer as by the whole way, and never for anybody else."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client, TestResponse

from api.heartbeat import LET_THROUGH_S, MAX_VISITORS, Heartbeat
from api.live import HEADERS_OF_A_TICK, Ticks
from app import create_app
from models.database import Database
from services.clock import utc_now
from services.container import Services
from services.revisions import LiveTopic, bump
from settings import Settings
from tests.seconds import Seconds
from tests.web.conftest import Person

# Those that differ even if nothing changes.
CHANGING = {"X-Now-Ms", "X-Request-ID"}
FINGERPRINT = "of this test"
Headers = list[tuple[str, str]]


class Spied:
    """A WSGI app that counts what reaches it."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        return self._app(environ, start_response)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def flask(app: Flask, services: Services, seconds: Seconds) -> Spied:
    """The app's Flask, spied at, with a heartbeat in front whose time stands."""
    spied = Spied(app.wsgi_app._app)  # type: ignore[attr-defined]
    ticks = Ticks(services.live, FINGERPRINT)
    app.wsgi_app = Heartbeat(spied, ticks, lambda _status, _seconds: None, seconds)  # type: ignore[method-assign]
    return spied


def tag_of(person: Person) -> dict[str, str]:
    return {"If-None-Match": person.client.get("/live").headers["ETag"]}


@pytest.mark.parametrize("changed", [False, True])
def test_the_second_tick_is_answered_before_flask_and_says_the_same(
    operator: Person, flask: Spied, *, changed: bool
) -> None:
    asked = {"If-None-Match": '"of long ago"'} if changed else tag_of(operator)
    whole = operator.client.get("/live", headers=asked)
    flask.asked = 0
    short = operator.client.get("/live", headers=asked)
    assert flask.asked == 0
    assert short.status == whole.status == ("200 OK" if changed else "304 NOT MODIFIED")
    assert sorted(name for name, _ in short.headers) == sorted(name for name, _ in whole.headers)
    differing = {name for name, value in whole.headers if short.headers[name] != value}
    assert "X-Request-ID" in differing <= CHANGING | {"X-Fingerprint"}
    assert short.headers["X-Fingerprint"] == FINGERPRINT
    assert (short.json or {}).keys() == (whole.json or {}).keys()
    assert (short.json or {}).get("revisions") == (whole.json or {}).get("revisions")


def test_the_headers_of_a_tick_are_all_named(services: Services) -> None:
    assert Ticks(services.live, FINGERPRINT).answer(None).headers.keys() == HEADERS_OF_A_TICK


def test_after_a_few_seconds_flask_is_asked_again(operator: Person, flask: Spied, seconds: Seconds) -> None:
    tag = tag_of(operator)
    operator.client.get("/live", headers=tag)
    flask.asked = 0
    seconds.now += LET_THROUGH_S
    for _ in range(3):
        assert operator.client.get("/live", headers=tag).status_code == 304
    assert flask.asked == 1


@pytest.mark.parametrize(
    "other", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_USER_AGENT": "another"}, {"HTTP_COOKIE": "console_session=forged"}]
)
def test_other_credentials_never_get_what_somebody_else_got(
    operator: Person, flask: Spied, other: dict[str, str]
) -> None:
    tag = tag_of(operator)
    operator.client.get("/live", headers=tag)
    cookie = operator.client.get_cookie("console_session")
    assert cookie is not None
    stolen = {"HTTP_COOKIE": f"console_session={cookie.value}"} | other
    stranger = Client(operator.client.application, use_cookies=False)
    for _ in range(2):
        assert stranger.get("/live", headers=tag, environ_overrides=stolen).status_code == 401
    assert operator.client.get("/live", headers=tag).status_code == 304


def test_who_logged_out_is_out(operator: Person, flask: Spied) -> None:
    tag = tag_of(operator)
    operator.client.get("/live", headers=tag)
    operator.client.post("/logout", headers=operator.csrf())
    assert operator.client.get("/live", headers=tag).status_code == 401


def test_a_change_is_told_at_once(operator: Person, flask: Spied, services: Services, web_database: Database) -> None:
    tag = tag_of(operator)
    operator.client.get("/live", headers=tag)
    flask.asked = 0
    with web_database.write() as tx:
        bump(tx, utc_now(), LiveTopic.TREE)
    services.live._state.renew()
    changed = operator.client.get("/live", headers=tag)
    assert (changed.status_code, flask.asked) == (200, 0)
    assert changed.json is not None
    assert changed.json["revisions"]["tree"] == 1


def test_only_ticks_go_the_short_way(operator: Person, flask: Spied) -> None:
    tag = tag_of(operator)
    operator.client.get("/live", headers=tag)
    flask.asked = 0
    assert operator.client.head("/live", headers=tag).status_code == 304
    assert operator.client.post("/live", headers=tag).status_code == 405
    assert operator.client.get("/live/", headers=tag).mimetype == "text/html"
    assert flask.asked == 3


class Answering:
    """A WSGI app that answers what it is told to, to everybody."""

    def __init__(self, status: str, *headers: tuple[str, str]) -> None:
        self.answer = (status, list(headers))

    def __call__(self, _environ: object, start_response: Callable[[str, Headers], object]) -> Iterable[bytes]:
        start_response(*self.answer)
        return ()


@pytest.fixture
def ticks(services: Services) -> Ticks:
    return Ticks(services.live, FINGERPRINT)


def tick(heartbeat: Heartbeat, cookie: str = "one") -> TestResponse:
    return Client(heartbeat, use_cookies=False).get("/live", headers={"Cookie": cookie})


@pytest.mark.parametrize(
    "answer",
    [
        Answering("302 FOUND", ("Location", "/login")),
        Answering("401 UNAUTHORIZED"),
        Answering("403 FORBIDDEN"),
        Answering("503 SERVICE UNAVAILABLE"),
        # A wall display's log-in begins anew: its browser must get the cookie, and the old one must end.
        Answering("304 NOT MODIFIED", ("Set-Cookie", "console_session=new")),
        Answering("200 OK", ("Set-Cookie", "console_session=new")),
    ],
)
def test_after_any_other_answer_the_whole_way_is_gone(ticks: Ticks, seconds: Seconds, answer: Answering) -> None:
    spied = Spied(Answering("200 OK"))
    heartbeat = Heartbeat(spied, ticks, lambda _status, _seconds: None, seconds)
    tick(heartbeat)
    seconds.now += LET_THROUGH_S
    spied._app = answer
    for asked in (2, 3):
        told = tick(heartbeat)
        assert (told.status, spied.asked) == (answer.answer[0], asked)


def test_a_database_that_is_gone_is_told_by_the_whole_way(
    services: Services, ticks: Ticks, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    spied = Spied(Answering("200 OK"))
    heartbeat = Heartbeat(spied, ticks, lambda _status, _seconds: None, seconds)
    tick(heartbeat)

    def gone() -> None:
        raise OperationalError("SELECT 1", {}, OSError("gone"))

    monkeypatch.setattr(services.live, "state", gone)
    tick(heartbeat)
    assert spied.asked == 2


def test_visitors_that_are_remembered_are_bounded(ticks: Ticks, seconds: Seconds) -> None:
    heartbeat = Heartbeat(Answering("200 OK"), ticks, lambda _status, _seconds: None, seconds)
    for number in range(MAX_VISITORS + 5):
        tick(heartbeat, f"visitor={number}")
    assert len(heartbeat._let_through) == 5


def test_short_answers_are_counted_like_others(settings: Settings, web_database: Database) -> None:
    person = Person(create_app(settings.model_copy(update={"metrics": True})).test_client())
    person.log_in("operator")
    tag = tag_of(person)
    for _ in range(4):
        assert person.client.get("/live", headers=tag).status_code == 304
    told = person.client.get("/metrics").get_data(as_text=True)
    assert 'console_requests_total{method="GET",route="/live",status="304"} 4.0' in told
    assert 'console_request_seconds_count{route="/live"} 5.0' in told


def test_behind_a_proxy_visitors_are_told_apart_by_their_own_addresses(
    settings: Settings, web_database: Database
) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": 1}))
    person = Person(app.test_client())
    here = {"X-Forwarded-For": "192.0.2.1"}
    person.client.environ_base["HTTP_X_FORWARDED_FOR"] = here["X-Forwarded-For"]
    person.log_in("operator")
    tag = tag_of(person)
    for _ in range(2):
        assert person.client.get("/live", headers=tag).status_code == 304
    person.client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.2"
    assert person.client.get("/live", headers=tag).status_code == 401
