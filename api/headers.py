"""What every answer carries: the request's id and the headers that keep a browser safe."""

import uuid
from collections.abc import Sequence

from flask import Flask, Response, g, request
from flask_wtf.csrf import generate_csrf

from services.logs import REQUEST_ID

REQUEST_ID_HEADER = "X-Request-ID"
CSRF_COOKIE = "_csrf_token"
HSTS_S = 365 * 24 * 3600


def content_security_policy(script_hashes: Sequence[str]) -> str:
    """Return the policy: everything from here, scripts from here or with a known hash, never in a frame."""
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            # Plotly and AG Grid style elements in place.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def new_request_id() -> str:
    """Return an id by which a request is found again in the log."""
    return uuid.uuid4().hex[:12]


def add_request_ids(app: Flask) -> None:
    """Give each request an id of its own, in the log and in ``X-Request-ID``."""

    @app.before_request
    def begin() -> None:
        g.request_id = new_request_id()
        REQUEST_ID.set(g.request_id)

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers[REQUEST_ID_HEADER] = g.get("request_id", "")
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        REQUEST_ID.set("")


def add_security_headers(app: Flask, *, secure: bool) -> None:
    """Add the headers to every answer. The policy is read from ``app.config["CSP"]``, which is set after warm-up."""
    fixed = {
        "X-Content-Type-Options": "nosniff",
        # Not "no-referrer": the CSRF check compares the referrer where the console is served over HTTPS.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if secure:
        fixed["Strict-Transport-Security"] = f"max-age={HSTS_S}"

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(fixed)
        response.headers["Content-Security-Policy"] = app.config["CSP"]
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def add_csrf_cookie(app: Flask, *, secure: bool) -> None:
    """Hand out the CSRF token with every HTML page, in the cookie from which Dash's renderer sends it back."""

    @app.after_request
    def hand_out(response: Response) -> Response:
        if response.mimetype == "text/html" and request.method == "GET" and response.status_code < 300:  # noqa: PLR2004
            token = generate_csrf()
            # Readable by scripts, on purpose: it is worth nothing without the session cookie, which is not.
            response.set_cookie(CSRF_COOKIE, token, secure=secure, samesite="Lax")
        return response
