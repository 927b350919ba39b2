"""The one handler for errors in callbacks: known ones show their own texts, others a request id."""

import logging

from dash import set_props
from werkzeug.exceptions import HTTPException

from components.notice import NOTICES_ID, error_notice
from pages._context import request_id
from services.errors import ConsoleError

_LOG = logging.getLogger(__name__)


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
    notice = error_notice(message, not_done=not_done, next_step=next_step, request_id=request_id(), closable=True)
    set_props(NOTICES_ID, {"children": notice})
