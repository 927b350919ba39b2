"""Writes the processes that the process manager lists, and notes who appeared, died, came back and vanished.

As with nodes (`saving_nodes`): thousands are listed every second, and hardly any of them has changed.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, true, update
from sqlalchemy.orm import Session

from models.run_control import Process as ProcessRow
from services.history.record import Changes
from services.history.types import Aspect, Subject, Value
from services.revisions import LiveTopic
from services.run_control.process_types import Process, ProcessStatus

_COLUMNS = (
    ProcessRow.name,
    ProcessRow.session,
    ProcessRow.user,
    ProcessRow.hostname,
    ProcessRow.tree_id,
    ProcessRow.status_code,
    ProcessRow.return_code,
)
_NAMES = tuple(column.key for column in _COLUMNS)
# Databases bound how many parameters a statement may have.
_CHUNK = 500


def save_asked_processes(tx: Session, asked: Collection[str], listed: Iterable[Process], changes: Changes) -> None:
    """Bring the rows of some processes up to date: those of ``asked`` that are not ``listed`` any more are removed."""
    found = {process.uuid: process for process in listed}
    _write(tx, ProcessRow.uuid.in_([*asked, *found]), found.values(), changes)


def save_processes(tx: Session, processes: Iterable[Process], changes: Changes) -> set[LiveTopic]:
    """Make the table what is listed; return the topics whose pages would change."""
    changed = _write(tx, true(), processes, changes)
    touch_processes(tx, changes.at)
    # A session's summary counts its processes.
    return {LiveTopic.PROCESSES, LiveTopic.SESSIONS} if changed else set()


def touch_processes(tx: Session, now: datetime) -> set[LiveTopic]:
    """Note that all processes were seen as they are; no page changes."""
    tx.execute(update(ProcessRow).values(seen_at=now).execution_options(synchronize_session=False))
    return set()


def _write(tx: Session, which: ColumnElement[bool], processes: Iterable[Process], changes: Changes) -> bool:
    """Make some rows what is listed of them; return whether any row was made, changed or removed."""
    found = tx.execute(select(ProcessRow.uuid, ProcessRow.ended_at, *_COLUMNS).where(which))
    rows = {row.uuid: row for row in found}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for process in processes:
        row = rows.pop(process.uuid, None)
        columns = _columns(process)
        if row is not None and row[2:] == columns:
            continue
        ends_at = changes.at if process.status is ProcessStatus.DEAD else None
        values = {"uuid": process.uuid, "ended_at": ends_at, **dict(zip(_NAMES, columns, strict=True))}
        _note_what_happened(changes, row, process)
        if row is None:
            new.append(values | {"first_seen_at": changes.at, "seen_at": changes.at})
        else:
            # A restart keeps the UUID, so the dead can come back (contract 9.4).
            changed.append(values | {"ended_at": ends_at and (row.ended_at or ends_at)})
    for row in rows.values():
        # Before it vanishes: who goes back in time meets the process first, then its host.
        _note(changes, row, Aspect.HOST, old=row.hostname)
        _note(changes, row, Aspect.VANISHED, old=row.status_code)
    if new:
        tx.execute(insert(ProcessRow), new)
    if changed:
        tx.execute(update(ProcessRow), changed)
    vanished = list(rows)
    for start in range(0, len(vanished), _CHUNK):
        tx.execute(delete(ProcessRow).where(ProcessRow.uuid.in_(vanished[start : start + _CHUNK])))
    return bool(new or changed or vanished)


def _columns(process: Process) -> tuple[object, ...]:
    return (
        process.name,
        process.session,
        process.user,
        process.hostname,
        process.tree_id,
        process.status.value,
        process.return_code,
    )


def _note_what_happened(changes: Changes, row: Row[*tuple[Any, ...]] | None, process: Process) -> None:
    dead = process.status is ProcessStatus.DEAD
    if row is None:
        _note(changes, process, Aspect.APPEARED, new=process.status.value)
    elif row.hostname != process.hostname:
        _note(changes, process, Aspect.HOST, old=row.hostname, new=process.hostname)
    if dead and (row is None or row.status_code != process.status.value):
        _note(changes, process, Aspect.DIED, new=process.return_code)
    elif row is not None and row.status_code != process.status.value:
        _note(changes, process, Aspect.RESTARTED, old=row.return_code)


def _note(
    changes: Changes, process: Process | Row[*tuple[Any, ...]], aspect: Aspect, *, old: Value = None, new: Value = None
) -> None:
    session = process.session or None
    changes.note(Subject.PROCESS, process.name, aspect, old=old, new=new, session=session, uuid=process.uuid)
