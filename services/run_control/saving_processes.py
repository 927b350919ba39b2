"""Writes the processes that the process manager lists, and notes who appeared, died, came back and vanished."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.run_control import Process as ProcessRow
from services.history.record import Changes
from services.history.types import Aspect, Subject, Value
from services.revisions import LiveTopic
from services.run_control.saving import assign
from services.run_control.types import Process, ProcessStatus


def save_asked_processes(tx: Session, asked: Collection[str], listed: Iterable[Process], changes: Changes) -> None:
    """Bring the rows of some processes up to date: those of ``asked`` that are not ``listed`` any more are removed."""
    found = {process.uuid: process for process in listed}
    rows = {row.uuid: row for row in tx.scalars(select(ProcessRow).where(ProcessRow.uuid.in_([*asked, *found])))}
    for process in found.values():
        _save_process(tx, rows.pop(process.uuid, None), process, changes)
    for vanished in rows.values():
        _note(changes, vanished, Aspect.VANISHED, old=vanished.status_code)
        tx.delete(vanished)


def save_processes(tx: Session, processes: Iterable[Process], changes: Changes) -> set[LiveTopic]:
    """Make the table what is listed; return the topics whose pages would change."""
    rows = {row.uuid: row for row in tx.scalars(select(ProcessRow))}
    changed = False
    for process in processes:
        row = rows.pop(process.uuid, None)
        changed |= _save_process(tx, row, process, changes)
    for vanished in rows.values():
        _note(changes, vanished, Aspect.VANISHED, old=vanished.status_code)
        tx.delete(vanished)
    tx.flush()
    touch_processes(tx, changes.at)
    # A session's summary counts its processes.
    return {LiveTopic.PROCESSES, LiveTopic.SESSIONS} if changed or rows else set()


def touch_processes(tx: Session, now: datetime) -> set[LiveTopic]:
    """Note that all processes were seen as they are; no page changes."""
    tx.execute(update(ProcessRow).values(seen_at=now).execution_options(synchronize_session=False))
    return set()


def _save_process(tx: Session, row: ProcessRow | None, process: Process, changes: Changes) -> bool:
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
    now = changes.at
    if row is None:
        row = ProcessRow(uuid=process.uuid, first_seen_at=now, seen_at=now, ended_at=now if dead else None, **values)
        tx.add(row)
        _note(changes, row, Aspect.APPEARED, new=row.status_code)
        if dead:
            _note(changes, row, Aspect.DIED, new=process.return_code)
        return True
    if row.status_code != process.status.value:
        before = row.return_code
        if dead:
            _note(changes, row, Aspect.DIED, new=process.return_code)
        else:
            _note(changes, row, Aspect.RESTARTED, old=before)
    # A restart keeps the UUID, so the dead can come back (contract 9.4).
    values["ended_at"] = (row.ended_at or now) if dead else None
    return assign(row, values)


def _note(changes: Changes, row: ProcessRow, aspect: Aspect, *, old: Value = None, new: Value = None) -> None:
    changes.note(Subject.PROCESS, row.name, aspect, old=old, new=new, session=row.session or None, uuid=row.uuid)
