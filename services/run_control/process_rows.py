"""Writes the rows of processes: those that changed, and when all of them were listed.

As with nodes (`node_rows`): thousands are listed every second, and hardly any of them has changed.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, true, update
from sqlalchemy.orm import Session

from models.run_control import Process as ProcessRow
from services.run_control.types import Process, ProcessStatus

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


def save_processes(tx: Session, processes: Iterable[Process], now: datetime) -> bool:
    """Make the rows what the process manager lists; return whether anything but their age changed."""
    changed = _write(tx, true(), processes, now)
    touch_processes(tx, now)
    return changed


def save_asked_processes(tx: Session, asked: Collection[str], listed: Iterable[Process], now: datetime) -> None:
    """Bring the rows of some processes up to date: those of ``asked`` that are not ``listed`` any more are removed."""
    found = {process.uuid: process for process in listed}
    _write(tx, ProcessRow.uuid.in_([*asked, *found]), found.values(), now)


def touch_processes(tx: Session, now: datetime) -> None:
    """Note that all were listed just now."""
    tx.execute(update(ProcessRow).values(seen_at=now).execution_options(synchronize_session=False))


def _write(tx: Session, which: ColumnElement[bool], processes: Iterable[Process], now: datetime) -> bool:
    """Make some rows what is listed of them; return whether any row was made, changed or removed."""
    found = tx.execute(select(ProcessRow.uuid, ProcessRow.ended_at, *_COLUMNS).where(which))
    rows = {uuid: (ended_at, tuple(columns)) for uuid, ended_at, *columns in found}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for process in processes:
        columns, ends_at = _columns(process), now if process.status is ProcessStatus.DEAD else None
        row = rows.pop(process.uuid, None)
        values = {"uuid": process.uuid, "ended_at": ends_at, **dict(zip(_NAMES, columns, strict=True))}
        if row is None:
            new.append(values | {"first_seen_at": now, "seen_at": now})
        elif row[1] != columns:
            # A restart keeps the UUID, so the dead can come back (contract 9.4).
            changed.append(values | {"ended_at": ends_at and (row[0] or ends_at)})
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
