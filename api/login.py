"""Log in and out: Flask-Login over the accounts in the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, redirect, render_template, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from api.access import page, public
from services.accounts.errors import LoginRefusedError
from services.accounts.service import AccountService
from services.accounts.types import Account, Identity, Role

# A log-in ends after this time, kept or not; kept only means that it survives closing the browser.
LOGIN_LASTS = timedelta(hours=12)
# That of a wall display is always kept, and renewed while it is in use: nobody is there at night to log in again. It
# ends this long after the display was switched off, or as any other when the account's password changes.
WALL_LASTS = timedelta(days=30)
RENEW_AFTER = timedelta(hours=1)
# An account that was switched off, or whose password changed, is out after this time at most; open pages, whose
# heartbeat `api.heartbeat` answers meanwhile, hear of it after twice the time at most.
RECHECK_S = 5.0
MAX_KNOWN = 1_000

SESSION_COOKIE = "console_session"
_SINCE = "since"
_KEPT_S = "kept_s"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The person of this request, as Flask-Login wants it."""

    account: Account

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return what the session cookie holds: the account, and the stamp of its password."""
        return f"{self.account.id}.{self.account.stamp}"

    @property
    def identity(self) -> Identity:
        """Who acts, for the services."""
        return Identity(self.account.name, self.account.role, request.remote_addr or "")


class KnownAccounts:
    """Accounts looked up lately, so that a tick of the heartbeat costs no query. Bounded; 5 s old at most."""

    def __init__(self, accounts: AccountService, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators."""
        self._accounts = accounts
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, LoggedIn]] = {}

    def load(self, user_id: str) -> LoggedIn | None:
        """Return the person a session cookie names, or None when that log-in is over; renew it if it is a display's."""
        found = self._known_or_found(user_id)
        return found if found is not None and _lasts_still(found.account.role) else None

    def _known_or_found(self, user_id: str) -> LoggedIn | None:
        now = self._monotonic()
        kept = self._known.get(user_id)
        if kept is not None and now - kept[0] < RECHECK_S:
            return kept[1]
        found = self._look_up(user_id)
        if found is None:
            self._known.pop(user_id, None)
        else:
            if len(self._known) >= MAX_KNOWN:
                # Rare, and cheap to fill again.
                self._known.clear()
            self._known[user_id] = (now, found)
        return found

    def _look_up(self, user_id: str) -> LoggedIn | None:
        number, _, stamp = user_id.partition(".")
        account = self._accounts.account(int(number)) if number.isdecimal() else None
        if account is None or not account.active or account.stamp != stamp:
            return None
        return LoggedIn(account)


class LoginSessions(SecureCookieSessionInterface):
    """Signed session cookies that end with the browser, or with the log-in if they are kept.

    Flask's own "permanent" sessions would do, but Flask-Login weakens its session protection for them. What a cookie
    holds is remembered once its signature was checked: the same one comes with every request of a page. Whether the
    log-in still lasts is asked each time (`KnownAccounts`).
    """

    def __init__(self) -> None:
        """Begin with no cookies known."""
        self._checked: dict[str, dict[str, Any]] = {}

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie of a request holds; nothing if there is none, or its signature is wrong."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        known = self._checked.get(cookie)
        if known is not None:
            return self.session_class(known)
        opened = super().open_session(app, request)
        if opened:
            if len(self._checked) >= MAX_KNOWN:
                self._checked.clear()
            self._checked[cookie] = dict(opened)
        return opened

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:  # noqa: ARG002 - Flask's signature
        """Return until when the browser keeps the cookie; None for as long as it is open."""
        kept_s = session.get(_KEPT_S)
        return datetime.fromtimestamp(session[_SINCE] + kept_s, UTC) if kept_s else None


def add_login(app: Flask, accounts: AccountService) -> None:
    """Add Flask-Login and the routes ``/login`` and ``/logout``."""
    app.session_interface = LoginSessions()
    manager = LoginManager(app)
    manager.session_protection = "strong"
    manager.user_loader(KnownAccounts(accounts).load)
    app.register_blueprint(_blueprint(accounts))


def _blueprint(accounts: AccountService) -> Blueprint:
    blueprint = Blueprint("login", __name__)

    @blueprint.get("/login")
    @public
    def form() -> ResponseReturnValue:
        target = own_path(request.args.get("next"))
        if current_user.is_authenticated:
            return redirect(target)
        return render_template("login.html", name="", error=None, next=target, keep=False)

    @blueprint.post("/login")
    @public
    def submit() -> ResponseReturnValue:
        name = request.form.get("username", "")
        target = own_path(request.form.get("next"))
        keep = "keep" in request.form
        try:
            account = accounts.authenticate(name, request.form.get("password", ""), request.remote_addr or "")
        except LoginRefusedError as error:
            status = 429 if error.wait_s else 401
            return render_template("login.html", name=name[:64], error=error, next=target, keep=keep), status
        _begin(account, keep=keep)
        return redirect(target)

    @blueprint.post("/logout")
    @page
    def logout() -> ResponseReturnValue:
        accounts.logged_out(current_user.account, request.remote_addr or "")
        logout_user()
        session.clear()
        return redirect("/login")

    return blueprint


def _begin(account: Account, *, keep: bool) -> None:
    """Start a new session: nothing of the one before the log-in is taken along, its CSRF token included."""
    session.clear()
    session[_SINCE] = int(time.time())
    session[_KEPT_S] = int(_lasts(account.role).total_seconds()) if keep or account.role is Role.WALL else 0
    login_user(LoggedIn(account))


def _lasts(role: Role) -> timedelta:
    """Return how long after its beginning, or its renewal, a log-in ends."""
    return WALL_LASTS if role is Role.WALL else LOGIN_LASTS


def _lasts_still(role: Role) -> bool:
    """Tell whether the log-in of this request has not ended; that of a wall display begins anew now and then."""
    now = time.time()
    age = timedelta(seconds=now - session.get(_SINCE, 0))
    if age > _lasts(role):
        return False
    if role is Role.WALL and age > RENEW_AFTER:
        session[_SINCE] = int(now)
    return True


def own_path(target: str | None) -> str:
    """Return ``target`` if it is a path of this site, else ``/``, so that a link cannot send people elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or not target.isprintable() or " " in target:
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target
