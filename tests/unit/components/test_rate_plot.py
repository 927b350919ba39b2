from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.figures import STACK_ORDER
from components.rate_plot import (
    SPANS,
    bins,
    passed_s,
    rate_figure,
    rate_table,
    rate_text,
    span_of,
    summary,
    totals,
    window,
)
from services.messages.types import RateBucket, Severity
from tests.unit.components.reading import walk, words

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)


def bucket(second: int, *counts: int, ids: tuple[int, int] = (1, 1), width_s: int = 1) -> RateBucket:
    filled = (*counts, *[0] * (6 - len(counts)))
    return RateBucket(
        second,
        width_s,
        (filled[0], filled[1], filled[2], filled[3], filled[4], filled[5]),
        *ids,
    )


def test_a_window_ends_after_now_on_the_border_of_a_bin() -> None:
    for span in SPANS:
        start, end = window(NOW, span)
        assert start <= NOW < end
        assert (end - start).total_seconds() == span.span_s
        assert int(end.timestamp()) % span.bin_s == 0


def test_empty_bins_are_zeros_and_finer_buckets_are_added_up() -> None:
    start = datetime.fromtimestamp(100, UTC)
    found = [bucket(100, 1, ids=(5, 6)), bucket(109, 2, 0, 0, 1, ids=(7, 9)), bucket(125, 4, ids=(10, 13))]
    bars = bins(found, start, start + timedelta(seconds=40), 10)
    assert [bar.counts[0] for bar in bars] == [3, 0, 4, 0]
    assert (bars[0].min_id, bars[0].max_id, bars[0].counts[Severity.WARNING]) == (5, 9, 1)
    assert (bars[1].min_id, bars[1].max_id) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 899), st.integers(0, 50)), max_size=60))
def test_no_message_is_lost_or_doubled_by_binning(pairs: list[tuple[int, int]]) -> None:
    unique = dict(pairs)
    found = [bucket(second, count) for second, count in unique.items()]
    bars = bins(found, datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(900, UTC), 10)
    assert len(bars) == 90
    assert totals(bars)[Severity.DEBUG] == sum(unique.values())


def test_the_last_bin_is_judged_by_what_has_passed_of_it() -> None:
    assert passed_s(bucket(0, 5, width_s=60), datetime.fromtimestamp(30, UTC)) == 30
    assert passed_s(bucket(0, 5, width_s=60), datetime.fromtimestamp(90, UTC)) == 60
    assert passed_s(bucket(0, 5, width_s=60), datetime.fromtimestamp(0, UTC)) == 1


def test_the_abnormal_is_stacked_from_zero() -> None:
    figure = rate_figure([bucket(0, 1, 2, 3, 4, 5, 6)], NOW, "dark", revision="r")
    assert [trace["name"] for trace in figure["data"]] == [severity.name for severity in STACK_ORDER]
    assert [trace["y"] for trace in figure["data"]] == [[6.0], [5.0], [4.0], [3.0], [2.0], [1.0]]


def test_the_two_themes_differ() -> None:
    dark, light = (rate_figure([bucket(0, 1)], NOW, theme, revision="r") for theme in ("dark", "light"))
    assert dark["data"] != light["data"]


def test_one_sentence_says_it_all() -> None:
    said = summary([bucket(0, 0, 0, 10, 2, 1, width_s=10), bucket(10, width_s=10)], NOW, "all sessions")
    assert said == (
        "Messages per second, all sessions: 13 messages in 20 s, 1 ERROR, 2 WARNING; "
        "highest 1.3 per second at 00:00:00 UTC."
    )
    assert summary([bucket(0)], NOW, "s").endswith("no message in 1 s.")


def test_the_table_says_the_same_newest_first() -> None:
    table = rate_table([bucket(0, 1, width_s=10), bucket(10, 0, 0, 0, 0, 0, 1234, width_s=10)])
    rows = [words(part) for part in walk(table) if part._type == "Tr"]
    assert rows[0] == "From FATAL ERROR WARNING INFO LOG DEBUG All"
    assert rows[1] == "00:00:10 1 234 – – – – – 1 234"
    assert rows[2] == "00:00:00 – – – – – 1 1"


@pytest.mark.parametrize(("rate", "text"), [(23.14, "23.1 /s"), (0.1, "0.1 /s"), (0.05, "3 /min"), (0.001, "3.6 /h")])
def test_rates_are_said_in_a_unit_that_suits_them(rate: float, text: str) -> None:
    assert rate_text(rate) == text


def test_an_unknown_range_is_the_shortest() -> None:
    assert span_of("nonsense") is SPANS[0]
    assert span_of("7d").span_s == 604_800
