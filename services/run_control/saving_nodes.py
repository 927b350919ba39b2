"""Writes the nodes of a session's tree, and notes what changed of each.

A tree of thousands is read every second and hardly ever changes. Rows as objects would cost more than all the rest of a
poll, and hold the database's write lock meanwhile, for which commands wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from models.run_control import DaqSession
from models.run_control import Node as NodeRow
from services.history.record import Changes
from services.history.types import Aspect, Subject, Value
from services.run_control.adapter import NodeStatus
from services.run_control.node_types import Node
from services.run_control.saving import assign

_PLACE = (
    NodeRow.name,
    NodeRow.position,
    NodeRow.depth,
    NodeRow.kind,
    NodeRow.endpoint,
    NodeRow.detector,
    NodeRow.holder,
)
_STATUS = (NodeRow.state, NodeRow.sub_state, NodeRow.in_error, NodeRow.included)
_PLACE_NAMES = tuple(column.key for column in _PLACE)
_STATUS_NAMES = tuple(column.key for column in _STATUS)
# In the rows that are read the path comes first, then the place, then the status.
_PLACE_PART = slice(1, 1 + len(_PLACE))
_STATUS_PART = slice(1 + len(_PLACE), 1 + len(_PLACE) + len(_STATUS))


@dataclass(frozen=True, slots=True)
class Moved:
    """A node that is in another state than at the last poll, which was ``since``."""

    path: str
    in_error: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class TreeChange:
    """What came of writing a tree."""

    changed: bool
    moved: tuple[Moved, ...] = ()


def save_nodes(tx: Session, session: str, nodes: Sequence[Node], changes: Changes) -> TreeChange:
    """Make the tree what a poll found; a node that was not heard of keeps its state and age."""
    columns = (NodeRow.path, *_PLACE, *_STATUS, NodeRow.state_since, NodeRow.seen_at)
    rows = {row.path: row for row in tx.execute(select(*columns).where(NodeRow.session == session))}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    moved: list[Moved] = []
    for position, node in enumerate(nodes):
        key = {"session": session, "path": node.path}
        row = rows.pop(node.path, None)
        if row is None:
            changes.note(Subject.NODE, node.path, Aspect.APPEARED, new=node.state, session=session)
            new.append(key | _new_values(node, position, changes.at))
            continue
        if node.seen_at is not None and row[_STATUS_PART] != _status(node):
            _note_status(changes, session, row, node)
            if None not in (row.state, node.state) and row.state != node.state:
                moved.append(Moved(node.path, bool(node.in_error), row.seen_at))
        if values := _changed_values(row, node, position, changes.at):
            changed.append(key | values)
    if new:
        tx.execute(insert(NodeRow), new)
    if changed:
        tx.execute(update(NodeRow), changed)
    for vanished in rows.values():
        changes.note(Subject.NODE, vanished.path, Aspect.VANISHED, old=vanished.state, session=session)
        tx.execute(delete(NodeRow).where(NodeRow.session == session, NodeRow.path == vanished.path))
    _note_seen(tx, session, nodes, changes.at)
    return TreeChange(bool(new or changed or rows), tuple(moved))


def save_root_node(tx: Session, daq: DaqSession, status: NodeStatus, changes: Changes) -> bool:
    """Bring the root's node up to date with what the root told right after a command; tell whether it changed."""
    row = tx.get(NodeRow, (daq.name, daq.root_name)) if daq.root_name else None
    if row is None:
        return False
    _note_status(changes, daq.name, row, status)
    values = dict(zip(_STATUS_NAMES, _status(status), strict=True))
    if row.state != status.state or row.state_since is None:
        values["state_since"] = changes.at
    # Its age alone is no news.
    row.seen_at = changes.at
    return assign(row, values)


def _place(node: Node, position: int) -> tuple[object, ...]:
    return (node.name, position, node.depth, node.kind.value, node.endpoint, node.detector, node.holder)


def _status(node: Node | NodeStatus) -> tuple[object, ...]:
    return (node.state, node.sub_state, node.in_error, node.included)


def _new_values(node: Node, position: int, now: datetime) -> dict[str, Any]:
    heard = node.seen_at is not None
    status = _status(node) if heard else (None,) * len(_STATUS)
    values = zip((*_PLACE_NAMES, *_STATUS_NAMES), (*_place(node, position), *status), strict=True)
    held_since = None if node.holder is None else now
    return dict(values) | {"state_since": now if heard else None, "holder_since": held_since, "seen_at": None}


def _changed_values(row: Row[*tuple[Any, ...]], node: Node, position: int, now: datetime) -> dict[str, Any]:
    """Return the columns to write, none where the row says the same."""
    place, values = _place(node, position), dict[str, Any]()
    if row[_PLACE_PART] != place:
        values = dict(zip(_PLACE_NAMES, place, strict=True))
    if row.holder != node.holder:
        values["holder_since"] = now
    if node.seen_at is None:
        return values
    status = _status(node)
    if row[_STATUS_PART] != status:
        values |= dict(zip(_STATUS_NAMES, status, strict=True))
    if row.state != node.state or row.state_since is None:
        values["state_since"] = now
    return values


def _note_seen(tx: Session, session: str, nodes: Sequence[Node], now: datetime) -> None:
    heard = [node.path for node in nodes if node.seen_at is not None]
    if len(heard) == len(nodes):
        everything = update(NodeRow).where(NodeRow.session == session).values(seen_at=now)
        tx.execute(everything.execution_options(synchronize_session=False))
    elif heard:
        tx.execute(update(NodeRow), [{"session": session, "path": path, "seen_at": now} for path in heard])


def _note_status(
    changes: Changes, session: str, row: Row[*tuple[Any, ...]] | NodeRow, found: Node | NodeStatus
) -> None:
    """Note what is new in a status; what a node said first is no change."""
    if row.seen_at is not None:
        changes.compare(Subject.NODE, row.path, _told(row), _told(found), session=session, since=row.seen_at)


def _told(found: Row[*tuple[Any, ...]] | NodeRow | Node | NodeStatus) -> Mapping[Aspect, Value]:
    """Return what the history keeps of a status; a sub-state that only repeats the state says nothing."""
    return {
        Aspect.STATE: found.state,
        Aspect.SUB_STATE: None if found.sub_state == found.state else found.sub_state,
        Aspect.IN_ERROR: found.in_error,
        Aspect.INCLUDED: found.included,
    }
