"""Plots of measured values: line, band, table twin and sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from components.measurement_plot import (
    measurement_figure,
    measurement_sentence,
    measurement_table,
    series_label,
    source_label,
)
from services.messages.types import MeasurementPoint, MeasurementView
from tests.unit.components.reading import walk, words

BEGIN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=1)


def series(**changed: str | int | None) -> MeasurementView:
    given = {
        "id": 1, "session": "np04", "application": "df-01", "element": "module.queue", "name": "daq.Rate",
        "origin": "Command=conf", "field": "rate_hz", "last_text": None, "last_ns": None,
    }  # fmt: skip
    return MeasurementView(**(given | changed))  # type: ignore[arg-type]


def point(minute: int, value: float) -> MeasurementPoint:
    start = BEGIN + timedelta(minutes=minute)
    return MeasurementPoint(start, 60, n=2, total=2 * value, least=value - 1, greatest=value + 1, last=value)


POINTS = [point(0, 10.0), point(1, 20.0), point(30, 3.0)]


def test_a_series_is_named_by_what_and_whose_it_is() -> None:
    assert series_label(series()) == "Rate of module.queue: rate_hz (Command=conf)"
    assert series_label(series(element="", origin="", name="Rate")) == "Rate: rate_hz"
    assert source_label(series()) == "df-01, np04"
    assert source_label(series(application="", session="")) == "–, without a session"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_line_is_broken_where_nothing_came(theme: str) -> None:
    figure = measurement_figure(POINTS, BEGIN, END, theme, revision="r")
    band, mean = figure["data"]
    assert mean["y"] == [10.0, 20.0, None, 3.0]
    assert band["y"] == [9.0, 19.0, 21.0, 11.0, None, 2.0, 4.0]
    first_ms = int(BEGIN.timestamp()) * 1000
    assert mean["x"] == [first_ms + 30_000, first_ms + 90_000, None, first_ms + 1_830_000]
    assert [at and at - first_ms for at in band["x"][:5]] == [30_000, 90_000, 90_000, 30_000, None]
    assert figure["layout"]["xaxis"]["range"] == [first_ms, first_ms + 3_600_000]


def test_the_sentence_and_the_table_say_the_same() -> None:
    said = measurement_sentence(series(), POINTS, "1 h")
    assert said == (
        "Rate of module.queue: rate_hz (Command=conf), df-01, np04: 6 values in 1 h, mean 11, least 2, greatest 21; "
        "3 at the end."
    )
    rows = [words(part) for part in walk(measurement_table(POINTS)) if part._type == "Tr"]
    assert rows[0] == "From Values Mean Least Greatest Last"
    assert [row.split(" ", 1)[1] for row in rows[1:]] == ["2 3 2 4 3", "2 20 19 21 20", "2 10 9 11 10"]


def test_without_numbers_the_sentence_says_why() -> None:
    assert measurement_sentence(series(), [], "1 h").endswith("df-01, np04: no value in 1 h.")
    word = series(last_text="<b>calibration</b>", last_ns=int(BEGIN.timestamp()) * 10**9)
    assert "“<b>calibration</b>”, reported 2026-01-31 12:00:00 UTC" in measurement_sentence(word, [], "1 h")
