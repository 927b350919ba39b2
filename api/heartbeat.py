"""The short way of the heartbeat: before Flask, for visitors whom Flask let through a moment ago.

Every open page asks ``/live`` once a second, all day. To find out again who asks costs more than the answer itself,
which is the same for everybody. So exactly the same credentials are good for a few seconds; then they go the whole way
again.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from api.headers import REQUEST_ID_HEADER, new_request_id
from api.live import HEADERS_OF_A_TICK, PATH, Tick, Ticks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# With what `api.login.KnownAccounts` keeps, an account that was switched off is out after 10 s at most.
LET_THROUGH_S = 5.0
# Then all are forgotten: each takes the whole way once.
MAX_VISITORS = 2_000

# What Flask and Flask-Login know a visitor by.
_CREDENTIALS = ("HTTP_COOKIE", "REMOTE_ADDR", "HTTP_USER_AGENT")
_LET_THROUGH = (f"{HTTPStatus.OK.value} ", f"{HTTPStatus.NOT_MODIFIED.value} ")
_OF_ONE_ANSWER = HEADERS_OF_A_TICK | {REQUEST_ID_HEADER}

_Headers = list[tuple[str, str]]
_Visitor = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _LetThrough:
    """When Flask let somebody through, and the headers that every answer of the console carries."""

    at: float
    headers: _Headers


class Heartbeat:
    """Answers heartbeats of visitors whom it knows; everything else it hands on.

    It must stand behind what finds out a visitor's address (``ProxyFix``).
    """

    def __init__(
        self,
        app: "WSGIApplication",
        ticks: Ticks,
        count: Callable[[int, float], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the collaborators; ``count`` is told the status of each short answer, and the seconds it took."""
        self._app = app
        self._ticks = ticks
        self._count = count
        self._monotonic = monotonic
        self._let_through: dict[_Visitor, _LetThrough] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        visitor = tuple(environ.get(name) for name in _CREDENTIALS)
        begun = self._monotonic()
        known = self._let_through.get(visitor)
        tick = self._tick(environ) if known is not None and begun - known.at < LET_THROUGH_S else None
        if known is None or tick is None:
            return self._app(environ, self._remembering(visitor, start_response))
        own = [*tick.headers.items(), (REQUEST_ID_HEADER, new_request_id())]
        start_response(f"{tick.status.value} {tick.status.phrase.upper()}", known.headers + own)
        self._count(tick.status.value, self._monotonic() - begun)
        return (tick.body,)

    def _tick(self, environ: "WSGIEnvironment") -> Tick | None:
        """Return the answer; None if there is none: on the whole way Flask's error handlers say why."""
        try:
            return self._ticks.answer(environ.get("HTTP_IF_NONE_MATCH"))
        except Exception:  # noqa: BLE001 - it comes again, and is handled then
            return None

    def _remembering(self, visitor: _Visitor, start_response: "StartResponse") -> "StartResponse":
        def start(status: str, headers: _Headers, *error: Any) -> Callable[[bytes], object]:
            self._let_through.pop(visitor, None)
            # A new cookie must reach its browser, and the old one must not stay good.
            if status.startswith(_LET_THROUGH) and all(name != "Set-Cookie" for name, _ in headers):
                self._remember(visitor, headers)
            return start_response(status, headers, *error)

        return start

    def _remember(self, visitor: _Visitor, headers: _Headers) -> None:
        if len(self._let_through) >= MAX_VISITORS:
            self._let_through.clear()
        same = [(name, value) for name, value in headers if name not in _OF_ONE_ANSWER]
        self._let_through[visitor] = _LetThrough(self._monotonic(), same)
