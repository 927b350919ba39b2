"""One log line for each request that somebody made on purpose."""

import logging
import time

from flask import Flask, Response, g, request

_LOG = logging.getLogger(__name__)
# Asked by open pages and monitoring all day long, or files: logged only when they fail. What people do through
# callbacks is in the audit.
_QUIET = ("/live", "/health/", "/metrics", "/assets/", "/vendor/", "/_dash", "/_favicon")
_FAILED = 500


def add_request_log(app: Flask) -> None:
    """Log method, path, status, duration and person. Never the query or the body: they may hold anything."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def log(response: Response) -> Response:
        failed = response.status_code >= _FAILED
        if failed or not request.path.startswith(_QUIET):
            _LOG.log(logging.WARNING if failed else logging.INFO, "request served", extra={"fields": _fields(response)})
        return response


def _fields(response: Response) -> dict[str, str]:
    milliseconds = 1000 * (time.perf_counter() - g.begun)
    return {
        "method": request.method,
        "path": request.path,
        "status": str(response.status_code),
        "ms": f"{milliseconds:.1f}",
        "user": str(g.get("user_name", "")),
        "address": request.remote_addr or "",
    }
