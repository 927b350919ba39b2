"""``/metrics`` for Prometheus: numbers only, no names of people, sessions or addresses. Off unless switched on."""

import time
from collections.abc import Callable, Iterable

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.access import public
from services.container import Services
from services.platform_health import PartState

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class _State(Collector):
    """What the database knows, read when somebody asks."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        readiness = self._services.health.readiness()
        yield GaugeMetricFamily("console_ready", "1 while requests can be served.", value=float(readiness.ready))
        states = GaugeMetricFamily("console_part_ok", "1 while a part of the console is ok.", labels=["part"])
        for part in readiness.parts:
            states.add_metric([part.name], float(part.state is PartState.OK))
        yield states
        if readiness.ready:
            yield from self._messages()

    def _messages(self) -> Iterable[Metric]:
        counts = self._services.messages.statistics()
        found = {"stored": counts.stored, "quarantined": counts.quarantined, "gaps": counts.gaps}
        family = GaugeMetricFamily("console_messages", "Messages by what became of them.", labels=["outcome"])
        for name, value in found.items():
            family.add_metric([name], float(value))
        yield family


Count = Callable[[str, str, int, float], None]


def add_metrics(app: Flask, services: Services) -> Count:
    """Count this process's requests, and add the route ``/metrics``. The time they began is the request log's.

    Returns:
        What counts a request that Flask does not see: by method, route, status and seconds it took.
    """
    # A registry of its own: two apps in one process, as in tests, must not share counters.
    registry = CollectorRegistry()
    labels = ["method", "route", "status"]
    served = Counter("console_requests", "Requests served by this process.", labels, registry=registry)
    took = Histogram("console_request_seconds", "Seconds to serve.", ["route"], buckets=_BUCKETS_S, registry=registry)
    registry.register(_State(services))
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    @public
    def metrics() -> ResponseReturnValue:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def count(method: str, route: str, status: int, seconds: float) -> None:
        served.labels(method, route, str(status)).inc()
        took.labels(route).observe(seconds)

    @app.after_request
    def count_own(response: Response) -> Response:
        # The rule, not the path: strangers must not be able to make labels.
        route = request.url_rule.rule if request.url_rule else "none"
        count(request.method, route, response.status_code, time.perf_counter() - g.begun)
        return response

    app.register_blueprint(blueprint)
    return count
