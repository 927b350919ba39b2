"""Writes the nodes of a session's tree, and notes what changed of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run_control import DaqSession
from models.run_control import Node as NodeRow
from services.history.record import Changes
from services.history.types import Aspect, Subject, Value
from services.run_control.adapter import NodeStatus
from services.run_control.saving import assign
from services.run_control.types import Node


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


def save_nodes(tx: Session, session: str, nodes: Iterable[Node], changes: Changes) -> TreeChange:
    """Make the tree what a poll found; a node that was not heard of keeps its state and age."""
    rows = {row.path: row for row in tx.scalars(select(NodeRow).where(NodeRow.session == session))}
    changed = False
    moved: list[Moved] = []
    for position, node in enumerate(nodes):
        row = rows.pop(node.path, None)
        if row is None:
            row = NodeRow(session=session, path=node.path, state=None, state_since=None)
            tx.add(row)
            changes.note(Subject.NODE, node.path, Aspect.APPEARED, new=node.state, session=session)
        elif node.seen_at is not None and None not in (row.state, node.state) and row.state != node.state:
            moved.append(Moved(node.path, bool(node.in_error), row.seen_at))
        changed |= _save_node(row, node, position, changes)
    for vanished in rows.values():
        changes.note(Subject.NODE, vanished.path, Aspect.VANISHED, old=vanished.state, session=session)
        tx.delete(vanished)
    return TreeChange(changed or bool(rows), tuple(moved))


def save_root_node(tx: Session, daq: DaqSession, status: NodeStatus, changes: Changes) -> bool:
    """Bring the root's node up to date with what the root told right after a command; tell whether it changed."""
    row = tx.get(NodeRow, (daq.name, daq.root_name)) if daq.root_name else None
    if row is None:
        return False
    return assign(row, _status_values(row, status, changes))


def _save_node(row: NodeRow, node: Node, position: int, changes: Changes) -> bool:
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
        values["holder_since"] = changes.at
    if node.seen_at is not None:
        values |= _status_values(row, node, changes)
    return assign(row, values)


def _status_values(row: NodeRow, found: Node | NodeStatus, changes: Changes) -> Mapping[str, object]:
    """Return the columns of a node's status, and note what is new in them."""
    if row.seen_at is not None:
        changes.compare(Subject.NODE, row.path, _told(row), _told(found), session=row.session, since=row.seen_at)
    values: dict[str, object] = {
        "state": found.state,
        "sub_state": found.sub_state,
        "in_error": found.in_error,
        "included": found.included,
    }
    if row.state != found.state or row.state_since is None:
        values["state_since"] = changes.at
    # Its age alone is no news.
    row.seen_at = changes.at
    return values


def _told(found: NodeRow | Node | NodeStatus) -> Mapping[Aspect, Value]:
    """Return what the history keeps of a status; a sub-state that only repeats the state says nothing."""
    return {
        Aspect.STATE: found.state,
        Aspect.SUB_STATE: None if found.sub_state == found.state else found.sub_state,
        Aspect.IN_ERROR: found.in_error,
        Aspect.INCLUDED: found.included,
    }
