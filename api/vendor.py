"""What browsers ask for besides pages: Bootstrap's style sheet from the installed package (no CDN), and an icon."""

from importlib.metadata import version
from importlib.resources import files

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from api.access import public

# The version is part of the address, so browsers may keep the file for ever.
BOOTSTRAP_URL = f"/vendor/{version('bootstrap-flask')}/bootstrap.min.css"
KEEP_S = 365 * 24 * 3600


def vendor_blueprint() -> Blueprint:
    """Return the routes of Bootstrap's style sheet (package Bootstrap-Flask) and of the icon no page links to."""
    blueprint = Blueprint("vendor", __name__)
    sheet = files("flask_bootstrap") / "static" / "bootstrap5" / "css" / "bootstrap.min.css"

    @blueprint.get(BOOTSTRAP_URL)
    @public
    def bootstrap() -> ResponseReturnValue:
        response = Response(sheet.read_bytes(), mimetype="text/css")
        response.headers["Cache-Control"] = f"public, max-age={KEEP_S}, immutable"
        return response

    @blueprint.get("/favicon.ico")
    @public
    def favicon() -> ResponseReturnValue:
        # Browsers ask for it on their own. Without this route the log-in page would answer, and its new anonymous
        # session could overtake the one of somebody who is just logging in.
        return Response(
            status=204, mimetype="image/svg+xml", headers={"Cache-Control": f"public, max-age={KEEP_S}, immutable"}
        )

    return blueprint
