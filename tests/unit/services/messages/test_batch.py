"""From records and positions to a batch."""

from hypothesis import given
from hypothesis import strategies as st

from services.messages.batch import Advance, Position, make_batch
from services.messages.decode import decode_all
from services.messages.types import Record

TOPIC = "control.np04.root-controller"
EMITTER = b"\x0a\x00"
READY = EMITTER + b"\x1a\x33\x0a\x31type.googleapis.com/dunedaq.druncschema.PlainText"


def record(offset: int, partition: int = 0, value: bytes = READY) -> Record:
    return Record(TOPIC, partition, offset, None, None, value)


def positions(**changed: int | None) -> dict[tuple[str, int], Position]:
    following = changed.get("following", 5) or 0
    return {(TOPIC, 0): Position(3, changed.get("stored", 5), following), (TOPIC, 1): Position(3, None, 0)}


def test_records_advance_their_partitions() -> None:
    arrivals = decode_all([record(5), record(0, 1), record(7), record(8, value=b"")], 0)
    batch = make_batch(arrivals, positions(), 9, lambda _message: False)
    assert batch.received_ns == 9
    assert [(item.record.offset, item.incarnation_id) for item in batch.accepted] == [(5, 3), (0, 3), (7, 3)]
    assert [(item.record.offset, item.reason) for item in batch.rejected] == [(8, "empty value")]
    assert list(batch.advances) == [Advance(3, TOPIC, 0, 5, 9), Advance(3, TOPIC, 1, None, 1)]


def test_what_was_stored_or_is_not_ours_is_left_out() -> None:
    batch = make_batch(decode_all([record(4), record(0, 2), record(3)], 0), positions(), 0, lambda _message: False)
    assert (batch.accepted, batch.rejected, batch.advances) == ([], [], [])


def test_echo_advances_too_but_is_only_counted() -> None:
    batch = make_batch(decode_all([record(5), record(6)], 0), positions(), 0, lambda _message: True)
    assert (batch.accepted, batch.echo) == ([], 2)
    assert list(batch.advances) == [Advance(3, TOPIC, 0, 5, 7)]


@given(offsets=st.lists(st.integers(0, 30), max_size=40), following=st.integers(0, 20))
def test_whatever_order_records_come_in_offsets_only_grow(offsets: list[int], following: int) -> None:
    known = positions(stored=following, following=following)
    batch = make_batch(decode_all(map(record, offsets), 0), known, 0, lambda _message: False)
    taken = [item.record.offset for item in batch.accepted]
    assert taken == sorted(set(taken))
    assert all(offset >= following for offset in taken)
    if taken:
        assert [step.next_offset for step in batch.advances] == [taken[-1] + 1]
