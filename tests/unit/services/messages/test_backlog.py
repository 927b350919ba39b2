"""Batches, and that the next one is decoded while one is stored."""

from collections.abc import Iterable
from threading import Event, Thread, current_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messages import backlog as backlog_module
from services.messages.backlog import AHEAD_LEAST, BATCH_BYTES, BATCH_RECORDS, Backlog
from services.messages.decode import Arrival, decode_all
from services.messages.decoding import DecodeError
from services.messages.types import Record

READY = b"\x0a\x00\x1a\x33\x0a\x31type.googleapis.com/dunedaq.druncschema.PlainText"
ARRIVED_NS = 1_800_000_000 * 10**9


def record(offset: int, size: int | None = None) -> Record:
    return Record("control.np04.root", 0, offset, None, None, READY if size is None else bytes(size))


def offsets(backlog: Backlog) -> list[int]:
    return [record.offset for record, _ in backlog.first()]


def test_it_is_empty_until_it_is_filled_and_after_its_last_batch() -> None:
    backlog = Backlog()
    assert not backlog
    backlog.fill([], ARRIVED_NS)
    assert not backlog
    backlog.fill([record(0)], ARRIVED_NS)
    assert backlog
    backlog.drop_first()
    assert not backlog


def test_many_records_are_cut_into_batches() -> None:
    backlog = Backlog()
    backlog.fill([record(offset) for offset in range(2 * BATCH_RECORDS + 1)], ARRIVED_NS)
    sizes = []
    while backlog:
        sizes.append(len(backlog.first()))
        backlog.drop_first()
    assert sizes == [BATCH_RECORDS, BATCH_RECORDS, 1]


def test_large_records_are_cut_by_their_size_and_none_is_too_large() -> None:
    backlog = Backlog()
    sizes = (BATCH_BYTES // 2, BATCH_BYTES // 2, 1, 3 * BATCH_BYTES, 5)
    backlog.fill([record(offset, size) for offset, size in enumerate(sizes)], ARRIVED_NS)
    parts = []
    while backlog:
        parts.append(offsets(backlog))
        backlog.drop_first()
    assert parts == [[0, 1], [2], [3], [4]]


@given(
    sizes=st.lists(st.sampled_from([None, 0, BATCH_BYTES // 3, BATCH_BYTES + 1]), max_size=12),
    ahead=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_whatever_is_decoded_ahead_nothing_is_lost_and_nothing_comes_twice(
    sizes: list[int | None], ahead: list[bool]
) -> None:
    records = [record(offset, size) for offset, size in enumerate(sizes)]
    backlog = Backlog()
    backlog.fill(records, ARRIVED_NS)
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog_module, "AHEAD_LEAST", 1)
        for is_ahead in ahead:
            if backlog:
                arrivals = backlog.first()
                if is_ahead:
                    backlog.decode_next()
                taken += [(record, _plain(found)) for record, found in arrivals]
                backlog.drop_first()
    assert taken == [(record, _plain(found)) for record, found in decode_all(records, ARRIVED_NS)]


def _plain(found: object) -> object:
    return found.reason if isinstance(found, DecodeError) else found


def test_the_next_batch_is_decoded_by_another_thread_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[Thread] = []
    is_begun = Event()

    def decode(records: Iterable[Record], arrived_ns: int) -> list[Arrival]:
        threads.append(current_thread())
        is_begun.set()
        return decode_all(records, arrived_ns)

    monkeypatch.setattr(backlog_module, "decode_all", decode)
    backlog = Backlog()
    backlog.fill([record(0, BATCH_BYTES), *map(record, range(1, AHEAD_LEAST + 1))], ARRIVED_NS)
    assert offsets(backlog) == [0]
    assert threads == [current_thread()]
    is_begun.clear()
    backlog.decode_next()
    assert is_begun.wait(10)
    backlog.decode_next()
    backlog.drop_first()
    assert offsets(backlog) == [*range(1, AHEAD_LEAST + 1)]
    assert len(threads) == 2
    assert threads[1] is not current_thread()
    # There is none after the last.
    backlog.decode_next()
    assert len(threads) == 2


def test_few_records_are_not_decoded_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(**_given: object) -> Thread:
        raise AssertionError

    monkeypatch.setattr(backlog_module, "Thread", no_thread)
    backlog = Backlog()
    backlog.fill([record(0, BATCH_BYTES), record(1)], ARRIVED_NS)
    backlog.decode_next()
    assert offsets(backlog) == [0]


def test_what_goes_wrong_ahead_is_told_to_who_wants_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> object:
        raise RuntimeError("a mistake of ours")

    backlog = Backlog()
    monkeypatch.setattr(backlog_module, "AHEAD_LEAST", 1)
    backlog.fill([record(0, BATCH_BYTES), record(1)], ARRIVED_NS)
    backlog.first()
    monkeypatch.setattr(backlog_module, "decode_all", fail)
    backlog.decode_next()
    backlog.drop_first()
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        backlog.first()
    monkeypatch.undo()
    assert offsets(backlog) == [1]


def test_what_is_cleared_does_not_come_back() -> None:
    backlog = Backlog()
    backlog.fill([record(0, BATCH_BYTES), record(1)], ARRIVED_NS)
    backlog.decode_next()
    backlog.clear()
    assert not backlog
    backlog.fill([record(7)], ARRIVED_NS)
    assert offsets(backlog) == [7]
