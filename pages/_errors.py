"""The one handler for errors in callbacks: known ones show their own texts, others a request id."""

import logging

import dash_bootstrap_components as dbc
from dash import html, set_props
from werkzeug.exceptions import HTTPException

from pages._context import request_id
from services.errors import ConsoleError

_LOG = logging.getLogger(__name__)
NOTICES_ID = "notices"


def on_callback_error(error: Exception) -> None:
    """Show an error in the notification area and leave every output as it was.

    Raises:
        HTTPException: As it came; it is an answer, not an error.
    """
    if isinstance(error, HTTPException):
        raise error
    if isinstance(error, ConsoleError):
        _show(error.message, error.not_done, error.next_step)
        return
    _LOG.error("callback failed", exc_info=error)
    _show("Something went wrong in the console itself.", "What was shown before is still there.", "It was logged.")


def _show(message: str, not_done: str, next_step: str) -> None:
    body: list[html.P | html.Small] = [
        html.P(text, className="mb-1") for text in (message, not_done, next_step) if text
    ]
    body.append(html.Small(f"Request {request_id()}"))
    set_props(NOTICES_ID, {"children": dbc.Alert(body, color="warning", dismissable=True)})
