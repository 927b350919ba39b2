"""Whatever comes from Kafka is stored, measured or quarantined, on both engines, and reading goes on."""

import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import Select, func, select

from models.database import Database
from models.messages import Message, Quarantined, Topic, TopicOffset
from services.messages.batch import Batch, Position, make_batch
from services.messages.decode import decode_all
from services.messages.pipeline import PREVIEW_BYTES, PipelineQueries
from services.messages.store import QUARANTINE_PAYLOAD_BYTES, MessageStore
from services.messages.types import Record
from tests.db.services.messages.builders import NOW, NOW_NS, new_incarnation
from tests.unit.services.messages.wire_bytes import field

CONTROL = "control.np04.root-controller"
ERS = "monitoring.ers_stream"
JSON = "erskafka-reporting"
OPMON = "monitoring.opmon_stream"
MEGABYTES_5 = 5 * 1024 * 1024
HUGE_NAME = b"n" * 100_000
PLAIN_TEXT = b"type.googleapis.com/dunedaq.druncschema.PlainText"
UINT64_MAX = 2**64 - 1


def broadcast(text: bytes, number: int = 9, session: bytes = b"np04", type_url: bytes = PLAIN_TEXT) -> bytes:
    emitter = field(1, b"root-controller") + field(2, session)
    return field(1, emitter) + field(2, number) + field(3, field(1, type_url) + field(2, field(1, text)))


def issue(message: bytes = b"m", time: int = NOW_NS) -> bytes:
    return field(1, field(4, message) + field(6, time)) + field(10, b"np04")


def entry(value: bytes = field(2, 5), name: bytes = b"n", measurement: bytes = b"daq.R", time: bytes = b"") -> bytes:
    data = field(10, field(1, name) + field(2, value))
    return time + field(2, b"np04.df-01") + field(3, measurement) + data


def stamp(seconds: int) -> bytes:
    return field(1, field(1, seconds))


def as_json(**issue: object) -> bytes:
    return json.dumps(issue).encode()


# What must become of it: (messages, measurements, quarantined).
HOSTILE: list[tuple[str, bytes | None, tuple[int, int, int]]] = [
    *((topic, None, (0, 0, 1)) for topic in (CONTROL, ERS, JSON, OPMON)),
    *((topic, b"", (0, 0, 1)) for topic in (CONTROL, ERS, JSON, OPMON)),
    *((topic, b"\xff" * 1_000, (0, 0, 1)) for topic in (CONTROL, ERS, JSON, OPMON, "foreign")),
    *((topic, b"\0" * MEGABYTES_5, (0, 0, 1)) for topic in (CONTROL, ERS, JSON, OPMON)),
    # Truncated.
    (CONTROL, broadcast(b"text")[:-1], (0, 0, 1)),
    (ERS, issue()[:-1], (0, 0, 1)),
    (OPMON, entry()[:-1], (0, 0, 1)),
    (JSON, as_json(message="m")[:-1], (0, 0, 1)),
    # Invalid UTF-8.
    (CONTROL, broadcast(b"\xff\xfe"), (0, 0, 1)),
    (ERS, issue(b"\xff\xfe"), (0, 0, 1)),
    (JSON, b'{"message": "\xff\xfe"}', (0, 0, 1)),
    # NUL and lone surrogates.
    (CONTROL, broadcast(b"a\0b", session=b"\0"), (1, 0, 0)),
    (ERS, issue(b"a\0b"), (1, 0, 0)),
    (JSON, as_json(message="a\0b \ud800", issue_name="\0", params=["\0: \ud800"], chain={"\0": "\0"}), (1, 0, 0)),
    (OPMON, entry(field(20, b"a\0b"), name=b"\0"), (0, 1, 0)),
    # Large.
    (CONTROL, broadcast(b"x" * MEGABYTES_5), (1, 0, 0)),
    (ERS, issue(b"x" * MEGABYTES_5), (1, 0, 0)),
    (JSON, as_json(message="x" * MEGABYTES_5, issue_name="y" * MEGABYTES_5), (1, 0, 0)),
    (OPMON, entry(field(20, b"x" * MEGABYTES_5)), (0, 0, 1)),
    (CONTROL, broadcast(b"m", session=HUGE_NAME), (1, 0, 0)),
    (ERS, issue() + field(11, HUGE_NAME), (1, 0, 0)),
    (JSON, as_json(message="m", partition=HUGE_NAME.decode(), application_name=HUGE_NAME.decode()), (1, 0, 0)),
    (OPMON, entry(name=HUGE_NAME, measurement=HUGE_NAME), (0, 1, 0)),
    # Types and numbers that nobody knows.
    (CONTROL, broadcast(b"m", type_url=b"type.googleapis.com/some.Other"), (1, 0, 0)),
    (CONTROL, broadcast(b"m", type_url=b""), (1, 0, 0)),
    *((CONTROL, broadcast(b"m", number), (1, 0, 0)) for number in (18, 2**31 - 1, UINT64_MAX)),
    # Times: -1, 0, year 9999, and beyond.
    *((ERS, issue(time=time), (1, 0, 0)) for time in (UINT64_MAX, 0, 253_402_300_799 * 10**9)),
    *((JSON, as_json(message="m", time=time), (1, 0, 0)) for time in (-1, 0, 253_402_300_799_000, 10**40)),
    *((OPMON, entry(time=stamp(time)), (0, 1, 0)) for time in (UINT64_MAX, 0, 253_402_300_799, 2**62)),
]


def batch_of(incarnation: int, topic: str, value: bytes | None, offset: int) -> Batch:
    record = Record(topic, 0, offset, -1, b"\0\xff", value)
    position = Position(incarnation, offset or None, offset)
    return make_batch(decode_all([record], NOW_NS), {(topic, 0): position}, NOW_NS, lambda _message: False)


@pytest.mark.parametrize(("topic", "value", "becomes"), HOSTILE)
def test_every_record_is_accounted_for(
    database: Database, topic: str, value: bytes | None, becomes: tuple[int, int, int]
) -> None:
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    stored = store.write(batch_of(incarnation, topic, value, 0))
    assert (stored.stored, stored.measurements, stored.quarantined) == becomes
    with database.read() as session:
        assert session.scalar(select(TopicOffset.next_offset)) == 1
        for row in session.scalars(select(Quarantined)):
            assert row.reason
            assert row.size_bytes == len(value or b"")
            assert row.payload == (value or b"")[:QUARANTINE_PAYLOAD_BYTES]
    shown = [(found.key, found.beginning) for found in PipelineQueries(database).view().quarantined]
    assert shown == [(b"\0\xff", (value or b"")[:PREVIEW_BYTES])] * becomes[2]
    # The next one is read as if nothing had been.
    assert store.write(batch_of(incarnation, topic, value, 1)).newest_id == 2 * becomes[0]


def test_absurd_times_are_kept_beside_the_arrival_and_order_is_by_arrival(database: Database) -> None:
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    for offset, time in enumerate((NOW_NS, UINT64_MAX, 5, NOW_NS - 1)):
        store.write(batch_of(incarnation, ERS, issue(time=time), offset))
    with database.read() as session:
        rows = session.execute(select(Message.offset, Message.time_ns, Message.detail).order_by(Message.id)).all()
        assert session.scalar(select(func.count()).select_from(Quarantined)) == 0
    assert [tuple(row) for row in rows] == [
        (0, NOW_NS, None),
        (1, NOW_NS, {"time_given": UINT64_MAX}),
        (2, NOW_NS, {"time_given": 5}),
        (3, NOW_NS - 1, None),
    ]


def in_one_batch(incarnation: int, values: Sequence[tuple[str, bytes | None]]) -> Batch:
    records: list[Record] = []
    for topic, value in values:
        offset = sum(record.topic == topic for record in records)
        records.append(Record(topic, 0, offset, -1, b"\0\xff", value))
    positions = {(topic, 0): Position(incarnation, None, 0) for topic, _ in values}
    return make_batch(decode_all(records, NOW_NS), positions, NOW_NS, lambda _message: False)


def test_all_of_them_in_one_batch_take_no_good_one_with_them(database: Database) -> None:
    good = [(CONTROL, broadcast(b"good")), (ERS, issue(b"good")), (JSON, as_json(message="good"))]
    hostile = [(topic, value) for topic, value, _ in HOSTILE]
    becomes = [sum(numbers) for numbers in zip(*(outcome for *_, outcome in HOSTILE), strict=True)]
    values = [*good, *hostile, *good]
    stored = MessageStore(database, lambda: NOW).write(in_one_batch(new_incarnation(database), values))
    assert [stored.stored - 2 * len(good), stored.measurements, stored.quarantined] == becomes
    with database.read() as session:
        assert session.scalar(select(func.count()).where(Message.text == "good")) == 2 * len(good)
        offsets = {topic: session.scalar(_next_offset(topic)) for topic in {topic for topic, _ in values}}
    assert offsets == Counter(topic for topic, _ in values)


def _next_offset(topic: str) -> Select[int]:
    return select(TopicOffset.next_offset).join(Topic, Topic.id == TopicOffset.topic_id).where(Topic.name == topic)


@pytest.mark.parametrize(
    ("topic", "whole"),
    [
        (CONTROL, broadcast(b"text")),
        (ERS, issue(b"text")),
        (JSON, as_json(message="text")),
        (OPMON, entry(time=stamp(NOW_NS // 10**9))),
    ],
    ids=["broadcast", "issue", "older issue", "measurement"],
)
def test_every_beginning_of_a_record_is_accounted_for(database: Database, topic: str, whole: bytes) -> None:
    """What a writer that dies half-way leaves: some beginnings are records, none is lost."""
    beginnings = [(topic, whole[:length]) for length in range(len(whole) + 1)]
    stored = MessageStore(database, lambda: NOW).write(in_one_batch(new_incarnation(database), beginnings))
    assert stored.stored + stored.measurements + stored.quarantined == len(beginnings)
    assert stored.quarantined > 0
    with database.read() as session:
        assert session.scalar(select(TopicOffset.next_offset)) == len(beginnings)


@pytest.mark.parametrize("topic", [CONTROL, ERS, JSON, OPMON])
def test_random_bytes_are_accounted_for(database: Database, topic: str) -> None:
    chance = random.Random(20261121)  # noqa: S311 - the same bytes every time
    values = [(topic, chance.randbytes(chance.randrange(200))) for _ in range(500)]
    stored = MessageStore(database, lambda: NOW).write(in_one_batch(new_incarnation(database), values))
    assert stored.stored + stored.measurements + stored.quarantined == len(values)
    with database.read() as session:
        kept = session.scalar(select(func.count()).select_from(Quarantined))
    assert kept == stored.quarantined
