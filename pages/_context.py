"""What page callbacks need of the request they serve: the services, and who is asking."""

from typing import cast

from flask import current_app, g
from flask_login import current_user

from services.accounts.types import Identity
from services.container import Services


def services() -> Services:
    """Return the services of the running app."""
    return cast("Services", current_app.extensions["services"])


def identity() -> Identity:
    """Return who is logged in in this request, with role and address."""
    return cast("Identity", current_user.identity)


def is_logged_in() -> bool:
    """Tell whether somebody is logged in in this request."""
    return bool(current_user and current_user.is_authenticated)


def request_id() -> str:
    """Return the id of this request, as it stands in the log."""
    return str(g.get("request_id", ""))
