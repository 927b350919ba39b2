"""The parts of the status page: what is abnormal is said, what comes from outside stays text."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from components.outlet import drawing
from components.plain_table import Column, Row, plain_table, scrolling
from components.quarantine_table import REDECODE, dump, quarantine_foot, quarantine_table
from components.status_parts import (
    Limits,
    abnormal,
    addresses,
    counts_table,
    figures,
    gaps_table,
    reported_value,
    topics,
    topics_shown,
    workers_table,
)
from components.words import size_text
from services.health import WorkerView
from services.messages.pipeline_types import (
    DatabaseSize,
    GapView,
    PartitionReading,
    PipelineCounts,
    PipelineView,
    QuarantinedView,
)
from services.run_control.backend_types import BackendKind, BackendView
from tests.unit.components.reading import attribute, walk, with_class, words
from tests.unit.components.samples import NOW

LIMITS = Limits(address_s=15, worker_s=6)
SCRIPT = "<script>alert(1)</script>"
GOOD = BackendView(
    BackendKind.PROCESS_MANAGER, "np04-srv-001:10054", "G1", True, NOW, NOW, NOW, 2.34, "it was away", NOW
)  # fmt: skip
GONE = replace(GOOD, kind=BackendKind.CONTROLLER, address="np04-srv-002:3333", reachable=False, error=SCRIPT)
READER = WorkerView(
    "messages", "np04-srv-003:77", "ok", NOW, NOW, NOW, lag_s=0.4, lag_messages=12, memory_peak_bytes=143_000_000
)
POLLER = replace(READER, name="run_control", lag_s=None, lag_messages=None)
DEGRADED, FAILED = replace(READER, state="degraded"), replace(POLLER, state="failed")
PIPELINE = PipelineView(
    partitions=(PartitionReading("monitoring.ers_stream", 3, 12_310, NOW),),
    partitions_total=1,
    counts=PipelineCounts(stored=1_204, pruned=204, echo=7),
    gaps=(),
    quarantined=(),
    database=DatabaseSize("SQLite", "3.40.1", 27_300_000),
)
BAD_RECORD = QuarantinedView(9, NOW, "control.np04.df", 0, 41, SCRIPT, 70_000, b"\x0a\x04np04\x00<b>" + bytes(20))


def body_rows(table: Any) -> list[Any]:
    (body,) = (part for part in walk(table) if part._type == "Tbody")
    return list(body.children)


def figure(parts: Any, name: str) -> Any:
    return next(found for found in with_class(parts, "figure") if words(found).startswith(name))


@pytest.mark.parametrize(
    ("backends", "workers", "told"),
    [
        ([GOOD], [READER, POLLER], ()),
        ([], [READER], ("no address is known",)),
        ([GOOD, GONE], [READER], ("1 address does not answer",)),
        ([GONE, GONE], [], ("2 addresses do not answer", "no collector is at work")),
        ([GOOD], [DEGRADED, FAILED], ("1 worker failed", "1 worker degraded")),
        ([GOOD], [replace(READER, reported_at=NOW - timedelta(seconds=7))], ("no collector is at work",)),
    ],
)
def test_what_is_not_in_order_is_said(
    backends: list[BackendView], workers: list[WorkerView], told: tuple[str, ...]
) -> None:
    assert abnormal(backends, workers, NOW, LIMITS) == told


def test_figures_are_quiet_while_everything_works() -> None:
    found = figures([GOOD], [READER, POLLER], PIPELINE, LIMITS)
    assert words(figure(found, "Addresses")).startswith("Addresses that answer 1 of 1")
    assert words(figure(found, "Messages to read")).startswith("Messages to read 12")
    assert "0.40 s behind" in words(figure(found, "Messages to read"))
    assert words(figure(found, "Messages kept")) == "Messages kept 1 000 1 204 stored so far"
    assert words(figure(found, "Database")) == "Database 27 MB SQLite 3.40.1"
    assert words(figure(found, "Memory")) == "Memory 143 MB … the most a collector took"
    assert with_class(found, "is-bad") + with_class(found, "is-odd") == []


def test_figures_have_a_shape_where_somebody_is_needed() -> None:
    counts = replace(PIPELINE.counts, quarantined=3, gaps=1)
    found = figures([GOOD, GONE], [], replace(PIPELINE, counts=counts), LIMITS)
    assert [words(part)[:9] for part in with_class(found, "is-bad")] == ["Addresses", "Workers i"]
    assert [words(part) for part in with_class(found, "is-odd")] == [
        "Not decoded 3 kept in quarantine",
        "Gaps 1 1 stretch of offsets",
    ]
    assert len(with_class(found, "glyph-error")) == len(with_class(found, "glyph-warning")) == 2
    assert "no collector reports" in words(figure(found, "Messages to read"))
    assert words(figure(found, "Memory")) == "Memory – no collector says it"


@pytest.mark.parametrize("name", ["Addresses", "Workers", "Messages to read"])
def test_what_nobody_reports_any_more_is_struck(name: str) -> None:
    (struck,) = with_class(figure(figures([GOOD], [READER], PIPELINE, LIMITS), name), "stale-value")
    assert attribute(struck, "data-stale-after-s") == "6"
    assert attribute(struck, "data-at-ms") == str(int(NOW.timestamp() * 1000))


def test_a_growing_age_is_not_announced() -> None:
    (counting,) = with_class(reported_value("all is well", [READER], LIMITS), "only-stale")
    assert attribute(counting, "aria-live") == "off"
    assert words(reported_value("nobody reports", [], LIMITS)) == "nobody reports"


def test_a_worker_that_starts_is_no_trouble() -> None:
    found = figures([GOOD], [replace(READER, state="starting"), POLLER], PIPELINE, LIMITS)
    assert "2 of 2" in words(figure(found, "Workers"))
    assert with_class(found, "is-bad") == []


def test_a_reader_that_cannot_store_does_not_look_as_if_nothing_were_waiting() -> None:
    halted = replace(READER, state="degraded", lag_s=42.0, lag_messages=None)
    lag = figure(figures([GOOD], [halted, POLLER], PIPELINE, LIMITS), "Messages to read")
    assert words(lag) == "Messages to read – 42 s behind, reading is disturbed"
    assert len(with_class(lag, "glyph-error")) == 1
    # One of two that works knows.
    both = figures([GOOD], [halted, READER], PIPELINE, LIMITS)
    assert words(figure(both, "Messages to read")).startswith("Messages to read 12")


def test_nobody_knows_the_lag_while_kafka_is_gone() -> None:
    gone = replace(GONE, kind=BackendKind.KAFKA)
    found = figure(figures([gone], [DEGRADED], PIPELINE, LIMITS), "Messages to read")
    assert words(found) == "Messages to read – Kafka does not answer"
    assert "is-bad" in found.className
    (row,) = body_rows(workers_table([DEGRADED], LIMITS))
    assert "0.40 s" not in words(row)


def test_addresses_say_everything_controllers_last() -> None:
    good, gone = body_rows(addresses([GONE, GOOD], LIMITS))
    assert words(good).startswith("process manager np04-srv-001:10054 G1 answers")
    assert "2.3 ms" in words(good)
    # It answers again: the error is history, not an alarm.
    assert with_class(good, "text-error") == []
    assert "it was away" in words(good)
    assert gone.className == "row-error"
    assert "does not answer" in words(gone)
    assert words(with_class(gone, "text-error")) == SCRIPT
    assert "2.3 ms" not in words(gone)


def test_workers_say_how_they_are() -> None:
    failed = replace(POLLER, state="failed", last_error="the thread ended", last_error_at=NOW)
    reader, poller = body_rows(workers_table([READER, failed], LIMITS))
    assert words(reader).startswith("messages ok")
    assert "0.40 s np04-srv-003:77" in words(reader)
    assert words(poller).startswith("run control failed")
    assert "the thread ended" in words(poller)
    assert poller.className == "row-error"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (addresses([], LIMITS), "No address is known"),
        (workers_table([], LIMITS), "manage.py collector"),
        (topics([]), "No topic has been read"),
        (gaps_table([]), "Nothing was missed"),
        (quarantine_table([]), "The quarantine is empty"),
    ],
)
def test_nothing_is_said_in_words(part: Any, said: str) -> None:
    assert said in words(part)
    assert drawing(part)


def test_topics_say_where_reading_stands() -> None:
    (row,) = body_rows(topics(PIPELINE.partitions))
    assert words(row).startswith("monitoring.ers_stream 3 12 310")
    assert topics_shown(PIPELINE) == "1 partition"
    assert topics_shown(replace(PIPELINE, partitions_total=900)) == "the 1 read last of 900 partitions"


def test_every_count_has_a_meaning() -> None:
    rows = [words(row) for row in body_rows(counts_table(PIPELINE.counts))]
    assert [row.split()[0] for row in rows] == ["stored", "pruned", "echo", "duplicates", "quarantined", "gaps"]
    assert rows[1] == "pruned 204 of these, removed because they were too old"


def test_gaps_say_how_many_or_that_nobody_knows() -> None:
    known = GapView(1, NOW, "control.np04.df", 2, 100, 7, "thrown away")
    unknown = replace(known, id=2, missing=None, reason=SCRIPT)
    first, second = body_rows(gaps_table([unknown, known]))
    assert words(first).endswith(f"control.np04.df[2] not known {SCRIPT}")
    assert words(second).endswith("control.np04.df[2] 7 thrown away")


def test_a_record_in_quarantine_is_text_and_numbers() -> None:
    table = quarantine_table([BAD_RECORD])
    (row,) = body_rows(table)
    assert f"control.np04.df[0] 41 70 kB {SCRIPT} first 30 of 70 000 bytes" in words(row)
    (lines,) = with_class(row, "byte-lines")
    assert lines.children == dump(BAD_RECORD.beginning)
    assert attribute(row, "key") == "quarantined-9"
    # Text nodes only, never a tag: what an outlet draws of it.
    assert '"script"' not in drawing(table)


def test_an_empty_record_is_said_to_be_empty() -> None:
    (row,) = body_rows(quarantine_table([replace(BAD_RECORD, beginning=b"", size_bytes=0)]))
    assert words(row).endswith("empty Key none Kafka's time none")
    assert "0 B" in words(row)
    (row,) = body_rows(quarantine_table([replace(BAD_RECORD, key=b"")]))
    assert "Key empty Kafka's time none" in words(row)


def test_key_and_kafkas_time_of_a_record_are_text_too() -> None:
    kept = replace(BAD_RECORD, key=SCRIPT.encode() + b"\xff", kafka_ms=1_700_000_000_123)
    (row,) = body_rows(quarantine_table([kept]))
    assert f"Key {SCRIPT}\\xff Kafka's time 22:13:20.123" in words(row)
    assert '"script"' not in drawing(quarantine_table([kept]))
    (row,) = body_rows(quarantine_table([replace(kept, kafka_ms=2**62)]))
    assert "ms since 1970" in words(row)


def test_the_command_for_the_quarantine_stands_there_to_copy() -> None:
    assert REDECODE in words(quarantine_foot())


def test_bytes_are_shown_sixteen_a_line() -> None:
    assert dump(b"np04\n<b>\xff") == "6e 70 30 34 0a 3c 62 3e ff".ljust(48) + " np04·<b>·"
    assert dump(bytes(17)).splitlines()[1] == "00".ljust(48) + " ·"


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (27_300_000, "27 MB"),
        (3_240_000_000, "3.2 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_said_as_people_do(size_bytes: int, told: str) -> None:
    assert size_text(size_bytes) == told


def test_a_plain_table_is_one_for_everybody() -> None:
    table = plain_table("Names", (Column("Name"), Column("Size", "number")), [Row(["a", "–"], "row-error", "k")])
    roles = [attribute(part, "role") for part in walk(table) if attribute(part, "role")]
    assert roles == [
        "table", "rowgroup", "row", "columnheader", "columnheader", "rowgroup", "row", "rowheader", "cell",
    ]  # fmt: skip
    (cell,) = (part for part in walk(table) if part._type == "Td")
    assert (attribute(cell, "data-label"), cell.className) == ("Size", "number is-nothing")
    area = scrolling("All names", table)
    assert (attribute(area, "tabIndex"), attribute(area, "aria-label")) == (0, "All names")


def test_a_row_with_a_cell_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        plain_table("Names", (Column("Name"),), [Row(["a", "b"])])
