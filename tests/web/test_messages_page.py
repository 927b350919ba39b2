"""The callbacks of the messages page, called as functions on a real database."""

import importlib
from types import ModuleType

import pytest
from flask import Flask

from tests.unit.components.reading import walk, words


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.messages.page")


def part_of(_page: ModuleType, name: str) -> ModuleType:
    """One of the modules that the page is made of."""
    return importlib.import_module(f"pages.messages._{name}")


def test_the_feed_is_surrounded_by_counts_and_names(app: Flask, page: ModuleType, now_ms: int) -> None:
    wanted = {"severity": "ERROR,FATAL", "session": None}
    with app.test_request_context():
        _, name, counts, foot, sessions = page.surroundings(1, wanted, "dark")
    assert "5 messages" in name
    assert words(counts) == "1 1 0 3 0 0"
    assert "hidden by severity 3" in words(foot)
    assert [option["value"] for option in sessions] == ["", "np04"]


def test_the_inspector_opens_and_closes(app: Flask, page: ModuleType, now_ms: int) -> None:
    inspect = part_of(page, "inspector").inspect
    with app.test_request_context():
        content, hidden = inspect([{"id": "5"}])
        assert hidden is False
        assert "FATAL" in words(content)
        assert "Only root-controller" in words(content)
        assert inspect([])[1] is True


def test_fetch_gives_the_list_what_it_lacks(app: Flask, page: ModuleType, now_ms: int) -> None:
    feed = part_of(page, "list")
    wanted = {"severity": "INFO"}
    with app.test_request_context():
        delta = feed.fetch(1, wanted, 0, None)
        assert [row["text"] for row in delta["rows"]] == ["m0", "m1", "m2"]
        assert feed.fetch(1, wanted, 0, {"key": wanted, "after": delta["cursor"]}) is feed.no_update
        assert feed.fetch(1, None, 0, None) is feed.no_update
        assert feed.fetch_older({"before": 3}, wanted)["rows"][-1]["text"] == "m1"


def test_the_address_sets_the_filter(page: ModuleType) -> None:
    ids = part_of(page, "ids")
    layout = page.layout(severity="error,nonsense,FATAL", session="np04", q="df", before="17")
    values = {getattr(part, "id", None): part for part in walk(layout)}
    assert values[ids.SEVERITIES].value == ["ERROR", "FATAL"]
    assert values[ids.SESSION].value == "np04"
    assert values[ids.SEARCH].value == "df"
    assert values[ids.POSITION].data == {"before": "17", "after": None}
    plain = {getattr(part, "id", None): part for part in walk(page.layout())}
    assert plain[ids.SEVERITIES].value == ["FATAL", "ERROR", "WARNING", "INFO"]
    assert plain[ids.POSITION].data is None
