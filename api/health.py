"""``/health/live`` and ``/health/ready`` for monitoring, without a log-in."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from api.access import public
from services.platform_health import HealthService


def health_blueprint(health: HealthService) -> Blueprint:
    """Return the health routes.

    ``live`` answers 200 while the process answers at all. ``ready`` answers 200 while the database is reachable and
    its schema is right, else 503; the other parts are told, not judged.
    """
    blueprint = Blueprint("health", __name__, url_prefix="/health")

    @blueprint.get("/live")
    @public
    def live() -> ResponseReturnValue:
        return jsonify({"status": "ok"})

    @blueprint.get("/ready")
    @public
    def ready() -> ResponseReturnValue:
        readiness = health.readiness()
        parts = {
            part.name: {"state": part.state.value, "age_s": part.age_s, "last_error": part.last_error}
            for part in readiness.parts
        }
        body = {"status": "ready" if readiness.ready else "not ready", "parts": parts}
        return jsonify(body), 200 if readiness.ready else 503

    return blueprint
