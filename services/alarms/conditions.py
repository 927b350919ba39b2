"""What calls for an alarm and lasts, read from the tables that other areas keep: processes, nodes, addresses, workers.

Where one thing causes another, only the cause is raised: of nodes in error the deepest, and not the node of a process
that is dead.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import false, or_, select, true
from sqlalchemy.orm import Session

from models.alarms import KEY_LENGTH
from models.coordination import Worker
from models.run_control import Backend, DaqSession, Node, Process
from services.alarms.types import AlarmKind, Condition, Priority

# Whatever it is about keeps the rest.
TEXT_LENGTH = 1_000
# One missed poll is no alarm.
SILENT_AFTER = timedelta(seconds=3)
# A collector reports every 2 s.
UNHEARD_AFTER = timedelta(seconds=10)

_DEAD = "DEAD"
_WORKERS_AT_FAULT = ("degraded", "failed")
_ADDRESSES = {
    "process_manager": ("the process manager", Priority.HIGH),
    "kafka": ("Kafka", Priority.HIGH),
    "connectivity_service": ("the connectivity service", Priority.MEDIUM),
    "session_manager": ("the session manager", Priority.MEDIUM),
    "run_control_service": ("the run control service", Priority.MEDIUM),
    "controller": ("a controller", Priority.MEDIUM),
}


def lasting(session: Session, now: datetime) -> list[Condition]:
    """Return everything that is not as it should be now and lasts until it is mended."""
    dead = session.scalars(
        select(Process).where(
            Process.status_code == _DEAD, or_(Process.return_code.is_(None), Process.return_code != 0)
        )
    ).all()
    lost = {(row.session, row.name) for row in dead}
    present = select(DaqSession.name).where(DaqSession.present)
    wrong = select(Node).where(Node.in_error.is_(true()), Node.included.is_not(false()), Node.session.in_(present))
    nodes = [node for node in _deepest(session.scalars(wrong).all()) if (node.session, node.name) not in lost]
    return [
        *map(_of_process, dead),
        *(_of_node(node, now) for node in nodes),
        *_of_addresses(session.scalars(select(Backend)), now),
        *_of_workers(session.scalars(select(Worker)), now),
    ]


def _of_process(row: Process) -> Condition:
    return Condition(
        key=alarm_key(AlarmKind.PROCESS, row.uuid),
        kind=AlarmKind.PROCESS,
        priority=Priority.MEDIUM,
        session=row.session,
        subject=row.name,
        text=f"The process ended on {row.hostname} with "
        + ("an unknown exit code." if row.return_code is None else f"exit code {row.return_code}."),
        at=row.ended_at or row.seen_at,
    )


def _of_node(row: Node, now: datetime) -> Condition:
    state = row.sub_state or row.state
    return Condition(
        key=alarm_key(AlarmKind.NODE, row.session, row.path),
        kind=AlarmKind.NODE,
        priority=Priority.MEDIUM,
        session=row.session,
        subject=row.name,
        text=f"The node is in error, state {state}." if state else "The node is in error.",
        at=row.seen_at or now,
    )


def _of_addresses(rows: Iterable[Backend], now: datetime) -> Iterator[Condition]:
    for row in rows:
        if row.reachable or now - row.since < SILENT_AFTER:
            continue
        name, priority = _ADDRESSES.get(row.kind, (row.kind, Priority.MEDIUM))
        yield Condition(
            key=alarm_key(AlarmKind.BACKEND, row.kind, row.address),
            kind=AlarmKind.BACKEND,
            priority=priority,
            session="",
            subject=row.address,
            text=f"{name[0].upper()}{name[1:]} does not answer" + (f": {row.error}" if row.error else "."),
            at=row.since,
        )


def _of_workers(rows: Iterable[Worker], now: datetime) -> Iterator[Condition]:
    for row in rows:
        if now - row.reported_at > UNHEARD_AFTER:
            text, since = f"The collector {row.collector} has not been heard of since its last report.", row.reported_at
        elif row.state in _WORKERS_AT_FAULT and now - row.since >= SILENT_AFTER:
            text, since = f"The worker is {row.state}" + (f": {row.last_error}" if row.last_error else "."), row.since
        else:
            continue
        key = alarm_key(AlarmKind.WORKER, row.name, row.collector)
        yield Condition(key, AlarmKind.WORKER, Priority.MEDIUM, "", row.name, text, since)


def _deepest(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes that have none of the others below them."""
    above = {(node.session, path) for node in nodes for path in _ancestors(node.path)}
    return (node for node in nodes if (node.session, node.path) not in above)


def _ancestors(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def alarm_key(kind: AlarmKind, *parts: str) -> str:
    """Return the key of what an alarm is about, cut to what is stored of it."""
    return ":".join((kind.value, *parts))[:KEY_LENGTH]


def moment(nanoseconds: int) -> datetime:
    """Return a moment, UTC, from nanoseconds since 1970."""
    return datetime.fromtimestamp(nanoseconds / 1_000_000_000, UTC)
