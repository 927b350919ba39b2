"""What pages and the API can call: all services of one app, built once in `app.py`."""

from dataclasses import dataclass

from services.accounts.service import AccountService
from services.alarms.queries import AlarmQueries
from services.alarms.service import AlarmService
from services.audit.trail import AuditTrail
from services.drawings import Drawings
from services.history.queries import HistoryQueries
from services.live import LiveService
from services.messages.measurement_queries import MeasurementQueries
from services.messages.mutes import MuteService
from services.messages.pipeline import PipelineQueries
from services.messages.queries import MessageQueries
from services.platform_health import HealthService
from services.run_control.commands import CommandService
from services.run_control.comparison import SessionComparison
from services.run_control.control_requests import ControlRequestService
from services.run_control.node_commands import NodeCommandService
from services.run_control.process_commands import ProcessCommandService
from services.run_control.process_logs import ProcessLogs
from services.run_control.queries import RunControlQueries
from services.run_control.sequences import SequenceService
from services.run_control.session_commands import SessionCommandService
from services.workers import WorkerQueries


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one app. Each is stateless or guards its own small caches; all meet in the database.

    ``poll_interval_s`` is how often the collector polls, by which pages tell what is late.
    """

    accounts: AccountService
    audit: AuditTrail
    run_control: RunControlQueries
    commands: CommandService
    control_requests: ControlRequestService
    node_commands: NodeCommandService
    sequences: SequenceService
    process_commands: ProcessCommandService
    session_commands: SessionCommandService
    comparison: SessionComparison
    process_logs: ProcessLogs
    messages: MessageQueries
    mutes: MuteService
    measurements: MeasurementQueries
    pipeline: PipelineQueries
    history: HistoryQueries
    workers: WorkerQueries
    alarms: AlarmQueries
    alarm_service: AlarmService
    live: LiveService
    drawings: Drawings
    health: HealthService
    poll_interval_s: float
