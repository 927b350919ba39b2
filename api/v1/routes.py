"""The routes of ``/api/v1``: reads only, for everybody whose role may see the same on the pages."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Request, Response, abort, jsonify
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import InType, SecureType, SecuritySchemeData

from api.access import login_only, requires
from api.errors import api_error
from api.login import SESSION_COOKIE
from api.v1 import answers, models, queries
from api.v1.export import streamed
from api.v1.history import add_history
from api.v1.mutes import add_mutes
from services.accounts.types import Permission
from services.clock import Clock
from services.container import Services
from services.messages.export import Export
from services.messages.filter_text import parse
from services.messages.filters import all_of, text_filter
from services.messages.types import NOTHING, MessageFilter

VERSION = "1"
DEFAULT_SPAN = timedelta(minutes=15)


def api_v1_blueprint(services: Services, clock: Clock) -> Blueprint:
    """Return all routes of the API, with its OpenAPI document at ``openapi.json``."""
    blueprint = Blueprint("api_v1", __name__, url_prefix="/api/v1")
    document = _document()
    _add_run_control(blueprint, document, services)
    add_history(blueprint, document, services, _answers)
    _add_messages(blueprint, document, services, clock)
    add_mutes(blueprint, document, services, _answers)
    _add_measurements(blueprint, document, services, clock)
    _add_alarms(blueprint, document, services)
    _add_status(blueprint, document, services)

    @blueprint.get("/openapi.json")
    @login_only
    def openapi() -> ResponseReturnValue:
        return jsonify(document.spec)

    return blueprint


def _document() -> SpecTree:
    """Return what validates and describes. It is never registered as such: its own routes load pages from a CDN."""
    cookie = SecuritySchemeData(type=SecureType.API_KEY, name=SESSION_COOKIE, field_in=InType.COOKIE)
    return SpecTree(
        "flask",
        title="drunc-console",
        version=VERSION,
        description="What the console knows of run control and of its messages. A session cookie logs you in.",
        mode="strict",
        security_schemes=[SecurityScheme(name="session", data=cookie)],
        security={"session": []},
        before=_refuse_bad_query,
        validation_error_model=models.Error,
        naming_strategy=lambda model: model.__name__,
        nested_naming_strategy=lambda _parent, child: child,
    )


def _refuse_bad_query(
    _request: Request, _response: object, error: Exception | None, _instance: object, _adapter: object
) -> None:
    if not isinstance(error, ValidationError):
        return
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"][:1]) or None
    message = problem["msg"].removeprefix("Value error, ")
    abort(api_error(422, "invalid_input", f"{field}: {message}" if field else message, field))


def _answers(model: type[Any]) -> Answers:
    return Answers(HTTP_200=model, HTTP_401=models.Error, HTTP_403=models.Error, HTTP_422=models.Error)


def _add_run_control(blueprint: Blueprint, document: SpecTree, services: Services) -> None:
    view = requires(Permission.VIEW_RUN_CONTROL)

    @blueprint.get("/sessions")
    @view
    @document.validate(resp=_answers(models.Sessions), tags=["run control"])
    def sessions(query: queries.SessionsQuery) -> models.Sessions:
        """List the sessions, by name."""
        known = services.run_control
        found = known.vanished_sessions() if query.vanished else known.sessions()
        return models.Sessions(items=[answers.session_item(summary) for summary in found])

    @blueprint.get("/processes")
    @view
    @document.validate(resp=_answers(models.Processes), tags=["run control"])
    def processes(query: queries.ProcessesQuery) -> models.Processes:
        """List the processes, by session and place in the tree."""
        found = services.run_control.processes(query.session)
        return models.Processes(items=[answers.process_item(process) for process in found])

    @blueprint.get("/tree")
    @view
    @document.validate(
        resp=Answers(HTTP_200=models.Tree, HTTP_401=models.Error, HTTP_404=models.Error, HTTP_422=models.Error),
        tags=["run control"],
    )
    def tree(query: queries.TreeQuery) -> models.Tree:
        """Give the application tree of a session, parents before their children."""
        services.run_control.session(query.session)
        return models.Tree(items=[answers.node_item(node) for node in services.run_control.tree(query.session)])


def _add_messages(blueprint: Blueprint, document: SpecTree, services: Services, clock: Clock) -> None:
    view = requires(Permission.VIEW_MESSAGES)

    @blueprint.get("/messages")
    @view
    @document.validate(resp=_answers(models.Messages), tags=["messages"])
    def messages(query: queries.MessagesQuery) -> models.Messages:
        """List messages, newest first."""
        page = services.messages.page(
            _filter(services, query), before=query.before, after=query.after, limit=query.limit
        )
        items = [answers.message_item(message) for message in page.items]
        return models.Messages(
            items=items,
            next=page.next_before,
            scanned_to=page.scanned_to,
            timed_out=page.timed_out,
            not_shown=answers.not_shown(page.not_shown),
            hidden=models.Hidden(muted=page.muted),
        )

    @blueprint.get("/messages/export")
    @view
    @document.validate(
        resp=Answers("HTTP_200", HTTP_401=models.Error, HTTP_403=models.Error, HTTP_422=models.Error),
        tags=["messages"],
    )
    def export_messages(query: queries.ExportQuery) -> Response:
        """Stream all messages that fit, newest first, as a file; its last line says whether these are all."""
        export = Export(
            services.messages, _filter(services, query), before=query.before, after=query.after, limit=query.limit
        )
        return streamed(export, query.form, query.limit, clock())

    @blueprint.get("/rates")
    @view
    @document.validate(resp=_answers(models.Rates), tags=["messages"])
    def rates(query: queries.RatesQuery) -> models.Rates:
        """Count messages by severity over time, in buckets as wide as the span needs."""
        found = services.messages.rates(*_range(query, clock), session=query.session)
        return models.Rates(items=[answers.rate_item(bucket) for bucket in found])


def _add_alarms(blueprint: Blueprint, document: SpecTree, services: Services) -> None:
    @blueprint.get("/alarms")
    @requires(Permission.VIEW_ALARMS)
    @document.validate(query=queries.NoQuery, resp=_answers(models.Alarms), tags=["alarms"])
    def alarms() -> models.Alarms:
        """List the alarms that have not ended."""
        return models.Alarms(items=[answers.alarm_item(alarm) for alarm in services.alarms.open()])


def _add_measurements(blueprint: Blueprint, document: SpecTree, services: Services, clock: Clock) -> None:
    view = requires(Permission.VIEW_MESSAGES)

    @blueprint.get("/measurements")
    @view
    @document.validate(resp=_answers(models.Measurements), tags=["measurements"])
    def measurements(query: queries.MeasurementsQuery) -> models.Measurements:
        """List the series of measured values, by their names."""
        found = services.measurements.series(session=query.session, application=query.application)
        return models.Measurements(items=[answers.measurement_item(series) for series in found])

    @blueprint.get("/measurements/points")
    @view
    @document.validate(
        resp=Answers(HTTP_200=models.Points, HTTP_401=models.Error, HTTP_404=models.Error, HTTP_422=models.Error),
        tags=["measurements"],
    )
    def points(query: queries.PointsQuery) -> models.Points:
        """Give one series over time, in buckets as wide as the span and the wanted number of points need."""
        found = services.measurements.points(query.series, *_range(query, clock), max_points=query.points)
        return models.Points(items=[answers.point_item(point) for point in found])


def _add_status(blueprint: Blueprint, document: SpecTree, services: Services) -> None:
    @blueprint.get("/status")
    @requires(Permission.VIEW_RUN_CONTROL)
    @document.validate(query=queries.NoQuery, resp=_answers(models.Status), tags=["status"])
    def status() -> models.Status:
        """Tell how the console is, and what it talks to."""
        readiness = services.health.readiness()
        counts = services.messages.statistics()
        return models.Status(
            ready=readiness.ready,
            parts=[answers.part_item(part) for part in readiness.parts],
            backends=[answers.backend_item(backend) for backend in services.run_control.backends()],
            messages=models.MessageCounts(
                stored=counts.stored,
                newest_id=counts.newest_id,
                quarantined=counts.quarantined,
                echo_not_stored=counts.echo_not_stored,
                gaps=counts.gaps,
                counters=dict(counts.counters),
            ),
        )


def _range(query: queries.RatesQuery | queries.PointsQuery, clock: Clock) -> tuple[datetime, datetime]:
    end = query.end or clock()
    return query.start or end - DEFAULT_SPAN, end


def _filter(services: Services, query: queries.MessagesQuery | queries.ExportQuery) -> MessageFilter:
    return MessageFilter(
        severities=query.severities,
        sessions=frozenset(filter(None, (query.session,))),
        applications=frozenset(filter(None, (query.application,))),
        where=all_of(text_filter(query.match, query.q), parse(query.where)),
        muted=services.mutes.muted() if query.muted is queries.Muted.HIDE else NOTHING,
    )
