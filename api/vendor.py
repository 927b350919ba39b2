"""Bootstrap's style sheet, served from the installed package: no third-party file in the repository, no CDN."""

from importlib.metadata import version
from importlib.resources import files

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from api.access import public

# The version is part of the address, so browsers may keep the file for ever.
BOOTSTRAP_URL = f"/vendor/{version('bootstrap-flask')}/bootstrap.min.css"
KEEP_S = 365 * 24 * 3600


def vendor_blueprint() -> Blueprint:
    """Return the route of Bootstrap's style sheet (package Bootstrap-Flask)."""
    blueprint = Blueprint("vendor", __name__)
    sheet = files("flask_bootstrap") / "static" / "bootstrap5" / "css" / "bootstrap.min.css"

    @blueprint.get(BOOTSTRAP_URL)
    @public
    def bootstrap() -> ResponseReturnValue:
        response = Response(sheet.read_bytes(), mimetype="text/css")
        response.headers["Cache-Control"] = f"public, max-age={KEEP_S}, immutable"
        return response

    return blueprint
