"""Writes what polls found, each in one short fenced transaction; revisions rise only when a page would change."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import Base
from models.database import Database
from models.run_control import Backend, BootConfiguration, DaqSession
from models.run_control import Node as NodeRow
from models.run_control import Process as ProcessRow
from services.clock import Clock
from services.coordination import Fence, Leases
from services.revisions import LiveTopic, bump
from services.run_control.adapter import NodeStatus
from services.run_control.readings import BackendReading, Origin, RootReading, SessionReading, SiteReading
from services.run_control.rows import sequences_to_json, transitions_to_json
from services.run_control.types import BackendKind, Configuration, Node, Process, ProcessStatus, RunInfo

FILE_WIDTH = 1024
# In these states no run is on (contract 12.1).
STATES_WITHOUT_RUN = frozenset({"initial", "configured"})

NO_RUN: Mapping[str, Any] = {
    "run_number": None,
    "run_type": None,
    "trigger_rate_hz": None,
    "storage_disabled": None,
    "run_started_at": None,
}


class RunControlStore:
    """The tables ``daq_session``, ``process``, ``node`` and ``backend``, as the poller writes them."""

    def __init__(self, database: Database, leases: Leases, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._leases = leases
        self._clock = clock

    def present_sessions(self) -> tuple[str, ...]:
        """Return the names of the sessions that were there when they were last looked for."""
        with self._database.read() as tx:
            return tuple(tx.scalars(select(DaqSession.name).where(DaqSession.present).order_by(DaqSession.name)))

    def save_processes(self, fence: Fence, processes: tuple[Process, ...], backend: BackendReading) -> bool:
        """Make the process table what the process manager lists; return whether anything changed.

        Those that vanished are removed.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        return self._write(fence, lambda tx, now: _save_processes(tx, processes, now) | _save_backends(tx, [backend]))

    def save_seen(self, fence: Fence, backend: BackendReading) -> None:
        """Note that the process manager listed the same as last time.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        self._write(fence, lambda tx, now: _touch_processes(tx, now) | _save_backends(tx, [backend]))

    def save_backend(self, fence: Fence, backend: BackendReading) -> bool:
        """Note how one address answered; return whether anything changed.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        return self._write(fence, lambda tx, _now: _save_backends(tx, [backend]))

    def save_site(self, fence: Fence, reading: SiteReading) -> bool:
        """Write what the site's services told; return whether anything changed.

        Raises:
            LeaseLostError: Somebody else polls now.
        """

        def work(tx: Session, _now: datetime) -> set[LiveTopic]:
            return _save_configurations(tx, reading.configurations) | _save_backends(tx, reading.backends)

        return self._write(fence, work)

    def save_session(self, fence: Fence, reading: SessionReading) -> bool:
        """Write what a poll found of a session; what it did not find stays as it was. Return whether it is news.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        return self._write(
            fence, lambda tx, now: _save_session(tx, reading, now) | _save_backends(tx, reading.backends)
        )

    def remove_controllers(self, fence: Fence, tried_before: datetime) -> None:
        """Forget addresses of controllers that nobody has asked since ``tried_before``: each boot brings new ones.

        Raises:
            LeaseLostError: Somebody else polls now.
        """

        def work(tx: Session, _now: datetime) -> set[LiveTopic]:
            old = delete(Backend).where(Backend.kind == BackendKind.CONTROLLER.value, Backend.tried_at < tried_before)
            removed = tx.scalars(old.returning(Backend.address)).all()
            return {LiveTopic.BACKENDS} if removed else set()

        self._write(fence, work)

    def _write(self, fence: Fence, work: Callable[[Session, datetime], set[LiveTopic]]) -> bool:
        try:
            return self._write_once(fence, work)
        except IntegrityError:
            # Two polls made the same new row, of a backend or a revision: now it is there.
            return self._write_once(fence, work)

    def _write_once(self, fence: Fence, work: Callable[[Session, datetime], set[LiveTopic]]) -> bool:
        with self._leases.fenced(fence) as tx:
            now = self._clock()
            changed = work(tx, now)
            bump(tx, now, *changed)
        return bool(changed)


def assign(row: Base, values: Mapping[str, object]) -> bool:
    """Set columns and tell whether any of them changed."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return bool(changed)


def save_asked_processes(tx: Session, asked: Collection[str], listed: Iterable[Process], now: datetime) -> None:
    """Bring the rows of some processes up to date: those of ``asked`` that are not ``listed`` any more are removed."""
    found = {process.uuid: process for process in listed}
    rows = {row.uuid: row for row in tx.scalars(select(ProcessRow).where(ProcessRow.uuid.in_([*asked, *found])))}
    for process in found.values():
        _save_process(tx, rows.pop(process.uuid, None), process, now)
    for vanished in rows.values():
        tx.delete(vanished)


def _save_processes(tx: Session, processes: Iterable[Process], now: datetime) -> set[LiveTopic]:
    rows = {row.uuid: row for row in tx.scalars(select(ProcessRow))}
    changed = False
    for process in processes:
        row = rows.pop(process.uuid, None)
        changed |= _save_process(tx, row, process, now)
    for vanished in rows.values():
        tx.delete(vanished)
    tx.flush()
    _touch_processes(tx, now)
    # A session's summary counts its processes.
    return {LiveTopic.PROCESSES, LiveTopic.SESSIONS} if changed or rows else set()


def _touch_processes(tx: Session, now: datetime) -> set[LiveTopic]:
    tx.execute(update(ProcessRow).values(seen_at=now).execution_options(synchronize_session=False))
    return set()


def _save_process(tx: Session, row: ProcessRow | None, process: Process, now: datetime) -> bool:
    values: dict[str, object] = {
        "name": process.name,
        "session": process.session,
        "user": process.user,
        "hostname": process.hostname,
        "tree_id": process.tree_id,
        "status_code": process.status.value,
        "return_code": process.return_code,
    }
    dead = process.status is ProcessStatus.DEAD
    if row is None:
        tx.add(ProcessRow(uuid=process.uuid, first_seen_at=now, seen_at=now, ended_at=now if dead else None, **values))
        return True
    # A restart keeps the UUID, so the dead can come back (contract 9.4).
    values["ended_at"] = (row.ended_at or now) if dead else None
    return assign(row, values)


def _save_session(tx: Session, reading: SessionReading, now: datetime) -> set[LiveTopic]:
    row = tx.get(DaqSession, reading.name, with_for_update=True)
    created = row is None
    if row is None:
        row = DaqSession(name=reading.name, transitions=[], possible=[], present=True, first_seen_at=now)
        tx.add(row)
    if row.polled_at is not None and reading.at < row.polled_at:
        # A command ended after this was read, and wrote what is newer.
        return set()
    if reading.gone:
        return _forget_session(tx, row, now)
    changed = created | assign(
        row,
        {"present": True, "vanished_at": None, **_origin_values(reading.origin), **_error_values(row, reading, now)},
    )
    tree_changed = False
    if reading.root is not None:
        changed |= _save_root(row, reading.root, reading.at, now)
        row.polled_at = now
        tree_changed = _save_nodes(tx, reading.name, reading.nodes, now)
    topics = {LiveTopic.SESSIONS} if changed or tree_changed else set()
    return topics | ({LiveTopic.TREE} if tree_changed else set())


def _forget_session(tx: Session, row: DaqSession, now: datetime) -> set[LiveTopic]:
    """Mark a session as gone; what was known of it stays, but for its tree."""
    row.present = False
    row.vanished_at = row.vanished_at or now
    row.sources = []
    tx.execute(delete(NodeRow).where(NodeRow.session == row.name))
    return {LiveTopic.SESSIONS, LiveTopic.TREE}


def _origin_values(origin: Origin) -> Mapping[str, object]:
    """Return who knows of a session, and what they tell; what nobody tells any more stays."""
    values: dict[str, object] = {"sources": sorted(source.value for source in origin.sources)}
    if origin.owner is not None:
        values["owner"] = origin.owner
    if origin.configuration is not None:
        values["configuration_file"] = origin.configuration.file
        values["configuration_id"] = origin.configuration.id
    return values


def _error_values(row: DaqSession, reading: SessionReading, now: datetime) -> Mapping[str, object]:
    since = None if reading.error is None else (row.error_since or now)
    return {"error": reading.error, "error_since": since}


def _save_root(row: DaqSession, root: RootReading, read_at: datetime, now: datetime) -> bool:
    values: dict[str, object] = {
        "root_name": root.name,
        "root_address": root.address,
        "generation": root.generation,
        "transitions": transitions_to_json(root.transitions),
        "sequences": sequences_to_json(root.sequences),
        **root_state_values(row, root.status, root.holder, root.possible, now),
    }
    if _run_is_over(row, root, read_at):
        values |= NO_RUN
    elif root.status.run is not None and root.status.run.number is not None:
        values |= _run_values(row, root.status.run, now)
    return assign(row, values)


def _run_values(row: DaqSession, run: RunInfo, now: datetime) -> dict[str, object]:
    """Return the columns of a run as drunc itself tells it, whoever started it."""
    same = row.run_number == run.number and row.run_started_at is not None
    return {
        "run_number": run.number,
        "run_type": run.type,
        "trigger_rate_hz": run.trigger_rate_hz,
        "storage_disabled": run.storage_disabled,
        "run_started_at": row.run_started_at if same else run.started_at or now,
    }


def root_state_values(
    row: DaqSession, status: NodeStatus, holder: str, possible: Iterable[str], now: datetime
) -> dict[str, object]:
    """Return the columns that change as the root controller goes from state to state and from hand to hand."""
    values: dict[str, object] = {
        "state": status.state,
        "sub_state": status.sub_state,
        "in_error": status.in_error,
        "included": status.included,
        "holder": holder,
        "possible": list(possible),
    }
    if row.state != status.state or row.state_since is None:
        values["state_since"] = now
    if row.holder != holder or row.holder_since is None:
        values["holder_since"] = now
    return values


def _run_is_over(row: DaqSession, root: RootReading, read_at: datetime) -> bool:
    """Tell whether what is known of the run no longer holds: back in a state without one, or booted anew."""
    if row.run_started_at is not None and row.run_started_at >= read_at:
        # This was read before the run began.
        return False
    return root.status.state in STATES_WITHOUT_RUN or (row.root_address not in (None, root.address))


def _save_nodes(tx: Session, session: str, nodes: Iterable[Node], now: datetime) -> bool:
    rows = {row.path: row for row in tx.scalars(select(NodeRow).where(NodeRow.session == session))}
    changed = False
    for position, node in enumerate(nodes):
        row = rows.pop(node.path, None)
        if row is None:
            row = NodeRow(session=session, path=node.path, state=None, state_since=None)
            tx.add(row)
        changed |= _save_node(row, node, position, now)
    for vanished in rows.values():
        tx.delete(vanished)
    return changed or bool(rows)


def _save_node(row: NodeRow, node: Node, position: int, now: datetime) -> bool:
    values: dict[str, object] = {
        "name": node.name,
        "position": position,
        "depth": node.depth,
        "kind": node.kind.value,
        "endpoint": node.endpoint,
        "detector": node.detector,
        "holder": node.holder,
    }
    if row.holder != node.holder:
        values["holder_since"] = now
    if node.seen_at is not None:
        values |= {
            "state": node.state,
            "sub_state": node.sub_state,
            "in_error": node.in_error,
            "included": node.included,
        }
        if row.state != node.state or row.state_since is None:
            values["state_since"] = now
        # Its age alone is no news.
        row.seen_at = now
    return assign(row, values)


def _save_configurations(tx: Session, configurations: Iterable[Configuration] | None) -> set[LiveTopic]:
    """Make the table what the session manager lists, in its order; None tells nothing."""
    if configurations is None:
        return set()
    wanted = tuple(dict.fromkeys((found.file[:FILE_WIDTH], found.id) for found in configurations))
    rows = tx.scalars(select(BootConfiguration).order_by(BootConfiguration.position)).all()
    if wanted == tuple((row.file, row.configuration_id) for row in rows):
        return set()
    tx.execute(delete(BootConfiguration))
    tx.add_all(
        BootConfiguration(file=file, configuration_id=id_, position=position)
        for position, (file, id_) in enumerate(wanted)
    )
    return {LiveTopic.SESSIONS}


def _save_backends(tx: Session, readings: Iterable[BackendReading]) -> set[LiveTopic]:
    # Always in the same order, so that two transactions cannot wait for each other.
    ordered = sorted(readings, key=lambda reading: (reading.kind, reading.address))
    changed = [_save_backend(tx, reading) for reading in ordered]
    return {LiveTopic.BACKENDS} if any(changed) else set()


def _save_backend(tx: Session, reading: BackendReading) -> bool:
    row = tx.get(Backend, (reading.kind.value, reading.address), with_for_update=True)
    created = row is None
    if row is None:
        row = Backend(
            kind=reading.kind.value, address=reading.address, reachable=bool(reading.reachable), since=reading.at
        )
        tx.add(row)
    row.tried_at = reading.at
    values: dict[str, object] = {}
    if reading.reachable is not None and reading.reachable != row.reachable:
        values |= {"reachable": reading.reachable, "since": reading.at}
    if reading.reachable:
        row.answered_at, row.latency_ms = reading.at, reading.latency_ms
        if reading.generation is not None:
            values["generation"] = reading.generation
    if reading.error is not None:
        row.error_at = reading.at
        values["error"] = reading.error
    return assign(row, values) or created
