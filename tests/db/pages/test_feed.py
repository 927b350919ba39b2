import pytest

import pages._feed
from models.database import Database
from pages._feed import feed_delta, footer, older_delta, parse_filter
from services.messages import queries as queries_module
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.types import MessageStatistics, Severity
from tests.db.services.messages.builders import NOW, batch, message, new_incarnation
from tests.unit.components.reading import words

ALL = {"severity": "DEBUG,LOG,INFO,WARNING,ERROR,FATAL"}


class Source:
    """Messages that arrive in batches."""

    def __init__(self, database: Database) -> None:
        self.messages = MessageQueries(database, lambda: NOW)
        self._store = MessageStore(database, lambda: NOW)
        self._incarnation = new_incarnation(database)
        self._next = 0

    def send(self, number: int, severity: Severity = Severity.INFO, session: str = "np04") -> None:
        sent = [message(f"m{self._next + index}", severity=severity, session=session) for index in range(number)]
        self._store.write(batch(self._incarnation, sent, start=self._next, expected=self._next or None))
        self._next += number


@pytest.fixture
def source(database: Database, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(pages._feed, "PAGE", 10)
    monkeypatch.setattr(pages._feed, "WINDOW", 50)
    return Source(database)


def follow(
    source: Source, wanted: dict[str, str], cursor: dict[str, object] | None, shown: list[str]
) -> dict[str, object] | None:
    """Do as the feed in the browser does, until there is nothing more."""
    while True:
        delta = feed_delta(source.messages, wanted, cursor)
        if delta is None:
            return cursor
        if delta["mode"] == "reset":
            shown.clear()
        shown += [str(row["text"]) for row in delta["rows"]]
        cursor = {"key": wanted, "after": delta["cursor"]}
        if not delta["more"]:
            return cursor


def test_the_first_page_is_the_newest_oldest_first(source: Source) -> None:
    source.send(25)
    delta = feed_delta(source.messages, ALL, None)
    assert delta is not None
    assert (delta["mode"], delta["more"]) == ("reset", False)
    assert [row["text"] for row in delta["rows"]] == [f"m{number}" for number in range(15, 25)]
    assert delta["cursor"] == source.messages.newest_id()


def test_following_leaves_no_gap_and_no_double(source: Source) -> None:
    shown: list[str] = []
    source.send(3)
    cursor = follow(source, ALL, None, shown)
    for number in (1, 25, 0, 10):
        if number:
            source.send(number)
        cursor = follow(source, ALL, cursor, shown)
    assert shown == [f"m{number}" for number in range(39)]


def test_nothing_new_is_no_answer_at_all(source: Source) -> None:
    source.send(3)
    cursor = follow(source, ALL, None, [])
    assert feed_delta(source.messages, ALL, cursor) is None


def test_a_filter_that_nothing_fits_still_moves_on(source: Source) -> None:
    wanted = {"severity": "FATAL"}
    source.send(3)
    cursor = follow(source, wanted, None, [])
    source.send(5)
    shown: list[str] = []
    cursor = follow(source, wanted, cursor, shown)
    assert shown == []
    assert cursor == {"key": wanted, "after": source.messages.newest_id()}


def test_another_filter_begins_anew(source: Source) -> None:
    source.send(3)
    source.send(2, Severity.ERROR)
    shown: list[str] = []
    cursor = follow(source, ALL, None, shown)
    follow(source, {"severity": "ERROR"}, cursor, shown)
    assert shown == ["m3", "m4"]


def test_a_list_far_behind_is_filled_anew_with_the_newest(source: Source) -> None:
    source.send(3)
    cursor = follow(source, ALL, None, [])
    source.send(200)
    delta = feed_delta(source.messages, ALL, cursor)
    assert delta is not None
    assert delta["mode"] == "reset"
    assert delta["rows"][-1]["text"] == "m202"


def test_older_pages_lead_back_to_the_beginning(source: Source) -> None:
    source.send(25)
    delta = feed_delta(source.messages, ALL, None)
    shown: list[str] = []
    while delta is not None:
        shown = [str(row["text"]) for row in delta["rows"]] + shown
        delta = older_delta(source.messages, ALL, delta["older"]) if delta["older"] else None
    assert shown == [f"m{number}" for number in range(25)]


def test_history_shows_exactly_the_ids_asked_for_and_follows_nothing(source: Source) -> None:
    source.send(9)
    newest = source.messages.newest_id()
    wanted = {**ALL, "before": str(newest - 1), "after": str(newest - 5)}
    delta = feed_delta(source.messages, wanted, None)
    assert delta is not None
    assert [row["text"] for row in delta["rows"]] == ["m4", "m5", "m6"]
    source.send(2)
    assert feed_delta(source.messages, wanted, {"key": wanted, "after": delta["cursor"]}) is None


def test_without_any_severity_nothing_is_shown(source: Source) -> None:
    source.send(3)
    delta = feed_delta(source.messages, {"severity": ""}, None)
    assert delta is not None
    assert delta["rows"] == []


def test_session_application_and_text_are_filters_too(source: Source) -> None:
    source.send(2)
    source.send(2, session="other")
    shown: list[str] = []
    follow(source, {**ALL, "session": "other", "q": "M3", "application": "root-controller"}, None, shown)
    assert shown == ["m3"]


@pytest.mark.parametrize("number", ["", "x", "-1", "1e3", "٣", "9" * 30, None])
def test_positions_that_are_no_ids_are_left_out(number: str | None) -> None:
    assert parse_filter({**ALL, "before": number}).before is None


def test_unknown_severities_are_left_out() -> None:
    assert parse_filter({"severity": "ERROR,LOUD,"}).filter.severities == {Severity.ERROR}
    assert parse_filter(ALL).filter.severities == frozenset()


def test_what_is_not_shown_is_always_said() -> None:
    counts = dict.fromkeys(Severity, 10)
    statistics = MessageStatistics(stored=60, newest_id=60, quarantined=3, echo_not_stored=1234, gaps=2)
    said = words(footer(statistics, counts, parse_filter({"severity": "FATAL,ERROR"})))
    assert said == (
        "hidden by severity 40 in 15 min own echo not stored 1 234 3 not decodable, kept aside 2 gaps in the stream"
    )
    assert words(footer(statistics, counts, parse_filter(ALL))).startswith("hidden by severity 0 in 15 min own")
    for given in ({"q": "m"}, {"where": "kind=ers"}):
        said = words(footer(statistics, counts, parse_filter(ALL | given)))
        assert said.startswith("hidden by severity 0 in 15 min, more by search or expression own")
    assert words(footer(statistics, counts, parse_filter({"severity": ""}))).startswith("hidden by severity 60 ")


def test_around_a_message_are_its_neighbours_and_nothing_is_followed(source: Source) -> None:
    source.send(30)
    wanted = {**ALL, "around": "15"}
    delta = feed_delta(source.messages, wanted, None)
    assert delta is not None
    assert [row["text"] for row in delta["rows"]] == [f"m{number}" for number in range(10, 20)]
    assert (delta["older"], delta["note"]) == (11, "")
    source.send(2)
    assert feed_delta(source.messages, wanted, {"key": wanted, "after": delta["cursor"]}) is None


def test_a_message_that_is_not_among_its_neighbours_is_said(source: Source) -> None:
    source.send(5)
    delta = feed_delta(source.messages, {"severity": "ERROR", "around": "3"}, None)
    assert delta is not None
    assert delta["note"] == "message 3 is not among them: hidden by the filter, muted, or not kept any more"


def test_a_search_that_stopped_early_says_how_far_it_got(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries_module, "SCAN_IDS", 10)
    source.send(30)
    wanted = {**ALL, "q": "m3", "match": "exact"}
    delta = feed_delta(source.messages, wanted, None)
    assert delta is not None
    assert (delta["rows"], delta["older"]) == ([], 21)
    assert delta["note"].startswith("the search has looked as far as message 21 ")
    older = older_delta(source.messages, wanted, delta["older"])
    assert older["note"].startswith("the search has looked as far as message 11 ")
    last = older_delta(source.messages, wanted, older["older"])
    assert ([row["text"] for row in last["rows"]], last["note"]) == (["m3"], "")


@pytest.mark.parametrize(
    ("match", "shown"),
    [("contains", ["m1", "m10", "m11"]), ("exact", ["m1"]), ("not", ["m0", "m2"]), ("words", ["m1", "m10", "m11"])],
)
def test_a_text_is_meant_as_the_address_says(source: Source, match: str, shown: list[str]) -> None:
    source.send(12)
    wanted = {**ALL, "q": "m1", "match": match, "where": "not (text~m3 or text~m4 or text~m5)"}
    found: list[str] = []
    follow(source, {**wanted, "before": "4"} if match == "not" else wanted, None, found)
    assert found == shown


def test_an_expression_that_is_not_understood_shows_nothing_and_says_why(source: Source) -> None:
    source.send(3)
    wanted = {**ALL, "where": "severity"}
    delta = feed_delta(source.messages, wanted, None)
    assert delta is not None
    assert delta["rows"] == []
    assert "ends where '=' is expected" in delta["note"]


def test_a_text_is_meant_as_beginnings_of_words_unless_said_otherwise(source: Source) -> None:
    source.send(12)
    assert parse_filter({**ALL, "q": "M1", "match": "unheard"}) == parse_filter({**ALL, "q": "M1", "match": "words"})
    for text, shown in (("M1", ["m1", "m10", "m11"]), ("1", [])):
        found: list[str] = []
        follow(source, {**ALL, "q": text}, None, found)
        assert found == shown
