"""``/live``: the heartbeat of every open page. It must cost next to nothing."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from api.access import login_only
from services.live import LiveService

PATH = "/live"
# The rest of an answer's headers is the same for every one.
HEADERS_OF_A_TICK = frozenset(
    {"ETag", "X-Now-Ms", "X-Polled", "X-Fingerprint", "Cache-Control", "Content-Type", "Content-Length"}
)


@dataclass(frozen=True, slots=True)
class Tick:
    """One answer: 200 with a body of JSON, or 304 without one."""

    status: HTTPStatus
    headers: dict[str, str]
    body: bytes


class Ticks:
    """Answers heartbeats: ``{"now_ms": …, "revisions": {topic: number}}``, or 304 when nothing changed.

    ``X-Now-Ms`` carries the server's time also with a 304, which has no body; ``X-Polled`` when each source last
    answered, as a query string of ``session:<name>`` and kinds of backends to milliseconds since 1970 UTC;
    ``X-Fingerprint`` is the ``fingerprint`` of this installation, by which a page hears of an upgrade. It is no part of
    the tag: what a page has fetched does not become old by it.
    """

    def __init__(self, live: LiveService, fingerprint: str) -> None:
        """Keep the collaborators."""
        self._live = live
        self._fingerprint = fingerprint

    def answer(self, known: str | None) -> Tick:
        """Answer somebody who has fetched what belongs to the tag ``known``, as it stands in the request."""
        state = self._live.state()
        now_ms = self._live.now_ms()
        headers = {
            "ETag": f'"{state.tag}"',
            "X-Now-Ms": str(now_ms),
            "X-Polled": state.polled,
            "X-Fingerprint": self._fingerprint,
            "Cache-Control": "private, no-cache",
        }
        # Compared as text: the heartbeat sends back exactly what it got, and parsing costs more than the answer.
        if known == headers["ETag"]:
            return Tick(HTTPStatus.NOT_MODIFIED, headers, b"")
        body = json.dumps({"now_ms": now_ms, "revisions": dict(state.revisions)}).encode()
        of_body = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        return Tick(HTTPStatus.OK, headers | of_body, body)


def live_blueprint(ticks: Ticks) -> Blueprint:
    """Return the route ``/live``. Most of its answers `api.heartbeat` gives before Flask is asked."""
    blueprint = Blueprint("live", __name__)

    @blueprint.get(PATH)
    @login_only
    def tick() -> ResponseReturnValue:
        answer = ticks.answer(request.headers.get("If-None-Match"))
        return Response(answer.body, answer.status, answer.headers)

    return blueprint
