"""Writes what a poll found of a session, and notes what changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.run_control import DaqSession
from models.run_control import Node as NodeRow
from services.history.record import Changes
from services.history.types import Aspect, Subject, Value
from services.revisions import LiveTopic
from services.run_control.adapter import NodeStatus
from services.run_control.readings import Origin, RootReading, SessionReading
from services.run_control.rows import sequences_to_json, transitions_to_json
from services.run_control.saving import assign
from services.run_control.saving_nodes import save_nodes
from services.run_control.session_types import RunInfo
from services.run_control.transition_watch import RootMemory, note_transition

# In these states no run is on (contract 12.1).
STATES_WITHOUT_RUN = frozenset({"initial", "configured"})

NO_RUN: Mapping[str, Any] = {
    "run_number": None,
    "run_type": None,
    "trigger_rate_hz": None,
    "storage_disabled": None,
    "run_started_at": None,
}


class SessionMemory:
    """What a session's row said before it was changed, to note what is different afterwards."""

    def __init__(self, row: DaqSession) -> None:
        """Remember the row."""
        self._row = row
        self._holder = _holder(row)
        self._run = _run(row)

    def note(self, changes: Changes) -> None:
        """Note who is in control now, and what is known of the run."""
        name = self._row.name
        changes.compare(Subject.SESSION, name, self._holder, _holder(self._row), session=name)
        changes.compare(Subject.RUN, name, self._run, _run(self._row), session=name)


def _holder(row: DaqSession) -> Mapping[Aspect, Value]:
    return {Aspect.HOLDER: row.holder}


def _run(row: DaqSession) -> Mapping[Aspect, Value]:
    return {
        Aspect.RUN_NUMBER: row.run_number,
        Aspect.RUN_TYPE: row.run_type,
        Aspect.TRIGGER_RATE: row.trigger_rate_hz,
        Aspect.STORAGE_DISABLED: row.storage_disabled,
    }


def save_session(tx: Session, reading: SessionReading, changes: Changes) -> set[LiveTopic]:
    """Write what a poll found; what it did not find stays as it was. Return the topics whose pages would change."""
    now = changes.at
    row = tx.get(DaqSession, reading.name, with_for_update=True)
    created = row is None
    if row is None:
        row = DaqSession(name=reading.name, transitions=[], possible=[], present=False, first_seen_at=now)
        tx.add(row)
    if row.polled_at is not None and reading.at < row.polled_at:
        # A command ended after this was read, and wrote what is newer.
        return set()
    if reading.gone:
        return _forget_session(tx, row, changes)
    if not row.present:
        changes.note(Subject.SESSION, row.name, Aspect.APPEARED, session=row.name)
    origin = _origin(row)
    changed = created | assign(
        row,
        {"present": True, "vanished_at": None, **_origin_values(reading.origin), **_error_values(row, reading, now)},
    )
    changes.compare(Subject.SESSION, row.name, origin, _origin(row), session=row.name)
    tree_changed = False
    if reading.root is not None:
        before, memory = RootMemory.of(row), SessionMemory(row)
        changed |= _save_root(row, reading.root, reading.at, now)
        row.polled_at = now
        memory.note(changes)
        tree = save_nodes(tx, reading.name, reading.nodes, changes)
        tree_changed = tree.changed
        note_transition(tx, row, before, tree.moved, now)
    topics = {LiveTopic.SESSIONS} if changed or tree_changed else set()
    return topics | ({LiveTopic.TREE} if tree_changed else set())


def addresses_left(tx: Session, reading: SessionReading) -> frozenset[str]:
    """Return where a session's controllers were, if it is gone now or booted anew: nobody expects an answer there."""
    row = tx.get(DaqSession, reading.name)
    if row is None or not row.present or (row.polled_at is not None and reading.at < row.polled_at):
        return frozenset()
    is_anew = reading.root is not None and row.root_address not in (None, reading.root.address)
    if not (reading.gone or is_anew):
        return frozenset()
    endpoints = tx.scalars(select(NodeRow.endpoint).where(NodeRow.session == row.name))
    addresses = (row.root_address, *(endpoint.rpartition("/")[2] for endpoint in endpoints if endpoint))
    return frozenset(address for address in addresses if address)


def _forget_session(tx: Session, row: DaqSession, changes: Changes) -> set[LiveTopic]:
    """Mark a session as gone; what was known of it stays, but for its tree."""
    if row.present:
        changes.note(Subject.SESSION, row.name, Aspect.VANISHED, old=row.state, session=row.name)
    row.present = False
    row.vanished_at = row.vanished_at or changes.at
    row.sources = []
    tx.execute(delete(NodeRow).where(NodeRow.session == row.name))
    return {LiveTopic.SESSIONS, LiveTopic.TREE}


def _origin(row: DaqSession) -> Mapping[Aspect, Value]:
    return {
        Aspect.OWNER: row.owner,
        Aspect.CONFIGURATION: row.configuration_id,
        Aspect.CONFIGURATION_FILE: row.configuration_file,
    }


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
