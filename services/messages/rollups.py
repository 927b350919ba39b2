"""Roll-ups: messages counted by severity in buckets of time, kept up to date by every batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.messages import MessageRollup
from services.messages.bulk import MessageRow
from services.messages.types import Severity
from services.messages.upsert import insert_into, table_of

# Widths of the buckets, seconds.
RESOLUTIONS_S = (1, 60, 600)
# 1-second buckets are kept for two hours (see `retention`), so finer plots go no further back.
FINE_BUCKETS_KEPT = timedelta(hours=2)
# ``session_id`` of the buckets that count all sessions together.
ALL_SESSIONS = 0

COLUMNS = tuple(f"n_{severity.name.lower()}" for severity in Severity)


def add(session: Session, rows: Sequence[MessageRow]) -> None:
    """Count new message rows (ids above all earlier ones) in the caller's transaction."""
    buckets = _collect(rows)
    if not buckets:
        return
    statement = insert_into(session, MessageRollup)
    table = table_of(MessageRollup)
    changes: dict[str, Any] = {name: table.c[name] + statement.excluded[name] for name in COLUMNS}
    # Ids only grow, so the least one stays and the greatest one is the new one.
    changes["max_id"] = statement.excluded.max_id
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=["resolution_s", "session_id", "bucket_s"], set_=changes),
        buckets,
    )


def bucket_width_s(start: datetime, end: datetime, now: datetime, max_points: int) -> int:
    """Return the finest width, seconds, that is kept since ``start`` and gives at most ``max_points`` buckets."""
    span_s = max((end - start).total_seconds(), 1)
    for resolution in RESOLUTIONS_S:
        is_kept = resolution > 1 or start >= now - FINE_BUCKETS_KEPT
        # One more, because neither end need be on the border of a bucket.
        if is_kept and span_s / resolution + 1 <= max_points:
            return resolution
    widest = RESOLUTIONS_S[-1]
    return widest * max(-(-int(span_s) // (widest * max(max_points - 1, 1))), 1)


def _collect(rows: Sequence[MessageRow]) -> list[dict[str, int]]:
    """Return the buckets of all widths; counted once by second and session, then added up."""
    seconds: dict[tuple[int, int], dict[str, int]] = {}
    for row in rows:
        key = (row.session_id, row.time_ns // 1_000_000_000)
        bucket = seconds.get(key)
        if bucket is None:
            bucket = seconds[key] = _empty(row.id)
        bucket[COLUMNS[row.severity]] += 1
        bucket["max_id"] = row.id
    buckets: dict[tuple[int, int, int], dict[str, int]] = {}
    for (session_id, second), bucket in seconds.items():
        for resolution in RESOLUTIONS_S:
            for whose in (ALL_SESSIONS, session_id):
                _add_to(buckets.setdefault((resolution, whose, second - second % resolution), {}), bucket)
    # Sorted, so that two writers could never lock rows in opposite orders.
    return [
        {"resolution_s": key[0], "session_id": key[1], "bucket_s": key[2], **buckets[key]} for key in sorted(buckets)
    ]


def _add_to(total: dict[str, int], bucket: dict[str, int]) -> None:
    if not total:
        total.update(bucket)
        return
    for name in COLUMNS:
        total[name] += bucket[name]
    total["min_id"] = min(total["min_id"], bucket["min_id"])
    total["max_id"] = max(total["max_id"], bucket["max_id"])


def _empty(first_id: int) -> dict[str, int]:
    return {"min_id": first_id, "max_id": first_id, **dict.fromkeys(COLUMNS, 0)}
