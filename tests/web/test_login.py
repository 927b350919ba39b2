"""Log in and out."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from sqlalchemy import update

from api import login
from api.login import RECHECK_S, KnownAccounts, own_path
from models.accounts import User
from models.database import Database
from services.accounts.types import Role
from services.container import Services
from tests.seconds import Seconds
from tests.web.conftest import PASSWORD, Person


def test_the_form_leads_to_where_the_person_wanted_to_go(app: Flask, services: Services) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    visitor = Person(app.test_client())
    sent = visitor.client.get("/controller?session=local-1x1-config")
    assert sent.status_code == 302
    assert sent.headers["Location"] == "/login?next=/controller?session%3Dlocal-1x1-config"
    assert 'value="/controller?session=local-1x1-config"' in visitor.client.get(sent.headers["Location"]).get_data(
        as_text=True
    )
    answer = visitor.log_in("alice", next="/controller?session=local-1x1-config")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/controller?session=local-1x1-config"
    assert visitor.client.get("/").status_code == 200


def test_unknown_name_and_wrong_password_get_the_same_answer(app: Flask, services: Services) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    answers = [Person(app.test_client()).log_in(name, "wrong password") for name in ("alice", "nobody")]
    texts = [re.sub(r'value="[^"]*"|<small.*?</small>', "", answer.get_data(as_text=True)) for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert texts[0] == texts[1]
    assert "Nothing was locked; 4 tries are left, then a wait of 1 min." in texts[0]


def test_the_sixth_wrong_password_has_to_wait(app: Flask, services: Services) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    visitor = Person(app.test_client())
    statuses = [visitor.log_in("alice", "wrong password").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 401, 429]
    assert visitor.log_in("alice").status_code == 429


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:x",
        "",
    ],
)
def test_a_log_in_never_leads_to_another_site(app: Flask, services: Services, target: str) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    assert Person(app.test_client()).log_in("alice", next=target).headers["Location"] == "/"


@pytest.mark.parametrize("target", ["/", "/messages?severity=ERROR", "/processes/a-b/log#L10"])
def test_own_paths_are_kept(target: str) -> None:
    assert own_path(target) == target


def test_logging_out_ends_it_and_needs_a_token(operator: Person) -> None:
    assert operator.client.post("/logout").status_code == 400
    answer = operator.client.post("/logout", headers=operator.csrf())
    assert answer.headers["Location"] == "/login"
    assert operator.client.get("/live").status_code == 401
    assert operator.client.get("/").status_code == 302


def test_logging_out_twice_ends_at_the_log_in(anonymous: FlaskClient) -> None:
    assert anonymous.post("/logout").headers["Location"] == "/login"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(app: Flask, services: Services) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    for keep, lasts in (({}, False), ({"keep": "1"}, True)):
        visitor = Person(app.test_client())
        header = visitor.log_in("alice", **keep).headers["Set-Cookie"]
        assert header.startswith("console_session=")
        assert "HttpOnly" in header
        assert "SameSite=Lax" in header
        assert ("Expires=" in header) is lasts


def test_what_was_in_the_session_before_the_log_in_is_gone(app: Flask, services: Services) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    visitor = Person(app.test_client())
    visitor.client.get("/login")
    with visitor.client.session_transaction() as before:
        before["planted"] = "by somebody else"
        token = before["csrf_token"]
    visitor.log_in("alice")
    visitor.client.get("/")
    with visitor.client.session_transaction() as after:
        assert "planted" not in after
        assert after["csrf_token"] != token


def test_a_log_in_ends_after_twelve_hours(operator: Person) -> None:
    with operator.client.session_transaction() as cookie:
        cookie["since"] -= 12 * 3600 + 1
    assert operator.client.get("/live").status_code == 401


def aged(person: Person, **since: float) -> int:
    """Let a log-in have begun earlier; return when, seconds since 1970."""
    with person.client.session_transaction() as cookie:
        cookie["since"] -= int(timedelta(**since).total_seconds())
        return int(cookie["since"])


def begun(person: Person) -> int:
    with person.client.session_transaction() as cookie:
        return int(cookie["since"])


def test_a_wall_display_stays_logged_in_while_it_is_in_use(person: Callable[[Role], Person]) -> None:
    display = person(Role.WALL)
    for _ in range(3):
        before = aged(display, days=29)
        assert display.client.get("/live").status_code == 200
        assert begun(display) >= before + 29 * 24 * 3600
    aged(display, days=30, seconds=1)
    assert display.client.get("/live").status_code == 401


def test_a_wall_display_keeps_its_cookie_and_renews_it_once_an_hour(app: Flask, services: Services) -> None:
    display = Person(app.test_client())
    first = display.log_in("wall").headers["Set-Cookie"]
    assert "Expires=" in first
    assert "Set-Cookie" not in display.client.get("/live").headers
    aged(display, hours=1, seconds=1)
    renewed = display.client.get("/live").headers["Set-Cookie"]
    assert renewed.startswith("console_session=")
    assert "Expires=" in renewed
    assert "Set-Cookie" not in display.client.get("/live").headers


def test_the_log_in_of_a_person_is_not_renewed(operator: Person) -> None:
    since = aged(operator, hours=11)
    assert operator.client.get("/live").status_code == 200
    assert begun(operator) == since


def test_a_stolen_cookie_is_worth_nothing_in_another_browser(operator: Person) -> None:
    assert operator.client.get("/live", headers={"User-Agent": "another browser"}).status_code == 401


def test_what_a_cookie_holds_is_good_for_that_cookie_and_that_request_only(app: Flask, operator: Person) -> None:
    cookie = operator.client.get_cookie("console_session")
    assert cookie is not None

    def sent(value: str) -> dict[str, str]:
        return {"Cookie": f"console_session={value}"}

    for _ in range(2):
        with app.test_request_context(headers=sent(cookie.value)):
            assert "since" in session
            assert "changed" not in session
            session["changed"] = True
    for forged in (cookie.value + "x", cookie.value[:-1], "x" + cookie.value, ""):
        with app.test_request_context(headers=sent(forged)):
            assert dict(session) == {}


def test_cookies_that_are_remembered_are_bounded(app: Flask, operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MAX_KNOWN", 3)
    sessions = app.session_interface
    assert isinstance(sessions, login.LoginSessions)
    for name in (role.value for role in Role):
        Person(app.test_client()).log_in(name)
        assert 0 < len(sessions._checked) <= 3


def test_an_account_that_was_switched_off_is_out_within_ten_seconds(
    app: Flask, services: Services, web_database: Database
) -> None:
    account = services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    seconds = Seconds()
    known = KnownAccounts(services.accounts, seconds)
    user_id = f"{account.id}.{account.stamp}"
    with app.test_request_context():
        session["since"] = datetime.now().astimezone().timestamp()
        assert known.load(user_id) is not None
        with web_database.write() as tx:
            tx.execute(update(User).values(active=False))
        seconds.now = RECHECK_S - 0.1
        assert known.load(user_id) is not None
        seconds.now = RECHECK_S
        assert known.load(user_id) is None


@pytest.mark.parametrize("user_id", ["", "x", "1", "1.", "1.wrong", "999.x", "-1.x", "²."])
def test_a_cookie_that_names_nobody_is_nobody(app: Flask, services: Services, user_id: str) -> None:
    services.accounts.create("alice", PASSWORD, Role.OPERATOR)
    with app.test_request_context():
        session["since"] = datetime.now().astimezone().timestamp()
        assert KnownAccounts(services.accounts).load(user_id) is None


def test_a_new_password_ends_what_was_begun_with_the_old_one(app: Flask, services: Services, operator: Person) -> None:
    services.accounts.set_password("operator", "another password")
    with operator.client.session_transaction() as cookie:
        user_id = cookie["_user_id"]
    with app.test_request_context():
        session["since"] = datetime.now().astimezone().timestamp()
        assert KnownAccounts(services.accounts).load(user_id) is None


def test_the_log_in_page_needs_nothing_from_elsewhere(anonymous: FlaskClient) -> None:
    page = anonymous.get("/login").get_data(as_text=True)
    assert not re.search(r'(src|href|action)="(https?:)?//', page)
    for address in re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page):
        with anonymous.get(address) as found:
            assert found.status_code == 200, address
