"""Errors at the edge: JSON for programs, a page for people, a request id for both, never a stack trace."""

import logging

from flask import Flask, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from services.errors import ConsoleError

_LOG = logging.getLogger(__name__)
_STATUS = {"not_found": 404, "invalid_input": 422, "not_permitted": 403, "not_reachable": 502, "busy": 503}
_FOR_PROGRAMS = ("/api/", "/_dash", "/live", "/health/")
_TEXTS = {
    400: "The request was not understood. The page may be older than your log-in: open it anew.",
    404: "There is nothing at this address.",
    405: "This address does not take such a request.",
    413: "The request is too large.",
}
_UNEXPECTED = "Something went wrong in the console itself. It was logged."


def request_id() -> str:
    """Return the id of this request, as it stands in the log and in the header ``X-Request-ID``."""
    return str(g.get("request_id", ""))


def api_error(status: int, code: str, message: str, field: str | None = None) -> Response:
    """Return an error as the API gives it."""
    error = {"code": code, "message": message, "field": field, "request_id": request_id()}
    response = jsonify({"error": error})
    response.status_code = status
    return response


def register_error_handlers(app: Flask) -> None:
    """Answer every error that reaches Flask."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ConsoleError, _console_error)
    app.register_error_handler(Exception, _unexpected)


def not_found() -> ResponseReturnValue:
    """Answer that there is nothing at this address."""
    return _answer(404, "not_found", _TEXTS[404])


def database_gone(error: Exception) -> ResponseReturnValue:
    """Answer that the database does not do its work; what it said is in the log only."""
    _LOG.error("the database failed: %s %s", request.method, request.path, exc_info=error)
    return _answer(
        503, "database_failed", "The console's database does not answer. Nothing was changed; try again soon."
    )


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.get_response()
    status = error.code or 500
    code = (error.name or "error").lower().replace(" ", "_")
    return _answer(status, code, _TEXTS.get(status, error.description or "The request failed."))


def _console_error(error: ConsoleError) -> ResponseReturnValue:
    field = getattr(error, "field", None)
    message = " ".join(filter(None, (error.message, error.next_step)))
    return _answer(_STATUS.get(error.code, 409), error.code, message, field)


def _unexpected(error: Exception) -> ResponseReturnValue:
    _LOG.error("request failed: %s %s", request.method, request.path, exc_info=error)
    return _answer(500, "internal_error", _UNEXPECTED)


def _answer(status: int, code: str, message: str, field: str | None = None) -> ResponseReturnValue:
    if request.path.startswith(_FOR_PROGRAMS):
        return api_error(status, code, message, field)
    return render_template("error.html", status=status, message=message, request_id=request_id()), status
