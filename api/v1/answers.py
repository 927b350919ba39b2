"""From the plain data of the services to what the API gives."""

from api.v1.models import (
    WORDS,
    AlarmItem,
    BackendItem,
    MeasurementItem,
    MessageItem,
    NodeItem,
    PartItem,
    PointItem,
    ProcessItem,
    RateItem,
    Run,
    SessionItem,
)
from api.v1.models import NotShown as NotShownItem
from services.alarms.types import AlarmView
from services.messages.types import MeasurementPoint, MeasurementView, MessageView, NotShown, RateBucket, Severity
from services.platform_health import PartHealth
from services.run_control.backend_types import BackendView
from services.run_control.node_types import Node
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary


def session_item(summary: SessionSummary) -> SessionItem:
    """Return a session. The run's fields carry the names of drunc's arguments."""
    run = summary.run
    return SessionItem(
        name=summary.name,
        state=summary.state,
        sub_state=summary.sub_state,
        state_since=summary.state_since,
        in_error=summary.in_error,
        included=summary.included,
        who_is_in_charge=summary.holder,
        in_charge_since=summary.holder_since,
        transitions=list(summary.possible),
        root_name=summary.root_name,
        root_address=summary.root_address,
        generation=summary.generation,
        owner=summary.owner,
        configuration_file=summary.configuration.file if summary.configuration else None,
        configuration_id=summary.configuration.id if summary.configuration else None,
        known_by=sorted(source.value for source in summary.sources),
        first_seen_at=summary.first_seen_at,
        vanished_at=summary.vanished_at,
        run=Run(
            run_number=run.number,
            run_type=run.type,
            trigger_rate=run.trigger_rate_hz,
            disable_data_storage=run.storage_disabled,
            started_at=run.started_at,
        ),
        processes_running=summary.processes_running,
        processes_dead=summary.processes_dead,
        nodes_total=summary.nodes_total,
        nodes_in_error=summary.nodes_in_error,
        nodes_excluded=summary.nodes_excluded,
        polled_at=summary.polled_at,
        error=summary.error,
        error_since=summary.error_since,
    )


def process_item(process: Process) -> ProcessItem:
    """Return a process."""
    return ProcessItem(
        uuid=process.uuid,
        name=process.name,
        session=process.session,
        user=process.user,
        hostname=process.hostname,
        tree_id=process.tree_id,
        status_code=process.status.value,
        return_code=process.return_code,
        first_seen_at=process.first_seen_at,
        ended_at=process.ended_at,
    )


def node_item(node: Node) -> NodeItem:
    """Return a node of a tree."""
    return NodeItem(
        path=node.path,
        name=node.name,
        kind=node.kind.value,
        depth=node.depth,
        state=node.state,
        sub_state=node.sub_state,
        in_error=node.in_error,
        included=node.included,
        endpoint=node.endpoint,
        state_since=node.state_since,
        seen_at=node.seen_at,
    )


def message_item(message: MessageView) -> MessageItem:
    """Return a message."""
    return MessageItem(
        id=message.id,
        time=message.at,
        time_ns=message.time_ns,
        kind=message.kind.name,
        severity=WORDS[message.severity],
        session=message.session,
        application=message.application,
        name=message.name,
        text=message.text,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        detail=None if message.detail is None else dict(message.detail),
    )


def not_shown(counts: NotShown) -> NotShownItem:
    """Return what no query can show."""
    return NotShownItem(echo_not_stored=counts.echo_not_stored, quarantined=counts.quarantined, gaps=counts.gaps)


def rate_item(bucket: RateBucket) -> RateItem:
    """Return a bucket of rates."""
    return RateItem(
        start=bucket.start,
        width_s=bucket.width_s,
        counts={WORDS[severity]: bucket.counts[severity] for severity in Severity},
        min_id=bucket.min_id,
        max_id=bucket.max_id,
    )


def measurement_item(series: MeasurementView) -> MeasurementItem:
    """Return a series of measured values."""
    return MeasurementItem(
        id=series.id,
        session=series.session,
        application=series.application,
        element=series.element,
        name=series.name,
        origin=series.origin,
        field=series.field,
        last_text=series.last_text,
        last_time=series.last_at,
    )


def point_item(point: MeasurementPoint) -> PointItem:
    """Return a point of a series."""
    return PointItem(
        start=point.start,
        width_s=point.width_s,
        n=point.n,
        mean=point.mean,
        least=point.least,
        greatest=point.greatest,
        last=point.last,
    )


def backend_item(backend: BackendView) -> BackendItem:
    """Return an outside address."""
    return BackendItem(
        kind=backend.kind.value,
        address=backend.address,
        generation=backend.generation,
        reachable=backend.reachable,
        since=backend.since,
        answered_at=backend.answered_at,
        tried_at=backend.tried_at,
        latency_ms=backend.latency_ms,
        error=backend.error,
        error_at=backend.error_at,
    )


def part_item(part: PartHealth) -> PartItem:
    """Return the health of a part."""
    return PartItem(name=part.name, state=part.state.value, age_s=part.age_s, last_error=part.last_error)


def alarm_item(alarm: AlarmView) -> AlarmItem:
    """Return an alarm."""
    return AlarmItem(
        id=alarm.id,
        kind=alarm.kind.value,
        priority=alarm.priority.name.lower(),
        state=alarm.state.value,
        session=alarm.session,
        subject=alarm.subject,
        text=alarm.text,
        rule=alarm.rule,
        occurrences=alarm.occurrences,
        raised_at=alarm.raised_at,
        last_at=alarm.last_at,
        cleared_at=alarm.cleared_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        shelved_until=alarm.shelf.until if alarm.shelf else None,
    )
