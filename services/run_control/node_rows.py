"""Writes the rows of a session's tree: those that changed, and when the others were heard of.

A tree of thousands is read every second and hardly ever changes. Rows as objects would cost more than all the rest of a
poll, and hold the database's write lock meanwhile, for which commands wait.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.run_control import Node as NodeRow
from services.run_control.types import Node

_PLACE = (NodeRow.name, NodeRow.position, NodeRow.depth, NodeRow.kind, NodeRow.endpoint)
_STATUS = (NodeRow.state, NodeRow.sub_state, NodeRow.in_error, NodeRow.included)
_PLACE_NAMES = tuple(column.key for column in _PLACE)
_STATUS_NAMES = tuple(column.key for column in _STATUS)
# Place, then status, then when the state began.
_STATUS_BEGINS, _STATUS_ENDS = len(_PLACE), len(_PLACE) + len(_STATUS)


def save_nodes(tx: Session, session: str, nodes: Sequence[Node], now: datetime) -> bool:
    """Make the rows of a session its tree; return whether anything but their age changed.

    A node that was not heard of keeps the status that it had; those that vanished are removed.
    """
    found = tx.execute(select(NodeRow.path, *_PLACE, *_STATUS, NodeRow.state_since).where(NodeRow.session == session))
    rows = {path: tuple(rest) for path, *rest in found}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for position, node in enumerate(nodes):
        key = {"session": session, "path": node.path}
        row = rows.pop(node.path, None)
        if row is None:
            new.append(key | _new_values(node, position, now))
        elif values := _changed_values(row, node, position, now):
            changed.append(key | values)
    if new:
        tx.execute(insert(NodeRow), new)
    if changed:
        tx.execute(update(NodeRow), changed)
    for path in rows:
        tx.execute(delete(NodeRow).where(NodeRow.session == session, NodeRow.path == path))
    _note_seen(tx, session, nodes, now)
    return bool(new or changed or rows)


def _place(node: Node, position: int) -> tuple[object, ...]:
    return (node.name, position, node.depth, node.kind.value, node.endpoint)


def _status(node: Node) -> tuple[object, ...]:
    return (node.state, node.sub_state, node.in_error, node.included)


def _new_values(node: Node, position: int, now: datetime) -> dict[str, Any]:
    heard = node.seen_at is not None
    status = _status(node) if heard else (None,) * len(_STATUS)
    values = zip((*_PLACE_NAMES, *_STATUS_NAMES), (*_place(node, position), *status), strict=True)
    return dict(values) | {"state_since": now if heard else None, "seen_at": None}


def _changed_values(row: tuple[object, ...], node: Node, position: int, now: datetime) -> dict[str, Any]:
    """Return the columns to write, none where the row says the same."""
    place, values = _place(node, position), dict[str, Any]()
    if row[:_STATUS_BEGINS] != place:
        values = dict(zip(_PLACE_NAMES, place, strict=True))
    if node.seen_at is None:
        return values
    status, state_since = _status(node), row[-1]
    if row[_STATUS_BEGINS:_STATUS_ENDS] != status:
        values |= dict(zip(_STATUS_NAMES, status, strict=True))
    if row[_STATUS_BEGINS] != node.state or state_since is None:
        values["state_since"] = now
    return values


def _note_seen(tx: Session, session: str, nodes: Sequence[Node], now: datetime) -> None:
    heard = [node.path for node in nodes if node.seen_at is not None]
    if len(heard) == len(nodes):
        everything = update(NodeRow).where(NodeRow.session == session).values(seen_at=now)
        tx.execute(everything.execution_options(synchronize_session=False))
    elif heard:
        tx.execute(update(NodeRow), [{"session": session, "path": path, "seen_at": now} for path in heard])
