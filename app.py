"""Composition root of the web: settings → services → Flask and Dash. Nothing imports it; gunicorn calls it."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import dash
from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from api.access import LOGIN_ONLY, PAGE, PUBLIC, Access, Guard
from api.errors import database_gone, not_found, register_error_handlers
from api.headers import (
    add_csrf_cookie,
    add_request_ids,
    add_security_headers,
    content_security_policy,
)
from api.health import health_blueprint
from api.heartbeat import Heartbeat
from api.live import PATH as LIVE_PATH
from api.live import Ticks, live_blueprint
from api.login import SESSION_COOKIE, add_login
from api.metrics import Count, add_metrics
from api.request_log import add_request_log
from api.v1.routes import api_v1_blueprint
from api.vendor import BOOTSTRAP_URL, KEEP_S, vendor_blueprint
from collector import Collector, alarm_rules, load_checked_settings_or_exit, run_control_config
from models.database import Database, SchemaError
from pages import _frame
from pages._access import CALLBACKS, verify_callbacks
from pages._errors import on_callback_error
from services.accounts.service import AccountService
from services.alarms.queries import AlarmQueries
from services.alarms.service import AlarmService
from services.audit.trail import AuditTrail
from services.clock import Clock, utc_now
from services.container import Services
from services.drawings import Drawings
from services.fingerprint import fingerprint
from services.history.queries import HistoryQueries
from services.live import LiveService
from services.logs import configure_logging
from services.messages.measurement_queries import MeasurementQueries
from services.messages.mutes import MuteService
from services.messages.pipeline import PipelineQueries
from services.messages.queries import MessageQueries
from services.platform_health import HealthService
from services.run_control.commands import CommandLimits, CommandService
from services.run_control.comparison import SessionComparison
from services.run_control.control_requests import ControlRequestService
from services.run_control.node_commands import NodeCommandService
from services.run_control.opening import open_adapters
from services.run_control.process_commands import ProcessCommandService
from services.run_control.process_logs import ProcessLogs
from services.run_control.queries import RunControlQueries
from services.run_control.sequences import SequenceService
from services.run_control.session_commands import SessionCommandService
from services.workers import WorkerQueries
from settings import Settings

ROOT = Path(__file__).parent
MAX_REQUEST_BYTES = 8 * 1024 * 1024

# What open pages are made of: folders of ours, and packages whose scripts and style sheets they load.
_MADE_OF = ("assets", "components", "pages", "templates")
_MADE_WITH = ("bootstrap-flask", "dash", "dash-ag-grid", "dash-bootstrap-components")

# Routes that Dash registers, by endpoint. A new one of a later version stops the start until it stands here.
_DASH_ROUTES: dict[str, Access] = {
    "/": PAGE,
    "/<path:path>": PAGE,
    "/_dash-layout": LOGIN_ONLY,
    "/_dash-dependencies": LOGIN_ONLY,
    "/_dash-update-component": LOGIN_ONLY,
    "/_reload-hash": LOGIN_ONLY,
    "/_favicon.ico": PUBLIC,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": PUBLIC,
    "_dash_assets.static": PUBLIC,
}


class _Console(Flask):
    """None of its views and hooks is a coroutine: Flask would ask that of each of them, at every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return func


def create_application() -> Flask:
    """Read the settings and return the app, for gunicorn (``app:create_application()``). Ends the process on errors.

    Exit code 2: wrong settings. Exit code 1: the database is not there, or its schema is not at head.
    """
    settings = load_checked_settings_or_exit()
    configure_logging(settings.log_level)
    collector = Collector(settings) if settings.embed_collector else None
    try:
        app = create_app(settings, wake_collector=collector.wake if collector else None)
    except SchemaError as error:
        sys.exit(str(error))
    except SQLAlchemyError as error:
        # Only the kind: the text may hold host and user of the database.
        cause = getattr(error, "orig", None) or error
        sys.exit(f"The database does not answer ({type(cause).__name__}). Check CONSOLE_DATABASE_URL.")
    # Started by gunicorn's hook once the worker is up (deploy/gunicorn_conf.py), never here.
    app.extensions["collector"] = collector
    return app


def create_app(
    settings: Settings,
    *,
    wake_collector: Callable[[], None] | None = None,
    clock: Clock = utc_now,
    pages_folder: Path = ROOT / "pages",
) -> Flask:
    """Build the web app. No thread, and no connection that would not survive a fork, is left open behind.

    Args:
        settings: All settings.
        wake_collector: Called after a command was submitted, so that an embedded collector runs it at once.
        clock: The time, for tests.
        pages_folder: Where Dash looks for pages, for tests.

    Raises:
        SchemaError: The database's schema is not at head.
        SettingsError: The rules of alarms cannot be used.
        UndeclaredAccessError: A route does not say who may call it.
        UndeclaredCallbackError: A callback does not say which permission it needs.
    """
    database = Database(settings.sqlalchemy_url)
    try:
        database.require_head()
    finally:
        database.close()
    services = _services(settings, database, clock, wake_collector or _nobody_to_wake)
    app = _flask(settings)
    guard = Guard(_DASH_ROUTES)
    add_request_ids(app)
    add_request_log(app)
    add_login(app, services.accounts)
    guard.protect(app)
    CSRFProtect(app)
    add_csrf_cookie(app, secure=settings.cookie_secure)
    add_security_headers(app, secure=settings.cookie_secure)
    register_error_handlers(app)
    app.register_error_handler(dash.exceptions.DependencyException, lambda _error: not_found())
    app.register_error_handler(SQLAlchemyError, database_gone)
    count = add_metrics(app, services) if settings.metrics else _count_nothing
    served = fingerprint((ROOT / name for name in _MADE_OF), _MADE_WITH)
    ticks = Ticks(services.live, served)
    for blueprint in _blueprints(services, clock, ticks):
        app.register_blueprint(blueprint)
    app.extensions["services"] = services
    dash_app = _dash(app, pages_folder, served)
    _warm_up(app)
    guard.verify(app)
    verify_callbacks(dash_app)
    app.config["CSP"] = content_security_policy(dash_app.csp_hashes())
    _put_in_front(app, settings, ticks, count)
    return app


def _services(settings: Settings, database: Database, clock: Clock, wake_collector: Callable[[], None]) -> Services:
    audit = AuditTrail(database, clock)
    limits = CommandLimits.for_polling(settings.poll_interval_s)
    config = run_control_config(settings)
    run_control, history = RunControlQueries(database, clock), HistoryQueries(database)
    return Services(
        accounts=AccountService(database, audit, clock),
        audit=audit,
        run_control=run_control,
        commands=CommandService(database, audit, clock, limits, wake_collector),
        control_requests=ControlRequestService(database, audit, clock, limits, wake_collector),
        node_commands=NodeCommandService(database, audit, clock, limits, wake_collector),
        sequences=SequenceService(database, audit, clock, limits, wake_collector),
        process_logs=ProcessLogs(lambda: open_adapters(config), config.process_manager_address),
        process_commands=ProcessCommandService(database, audit, clock, wake_collector),
        session_commands=SessionCommandService(database, audit, clock, config, on_submit=wake_collector),
        comparison=SessionComparison(run_control, history),
        messages=MessageQueries(database, clock),
        mutes=MuteService(database, audit, clock),
        measurements=MeasurementQueries(database, clock),
        pipeline=PipelineQueries(database),
        history=history,
        workers=WorkerQueries(database),
        alarms=AlarmQueries(database, clock, alarm_rules(settings)),
        alarm_service=AlarmService(database, audit, clock),
        live=LiveService(database, clock),
        drawings=Drawings(database),
        health=HealthService(database, clock),
        poll_interval_s=settings.poll_interval_s,
    )


def _nobody_to_wake() -> None:
    """Stand in where the collector is a program of its own; it looks for commands ten times a second."""


def _blueprints(services: Services, clock: Clock, ticks: Ticks) -> tuple[Blueprint, ...]:
    return (
        live_blueprint(ticks),
        health_blueprint(services.health),
        vendor_blueprint(),
        api_v1_blueprint(services, clock),
    )


def _flask(settings: Settings) -> Flask:
    app = _Console("app", root_path=str(ROOT), static_folder=None, template_folder="templates")
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME=SESSION_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=KEEP_S,
        # The token lives as long as the session it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
        CSP=content_security_policy(()),
    )
    return app


def _put_in_front(app: Flask, settings: Settings, ticks: Ticks, count: Count) -> None:
    """Let heartbeats be answered before Flask, and where visitors come from be found out before that."""
    inner = Heartbeat(app.wsgi_app, ticks, lambda status, seconds: count("GET", LIVE_PATH, status, seconds))
    hops = settings.trusted_proxies
    outer = ProxyFix(inner, x_for=hops, x_proto=hops) if hops else inner
    app.wsgi_app = outer  # type: ignore[method-assign]  # how Flask documents it


def _count_nothing(_method: str, _route: str, _status: int, _seconds: float) -> None:
    """Stand in where nobody asked for numbers."""


def _dash(app: Flask, pages_folder: Path, served: str) -> dash.Dash:
    dash_app = dash.Dash(
        server=app,  # type: ignore[arg-type]  # a Flask app is what Dash documents
        use_pages=True,
        pages_folder=str(pages_folder),
        assets_folder=str(ROOT / "assets"),
        # Another installation has other addresses, so browsers may keep these files.
        assets_url_path=f"assets/{served}",
        # It stands in the head of templates/index.html already.
        assets_ignore=r"^theme\.js$",
        index_string=(ROOT / "templates" / "index.html").read_text(encoding="utf-8").replace("{%fingerprint%}", served),
        external_stylesheets=[BOOTSTRAP_URL],
        # Without it every page's layout stands in the index, also for anonymous visitors.
        suppress_callback_exceptions=True,
        serve_locally=True,
        use_async=False,
        enable_mcp=False,
        include_pages_meta=False,
        update_title=None,  # type: ignore[arg-type]  # Dash documents None: no "Updating..." title
        title="drunc-console",
        on_error=on_callback_error,
        add_log_handler=False,
    )
    dash_app.layout = _frame.layout
    CALLBACKS.register(dash_app)
    return dash_app


def _warm_up(app: Flask) -> None:
    """Serve one request before anybody else can: Dash finishes its set-up in the first one, and not thread-safely.

    Raises:
        RuntimeError: That set-up failed; what went wrong is in the log.
    """
    answer = app.test_client().get("/health/live")
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"The first request was answered with {answer.status_code}.")
