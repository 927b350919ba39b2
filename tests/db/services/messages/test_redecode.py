"""What is in quarantine can be decoded again, each record once, on both engines."""

from collections.abc import Mapping, Sequence

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select

import manage
from models.base import Base
from models.database import Database
from models.messages import MeasurementRollup, Message, MessageCounter, MessageRollup, Quarantined
from services.messages import redecode as redecode_module
from services.messages.batch import Advance, Batch, Rejected
from services.messages.decode import decode
from services.messages.pipeline import PipelineQueries
from services.messages.queries import MessageQueries
from services.messages.redecode import Redecoded, redecode
from services.messages.store import QUARANTINE_PAYLOAD_BYTES, MessageStore
from services.messages.types import MessageFilter, Record
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, new_incarnation

JSON = "erskafka-reporting"
OPMON = "monitoring.opmon_stream"
ISSUE = b'{"message": "no data", "severity": "ERROR", "partition": "np04"}'
ENTRY = b"\x12\x07np04.df\x1a\x06daq.Ra\x52\x07\x0a\x01n\x12\x02\x10\x05"


def quarantine(database: Database, given: Mapping[str, Sequence[bytes | None]]) -> None:
    """Put records into quarantine as an earlier version did, which knew nothing of their topics."""
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    for topic, values in given.items():
        rejected = [
            Rejected(incarnation, Record(topic, 0, offset, None, None, value), "no known form")
            for offset, value in enumerate(values)
        ]
        store.write(Batch(NOW_NS, rejected=rejected, advances=[Advance(incarnation, topic, 0, None, len(values))]))


def number_of(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_is_understood_now_becomes_messages_and_measurements(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redecode_module, "CHUNK_RECORDS", 2)
    huge = b'{"message": "' + b"x" * QUARANTINE_PAYLOAD_BYTES + b'"}'
    quarantine(database, {JSON: [ISSUE, b"{", ISSUE, None, huge], OPMON: [ENTRY, b"\xff"], "foreign": [b"bytes"]})
    assert redecode(database, lambda: NOW) == Redecoded(messages=2, measurements=1, kept=5, incomplete=1)
    page = MessageQueries(database, lambda: NOW).page(MessageFilter())
    assert [(item.id, item.offset, item.text, item.session) for item in page.items] == [
        (2, 2, "no data", "np04"),
        (1, 0, "no data", "np04"),
    ]
    with database.read() as session:
        assert session.scalar(select(func.sum(MessageRollup.n_error)).where(MessageRollup.resolution_s == 60)) == 4
        assert session.scalar(select(func.sum(MeasurementRollup.total)).where(MeasurementRollup.resolution_s == 1)) == 5
        counters = {row.name: row.value for row in session.scalars(select(MessageCounter))}
    assert (counters["stored"], counters["measurements"], counters["released"]) == (2, 1, 3)
    assert number_of(database, Quarantined) == 5


def test_key_and_kafkas_time_are_kept_and_used(database: Database) -> None:
    incarnation, kafka_ms = new_incarnation(database), NOW_NS // 1_000_000 - 5_000
    keyed = Record(JSON, 0, 0, kafka_ms, b"np04", b'{"message": "no data", "severity": "ERROR"}')
    bare = keyed._replace(offset=1, timestamp_ms=None, key=None)
    rejected = [Rejected(incarnation, record, "no known form") for record in (keyed, bare)]
    MessageStore(database, lambda: NOW).write(Batch(NOW_NS, rejected=rejected))
    kept = PipelineQueries(database).view().quarantined
    assert [(record.key, record.kafka_ms) for record in kept] == [(None, None), (b"np04", kafka_ms)]
    assert redecode(database, lambda: NOW) == Redecoded(messages=2)
    late, early = MessageQueries(database, lambda: NOW).page(MessageFilter()).items
    assert (early.session, early.time_ns) == ("np04", kafka_ms * 1_000_000)
    assert (late.session, late.time_ns) == ("", NOW_NS)


def test_a_second_time_changes_nothing(database: Database) -> None:
    quarantine(database, {JSON: [ISSUE], OPMON: [ENTRY, b"\xff"]})
    redecode(database, lambda: NOW)
    assert redecode(database, lambda: NOW) == Redecoded(kept=1)
    assert (number_of(database, Message), number_of(database, MeasurementRollup)) == (1, 3)


def test_ids_go_on_where_the_feed_is(database: Database) -> None:
    quarantine(database, {JSON: [ISSUE]})
    store = MessageStore(database, lambda: NOW)
    store.write(batch(new_incarnation(database, "other"), [message()] * 3))
    redecode(database, lambda: NOW)
    with database.read() as session:
        assert session.scalar(select(Message.id).where(Message.text == "no data")) == 4


def test_a_record_that_is_a_message_already_only_leaves_the_quarantine(database: Database) -> None:
    quarantine(database, {JSON: [ISSUE]})
    with database.read() as session:
        incarnation = session.scalar(select(Quarantined.incarnation_id)) or 0
    MessageStore(database, lambda: NOW).write(batch(incarnation, [message("first")], topic=JSON, expected=1))
    assert redecode(database, lambda: NOW) == Redecoded()
    assert (number_of(database, Message), number_of(database, Quarantined)) == (1, 0)


def test_what_retention_removes_meanwhile_is_not_stored(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine(database, {JSON: [ISSUE, ISSUE]})
    removed: list[int] = []

    def decode_late(record: Record, arrived_ns: int) -> object:
        if not removed:
            removed.append(record.offset)
            with database.write() as session:
                session.execute(delete(Quarantined).where(Quarantined.offset == record.offset))
        return decode(record, arrived_ns)

    monkeypatch.setattr(redecode_module, "decode", decode_late)
    assert redecode(database, lambda: NOW) == Redecoded(messages=1)
    with database.read() as session:
        assert list(session.scalars(select(Message.offset))) == [1]


def test_what_the_database_refuses_stays_and_ends_the_round(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(database, {JSON: [ISSUE, ISSUE]})

    def decode_badly(record: Record, arrived_ns: int) -> object:
        found = decode(record, arrived_ns)
        return message("bad", time_ns=2**70) if record.offset == 0 else found

    monkeypatch.setattr(redecode_module, "decode", decode_badly)
    assert redecode(database, lambda: NOW) == Redecoded(messages=1, kept=1)
    assert (number_of(database, Message), number_of(database, Quarantined)) == (1, 1)


def test_the_command_says_what_it_did(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine(database, {JSON: [ISSUE, b"{"]})
    monkeypatch.setattr(manage, "load_settings_or_exit", lambda: None)
    monkeypatch.setattr(manage, "_open", lambda _settings: database)
    done = CliRunner().invoke(manage.cli, ["messages", "redecode"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "now messages: 1",
        "now measurements: 0",
        "still quarantined: 1 (of 0 only the beginning was kept)",
    ]
