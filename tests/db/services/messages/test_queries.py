"""Pages, search and news on both engines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import MessageRollup
from services.errors import BusyError, NotFoundError
from services.messages import finding as finding_module
from services.messages import queries as queries_module
from services.messages import selection as selection_module
from services.messages.filters import all_of
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.time_limit import limited
from services.messages.types import (
    Kind,
    MessageFilter,
    MessagePage,
    MessageView,
    News,
    NotShown,
    Severity,
    Since,
    Until,
)
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, mixed_messages, new_incarnation, store_all

ANY = MessageFilter()


def ids(items: Sequence[MessageView]) -> list[int]:
    return [item.id for item in items]


def test_an_empty_database_gives_empty_pages(queries: MessageQueries) -> None:
    page = queries.page(ANY)
    assert (page.items, page.next_before, page.scanned_to) == ((), None, None)
    assert queries.newest_id() == 0
    assert queries.statistics().stored == 0
    assert queries.names() == ((), ())
    assert queries.rates(NOW - timedelta(hours=1), NOW) == ()


def test_a_message_comes_back_as_it_was_stored(queries: MessageQueries, database: Database) -> None:
    given_message = message("text <b>", severity=Severity.ERROR, session="np04", time_ns=NOW_NS + 123_456_789)
    store_all(database, [given_message])
    view = queries.message(1)
    assert view == MessageView(
        id=1,
        kind=Kind.CONTROLLER,
        severity=Severity.ERROR,
        session="np04",
        application="root-controller",
        name="STATUS_UPDATE",
        text="text <b>",
        time_ns=NOW_NS + 123_456_789,
        topic="control.np04.root-controller",
        partition=0,
        offset=0,
        detail=None,
    )
    assert view.at == NOW.replace(microsecond=123_456)
    assert queries.page(ANY).items == (view,)


def test_a_message_that_is_not_there_is_not_found(queries: MessageQueries) -> None:
    with pytest.raises(NotFoundError, match="no message 7"):
        queries.message(7)


def test_pages_lead_from_the_newest_to_the_oldest(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(25))
    first = queries.page(ANY, limit=10)
    assert (ids(first.items), first.next_before) == (list(range(25, 15, -1)), 16)
    second = queries.page(ANY, before=first.next_before, limit=10)
    last = queries.page(ANY, before=second.next_before, limit=10)
    assert (ids(last.items), last.next_before) == ([5, 4, 3, 2, 1], None)


def test_a_full_last_page_knows_that_it_is_the_last(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(20))
    page = queries.page(ANY, before=11, limit=10)
    assert (len(page.items), page.next_before) == (10, None)


def test_newer_rows_come_oldest_first_but_newest_on_top(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(25))
    page = queries.page(ANY, after=5, limit=10)
    assert (ids(page.items), page.next_before) == (list(range(15, 5, -1)), None)
    assert queries.page(ANY, after=25).items == ()


def test_unknown_names_match_nothing(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(5))
    for wanted in (MessageFilter(sessions=frozenset({"x\0"})), MessageFilter(applications=frozenset({"\udc80"}))):
        assert queries.page(wanted).items == ()


FILTERS = st.builds(
    MessageFilter,
    severities=st.frozensets(st.sampled_from(Severity)),
    sessions=st.frozensets(st.sampled_from(["s0", "s1", "s2", "unknown"])),
    applications=st.frozensets(st.sampled_from(["app-0", "app-1", "app-4"]), max_size=2),
    text=st.sampled_from(["", "timed OUT", "%", "_", "\\", "100% f", "1", "nothing of the kind", "under_s", "READY"]),
)


def fits(view: MessageView, wanted: MessageFilter) -> bool:
    return (
        (not wanted.severities or view.severity in wanted.severities)
        and (not wanted.sessions or view.session in wanted.sessions)
        and (not wanted.applications or view.application in wanted.applications)
        and wanted.text.lower() in view.text.lower()
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(wanted=FILTERS, limit=st.integers(3, 20), stretch=st.tuples(st.integers(10, 90), st.integers(5, 40)))
def test_paging_down_and_following_up_meet_every_row_once(
    queries: MessageQueries, database: Database, wanted: MessageFilter, limit: int, stretch: tuple[int, int]
) -> None:
    if queries.newest_id() == 0:
        store_all(database, mixed_messages(80))
    everything = queries.page(ANY, limit=1000).items
    expected = [view for view in everything if fits(view, wanted)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries_module, "SCAN_IDS", stretch[0])
        patch.setattr(finding_module, "CHUNK_IDS", stretch[1])
        assert page_down(queries, wanted, limit) == expected
        assert follow_up(queries, wanted, limit) == expected
        assert hear_news(queries, wanted, limit) == expected
        # Far behind.
        patch.setattr(queries_module, "STRETCH_IDS", 7)
        assert hear_news(queries, wanted, limit) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection_module, "MAX_BRANCHES", 1)
        assert list(queries.page(wanted, limit=1000).items) == expected


def page_down(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[MessageView]:
    found: list[MessageView] = []
    before: int | None = None
    while True:
        page = queries.page(wanted, before=before, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        if page.next_before is None:
            return found
        assert before is None or page.next_before < before
        before = page.next_before


def follow_up(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[MessageView]:
    found: list[MessageView] = []
    after = 0
    while True:
        page = queries.page(wanted, after=after, limit=limit)
        found = [*page.items, *found]
        if page.scanned_to is not None:
            assert page.scanned_to > after
            after = page.scanned_to
        elif page.items:
            after = page.items[0].id
        else:
            return found


def hear_news(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[MessageView]:
    found: list[MessageView] = []
    after, has_more = 0, True
    while has_more:
        news = queries.news(wanted, after, limit=limit)
        assert len(news.items) <= limit
        assert news.reached > after
        found = [*news.items, *found]
        after, has_more = news.reached, news.has_more
    assert after == queries.newest_id()
    return found


def test_without_news_nothing_moves(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(3))
    assert queries.news(ANY, 3, limit=10) == News((), 3, has_more=False)
    # A cursor from before the database was made anew.
    assert queries.news(ANY, 77, limit=10) == News((), 3, has_more=False)


def test_a_search_that_ends_early_says_how_far_it_got(
    queries: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(queries_module, "SCAN_IDS", 10)
    page = queries.page(MessageFilter(text="needle"))
    assert (page.items, page.scanned_to, page.next_before) == ((), 22, 22)
    monkeypatch.setattr(queries_module, "SCAN_IDS", 31)
    page = queries.page(MessageFilter(text="needle"))
    assert (ids(page.items), page.scanned_to, page.next_before) == ([1], None, None)


# Both ways, and around a message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(arriving=st.lists(st.integers(0, 6), max_size=12), limit=st.integers(1, 7))
def test_paging_meets_each_row_once_while_rows_are_added(
    queries: MessageQueries, database: Database, arriving: list[int], limit: int
) -> None:
    store_all(database, mixed_messages(12), cluster_id=f"first {queries.newest_id()}")
    present = list(range(queries.newest_id(), 0, -1))
    more = iter([*arriving, *[0] * 1000])

    def some_arrive() -> None:
        number = next(more)
        if number:
            store_all(database, mixed_messages(number), cluster_id=f"more {queries.newest_id()}")

    down: list[int] = []
    page = queries.page(ANY, limit=limit)
    down += ids(page.items)
    while page.next_before is not None:
        some_arrive()
        page = queries.page(ANY, before=page.next_before, limit=limit)
        down += ids(page.items)
    assert down == present
    up: list[int] = []
    page = queries.page(ANY, after=0, limit=limit)
    up += reversed(ids(page.items))
    while page.next_after is not None:
        some_arrive()
        page = queries.page(ANY, after=page.next_after, limit=limit)
        up += reversed(ids(page.items))
    assert up == list(range(1, queries.newest_id() + 1))


def test_around_a_message_are_older_and_newer_ones(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed_messages(25))
    page = queries.around(ANY, 12, limit=6)
    assert (ids(page.items), page.next_before, page.next_after) == ([15, 14, 13, 12, 11, 10], 10, 15)
    assert ids(queries.page(ANY, after=page.next_after, limit=2).items) == [17, 16]
    page = queries.around(ANY, 25, limit=6)
    assert (ids(page.items), page.next_after) == ([25, 24, 23], None)
    assert ids(queries.around(ANY, 2**63 - 1, limit=2).items) == [25]


def test_a_page_says_what_no_query_can_show_as_of_a_second_ago(database: Database) -> None:
    now_s = 0.0
    queries = MessageQueries(database, lambda: NOW, monotonic=lambda: now_s)
    store, life = MessageStore(database, lambda: NOW), new_incarnation(database)
    store.write(batch(life, [message(), "bad"], echo=4))
    expected = NotShown(echo_not_stored=4, quarantined=1, gaps=0)
    assert queries.page(ANY).not_shown == expected
    assert queries.around(ANY, 1).not_shown == expected
    store.write(batch(life, ["bad"], start=6, expected=6))
    assert queries.page(ANY).not_shown == expected
    now_s = 1.0
    assert queries.page(ANY).not_shown == replace(expected, quarantined=2)


# Time


def test_a_search_whose_time_is_up_says_how_far_it_got(
    hurried: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(finding_module, "CHUNK_IDS", 10)
    page = hurried.page(MessageFilter(text="needle"))
    assert (page.items, page.scanned_to, page.next_before, page.timed_out) == ((), 22, 22, True)
    page = hurried.page(MessageFilter(text="needle"), after=1)
    assert (page.items, page.scanned_to, page.next_after, page.timed_out) == ((), 11, 11, True)


ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")


def test_a_statement_without_end_is_stopped_and_the_connection_stays_good(
    queries: MessageQueries, database: Database
) -> None:
    store_all(database, mixed_messages(3))
    with pytest.raises(BusyError, match="took longer than"), database.read() as session, limited(session, 0.05):
        session.execute(ENDLESS).all()
    assert len(queries.page(ANY).items) == 3
    with database.read() as session, limited(session, 0.05) as limit:
        with pytest.raises(DBAPIError) as caught:
            session.execute(ENDLESS).all()
        assert limit.has_stopped(caught.value)
        limit.lift()
        assert session.execute(text("SELECT count(*) FROM message")).scalar_one() == 3


def test_a_search_stopped_in_the_middle_keeps_what_it_found(
    queries: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("hay"), *[message("needle")] * 25])
    monkeypatch.setattr(finding_module, "CHUNK_IDS", 10)
    run = finding_module._run

    def endless_after_the_first(session: Session, selection: Any, bounds: Any, limit: int) -> list[int]:
        return run(session, selection, bounds, limit) if bounds.before == 27 else list(session.scalars(ENDLESS))

    monkeypatch.setattr(finding_module, "_run", endless_after_the_first)
    page = MessageQueries(database, lambda: NOW, time_limit_s=1.0).page(MessageFilter(text="needle"))
    assert (ids(page.items), page.next_before, page.timed_out) == (list(range(26, 16, -1)), 17, True)


def test_a_stretch_of_time_is_found_without_looking_elsewhere(
    queries: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour_ns = 3600 * 10**9
    store_all(database, [message(time_ns=NOW_NS + number * hour_ns) for number in range(20)])
    monkeypatch.setattr(queries_module, "SCAN_IDS", 3)
    stretch = all_of(Since(NOW_NS + 5 * hour_ns), Until(NOW_NS + 7 * hour_ns))
    page = queries.page(MessageFilter(where=stretch))
    assert (ids(page.items), page.scanned_to, page.next_before) == ([7, 6], None, None)
    later = all_of(Since(NOW_NS + 100 * hour_ns), Until(NOW_NS + 101 * hour_ns))
    assert queries.page(MessageFilter(where=later)) == MessagePage((), None)
    # Roll-ups that would tell are gone: then all are looked at.
    with database.write() as session:
        session.execute(delete(MessageRollup).where(MessageRollup.bucket_s < NOW_NS // 10**9 + 6 * 3600))
    assert queries.page(MessageFilter(where=stretch)).scanned_to == 18


def test_names_that_messages_gave(queries: MessageQueries, database: Database) -> None:
    store_all(database, [message(session="b", application="y"), message(session="a", application="x")])
    assert queries.names() == (("a", "b"), ("x", "y"))
