"""``/live``: the heartbeat of every open page. It must cost next to nothing."""

from flask import Blueprint, Response, request
from flask.json import dumps
from flask.typing import ResponseReturnValue

from api.access import login_only
from services.live import LiveService


def live_blueprint(live: LiveService, fingerprint: str) -> Blueprint:
    """Return the route ``/live``: ``{"now_ms": …, "revisions": {topic: number}}``, or 304 when nothing changed.

    ``X-Now-Ms`` carries the server's time also with a 304, which has no body; ``X-Polled`` when each source last
    answered, as a query string of ``session:<name>`` and kinds of backends to milliseconds since 1970 UTC;
    ``X-Fingerprint`` is the ``fingerprint`` of this installation, by which a page hears of an upgrade. It is no part of
    the tag: what a page has fetched does not become old by it.
    """
    blueprint = Blueprint("live", __name__)

    @blueprint.get("/live")
    @login_only
    def tick() -> ResponseReturnValue:
        state = live.state()
        now_ms = live.now_ms()
        headers = {
            "ETag": f'"{state.tag}"',
            "X-Now-Ms": str(now_ms),
            "X-Polled": state.polled,
            "X-Fingerprint": fingerprint,
            "Cache-Control": "private, no-cache",
        }
        # Compared as text: the heartbeat sends back exactly what it got, and parsing costs more than the answer.
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status=304, headers=headers)
        body = dumps({"now_ms": now_ms, "revisions": dict(state.revisions)})
        return Response(body, headers=headers, mimetype="application/json")

    return blueprint
