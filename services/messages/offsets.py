"""Move the offsets of many partitions by compare-and-swap, in one statement for all."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from models.base import UtcDateTime
from models.messages import TopicOffset
from services.messages.batch import Advance
from services.messages.upsert import insert_into, is_postgresql

# One statement, however many partitions a batch has.
_MOVE_POSTGRESQL = text(
    """
    UPDATE topic_offset AS kept SET next_offset = step.next_offset, updated_at = :now
    FROM unnest(
        CAST(:incarnation_ids AS integer[]), CAST(:topic_ids AS integer[]), CAST(:partitions AS integer[]),
        CAST(:expected AS bigint[]), CAST(:next_offsets AS bigint[])
    ) AS step (incarnation_id, topic_id, partition, expected, next_offset)
    WHERE kept.incarnation_id = step.incarnation_id AND kept.topic_id = step.topic_id
        AND kept.partition = step.partition AND kept.next_offset = step.expected
    """
).bindparams(bindparam("now", type_=UtcDateTime))
_MOVE_SQLITE = text(
    """
    UPDATE topic_offset AS kept SET next_offset = json_extract(step.value, '$[4]'), updated_at = :now
    FROM json_each(:steps) AS step
    WHERE kept.incarnation_id = json_extract(step.value, '$[0]') AND kept.topic_id = json_extract(step.value, '$[1]')
        AND kept.partition = json_extract(step.value, '$[2]') AND kept.next_offset = json_extract(step.value, '$[3]')
    """
).bindparams(bindparam("now", type_=UtcDateTime))


def move(session: Session, advances: Sequence[Advance], topic_ids: Mapping[str, int], now: datetime) -> bool:
    """Move offsets in the caller's transaction; return whether each was still what is expected.

    If not, some have been moved all the same: the caller rolls back.
    """
    first = [step for step in advances if step.expected is None]
    further = [step for step in advances if step.expected is not None]
    return _begin(session, first, topic_ids, now) and _go_on(session, further, topic_ids, now)


def _begin(session: Session, steps: Sequence[Advance], topic_ids: Mapping[str, int], now: datetime) -> bool:
    """Write the first offset of partitions; the primary key guards it."""
    if not steps:
        return True
    rows = [
        {
            "incarnation_id": step.incarnation_id,
            "topic_id": topic_ids[step.topic],
            "partition": step.partition,
            "next_offset": step.next_offset,
            "updated_at": now,
        }
        for step in steps
    ]
    statement = insert_into(session, TopicOffset).on_conflict_do_nothing().returning(TopicOffset.next_offset)
    return len(session.connection().execute(statement, rows).all()) == len(steps)


def _go_on(session: Session, steps: Sequence[Advance], topic_ids: Mapping[str, int], now: datetime) -> bool:
    if not steps:
        return True
    if is_postgresql(session):
        columns = {
            "incarnation_ids": [step.incarnation_id for step in steps],
            "topic_ids": [topic_ids[step.topic] for step in steps],
            "partitions": [step.partition for step in steps],
            "expected": [step.expected for step in steps],
            "next_offsets": [step.next_offset for step in steps],
        }
        return session.connection().execute(_MOVE_POSTGRESQL, {**columns, "now": now}).rowcount == len(steps)
    listed = [
        (step.incarnation_id, topic_ids[step.topic], step.partition, step.expected, step.next_offset) for step in steps
    ]
    moved = session.connection().execute(_MOVE_SQLITE, {"steps": json.dumps(listed), "now": now})
    return moved.rowcount == len(steps)
