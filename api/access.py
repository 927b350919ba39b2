"""Who may call which route: default deny, one hook in front of everything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from api.errors import api_error
from services.accounts.types import Permission

View = TypeVar("View", bound=Callable[..., object])

_ATTRIBUTE = "console_access"


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of its visitor. ``is_page``: an anonymous visitor is sent to the log-in, not refused."""

    anonymous: bool = False
    permission: Permission | None = None
    is_page: bool = False


PUBLIC = Access(anonymous=True)
LOGIN_ONLY = Access()
PAGE = Access(is_page=True)


class UndeclaredAccessError(Exception):
    """Routes or callbacks do not say who may use them. The program must not start."""


def _declare(view: View, access: Access) -> View:
    setattr(view, _ATTRIBUTE, access)
    return view


def public(view: View) -> View:
    """Declare that anybody may call a route."""
    return _declare(view, PUBLIC)


def login_only(view: View) -> View:
    """Declare that everybody who is logged in may call a route."""
    return _declare(view, LOGIN_ONLY)


def page(view: View) -> View:
    """Declare the same of a route that people open or send forms to: strangers are led to the log-in."""
    return _declare(view, PAGE)


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare that a route needs a permission."""
    return lambda view: _declare(view, Access(permission=permission))


class Guard:
    """The hook. It knows what each endpoint declared, and refuses what it does not know."""

    def __init__(self, foreign: Mapping[str, Access]) -> None:
        """Keep the declarations of routes that are not ours (Dash's), by endpoint."""
        self._foreign = dict(foreign)

    def protect(self, app: Flask) -> None:
        """Register the hook. Must come before any other hook, CSRF's included: 401 goes before 400."""
        app.before_request(self._check)

    def verify(self, app: Flask) -> None:
        """Check that every route declares who may call it.

        Raises:
            UndeclaredAccessError: With all that do not.
        """
        missing = sorted({rule.rule for rule in app.url_map.iter_rules() if self._access(app, rule.endpoint) is None})
        if missing:
            raise UndeclaredAccessError(f"Routes without a declaration of who may call them: {', '.join(missing)}")

    def _access(self, app: Flask, endpoint: str) -> Access | None:
        own: Access | None = getattr(app.view_functions.get(endpoint), _ATTRIBUTE, None)
        return own or self._foreign.get(endpoint)

    def _check(self) -> ResponseReturnValue | None:
        access = self._access(current_app, request.endpoint) if request.endpoint else LOGIN_ONLY
        if access is not None and access.anonymous:
            return None
        if not current_user.is_authenticated:
            return _log_in_first(access)
        if access is None or (access.permission and not current_user.identity.may(access.permission)):
            return api_error(403, "not_permitted", "Your role does not include what this needs.")
        # For the log line of this request.
        g.user_name = current_user.account.name
        return None


def _log_in_first(access: Access | None) -> ResponseReturnValue:
    if access is not None and access.is_page:
        # What a form was sent to is no place to go to afterwards.
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("login.form", next=wanted))
    return api_error(401, "not_logged_in", "Log in first.")
