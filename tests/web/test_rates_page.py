"""The callbacks of the rates page, called as functions on a real database."""

import importlib
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dash._callback_context import context_value
from dash._utils import AttributeDict
from flask import Flask

from models.database import Database
from pages._feed import feed_delta
from services.clock import utc_now
from services.container import Services
from services.messages.batch import Batch, Measured
from services.messages.store import MessageStore
from services.messages.types import Measurement, Record
from tests.db.services.messages.builders import new_incarnation
from tests.unit.components.reading import walk, words


@pytest.fixture
def rates(app: Flask) -> ModuleType:
    return importlib.import_module("pages.rates")


def test_the_plot_its_sentence_and_its_table_say_the_same(app: Flask, rates: ModuleType, now_ms: int) -> None:
    with app.test_request_context():
        figure, name, sentence, scope, _, table, names = rates.draw({"span": "1h", "session": None}, 1, "light", 1)
    assert name == sentence
    assert "5 messages in 1 h, 1 FATAL, 1 ERROR" in sentence
    assert scope == "all sessions, bins of 1 min"
    assert len(figure["data"][0]["x"]) == 60
    assert len([part for part in walk(table) if part._type == "Tr"]) == 61
    assert [option["label"] for option in names] == ["all sessions", "np04"]


def test_another_session_has_rates_of_its_own(app: Flask, rates: ModuleType, now_ms: int) -> None:
    with app.test_request_context():
        sentence = rates.draw({"span": "15m", "session": "other"}, 1, "dark", 0)[2]
    assert sentence.endswith("other: no message in 15 min.")


def test_a_bin_leads_to_exactly_its_messages(app: Flask, rates: ModuleType, now_ms: int, services: Services) -> None:
    clicked = {"points": [{"customdata": now_ms}]}
    with app.test_request_context():
        chosen = rates.choose(clicked, {"span": "15m", "session": "np04"})
    links = {words(part): part.href for part in walk(chosen) if getattr(part, "href", None)}
    everything = parse_qs(urlsplit(links["Show messages"]).query)
    assert everything["session"] == ["np04"]
    delta = feed_delta(services.messages, {name: value[0] for name, value in everything.items()}, None)
    assert delta is not None
    assert [row["text"] for row in delta["rows"]] == ["m0", "m1", "m2", "m3", "m4"]


def test_a_bin_that_has_left_says_so(app: Flask, rates: ModuleType) -> None:
    with app.test_request_context():
        chosen = rates.choose({"points": [{"customdata": 0}]}, {"span": "15m", "session": None})
    assert "left the range" in words(chosen)


@pytest.fixture
def opmon(rates: ModuleType) -> ModuleType:
    return importlib.import_module("pages._opmon")


@pytest.fixture
def measured(web_database: Database) -> None:
    """Two values of one application, one of another, a minute ago."""
    now = utc_now()
    at_ns = (int(now.timestamp()) - 60) * 1_000_000_000
    sent = [
        Measurement("np04", application, "", "daq.Rate", "", at_ns, {field: number} if number else {}, texts)
        for application, field, number, texts in (
            ("df-01", "rate_hz", 12.0, {}),
            ("df-01", "mode", None, {"mode": "calibration"}),
            ("df-02", "rate_hz", 7.0, {}),
        )
    ]
    incarnation = new_incarnation(web_database)
    items = [Measured(incarnation, Record("monitoring.opmon_stream", 0, 0, None, None, b""), one) for one in sent]
    MessageStore(web_database, lambda: now).write(Batch(at_ns, measured=items))


def ask(app: Flask, opmon: ModuleType, trigger: str, *given: object) -> list[Any]:
    """Call `offer` as Dash does when ``trigger`` changed."""
    with app.test_request_context():
        token = context_value.set(AttributeDict(triggered_inputs=[{"prop_id": f"{trigger}.value", "value": None}]))
        found = list(opmon.offer(*given))
        context_value.reset(token)
        return found


def test_measured_values_are_offered_by_application(app: Flask, opmon: ModuleType, measured: None) -> None:
    wanted = {"span": "15m", "session": None}
    sources, source, values, value, scope = ask(app, opmon, opmon.WANTED, wanted, "", 1, "", [])
    assert [option["label"] for option in sources] == ["df-01, np04", "df-02, np04"]
    assert (source, scope) == ("df-01, np04", "3 values reported")
    assert [option["label"] for option in values] == ["Rate: mode", "Rate: rate_hz"]
    assert value == values[1]["value"]
    _, source, others, other, _ = ask(app, opmon, opmon.SOURCE, wanted, "df-02, np04", 1, value, sources)
    assert (source, [option["label"] for option in others]) == ("df-02, np04", ["Rate: rate_hz"])
    # An address names the value alone.
    assert ask(app, opmon, opmon.WANTED, wanted, "", 1, other, [])[1] == "df-02, np04"
    nothing = ask(app, opmon, opmon.WANTED, {"span": "15m", "session": "other"}, "", 1, value, [])
    assert nothing == [[], "", [], "", "nothing was reported so far"]
    assert ask(app, opmon, "live-messages", wanted, source, 2, other, sources) == [opmon.no_update] * 5


def test_a_measured_value_is_drawn_told_and_listed(
    app: Flask, opmon: ModuleType, measured: None, services: Services
) -> None:
    ids = {(series.application, series.field): str(series.id) for series in services.measurements.series()}
    wanted = {"span": "15m", "session": None}
    with app.test_request_context():
        figure, name, sentence, table = opmon.draw_value(ids["df-01", "rate_hz"], wanted, 1, "dark", 1)
        assert opmon.draw_value(ids["df-01", "mode"], wanted, 1, "dark", 0)[2].startswith(
            "Rate: mode, df-01, np04: “cal"
        )
        assert opmon.draw_value("99", wanted, 1, "dark", 0)[2] == "OpMon: no value is chosen."
    assert name == sentence
    assert sentence.endswith("1 value in 15 min, mean 12, least 12, greatest 12; 12 at the end.")
    assert figure["data"][1]["y"] == [12.0]
    assert len([part for part in walk(table) if part._type == "Tr"]) == 2
