"""Pages, search, rates and statistics on both engines."""

import re
from collections.abc import Sequence
from datetime import UTC, timedelta
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
    Decoded,
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
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, new_incarnation, store_all
from tests.db.services.messages.statements import noted

ANY = MessageFilter()


@pytest.fixture
def queries(database: Database) -> MessageQueries:
    return MessageQueries(database, lambda: NOW)


def mixed(number: int) -> list[Decoded]:
    words = ("ready", "timed out", "100% full", "under_score", "back\\slash", "TIMED OUT")
    return [
        message(
            f"{words[i % 6]} {i}",
            severity=Severity(i * 7 % 6),
            session=f"s{i * 5 % 4}",
            application=f"app-{i * 3 % 5}",
        )
        for i in range(number)
    ]


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
    store_all(database, mixed(25))
    first = queries.page(ANY, limit=10)
    assert (ids(first.items), first.next_before) == (list(range(25, 15, -1)), 16)
    second = queries.page(ANY, before=first.next_before, limit=10)
    last = queries.page(ANY, before=second.next_before, limit=10)
    assert (ids(last.items), last.next_before) == ([5, 4, 3, 2, 1], None)


def test_a_full_last_page_knows_that_it_is_the_last(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed(20))
    page = queries.page(ANY, before=11, limit=10)
    assert (len(page.items), page.next_before) == (10, None)


def test_newer_rows_come_oldest_first_but_newest_on_top(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed(25))
    page = queries.page(ANY, after=5, limit=10)
    assert (ids(page.items), page.next_before) == (list(range(15, 5, -1)), None)
    assert queries.page(ANY, after=25).items == ()


def test_unknown_names_match_nothing(queries: MessageQueries, database: Database) -> None:
    store_all(database, mixed(5))
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
        store_all(database, mixed(80))
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
    store_all(database, mixed(3))
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
    store_all(database, mixed(12), cluster_id=f"first {queries.newest_id()}")
    present = list(range(queries.newest_id(), 0, -1))
    more = iter([*arriving, *[0] * 1000])

    def some_arrive() -> None:
        number = next(more)
        if number:
            store_all(database, mixed(number), cluster_id=f"more {queries.newest_id()}")

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
    store_all(database, mixed(25))
    page = queries.around(ANY, 12, limit=6)
    assert (ids(page.items), page.next_before, page.next_after) == ([15, 14, 13, 12, 11, 10], 10, 15)
    assert ids(queries.page(ANY, after=page.next_after, limit=2).items) == [17, 16]
    page = queries.around(ANY, 25, limit=6)
    assert (ids(page.items), page.next_after) == ([25, 24, 23], None)
    assert ids(queries.around(ANY, 2**63 - 1, limit=2).items) == [25]


def test_a_page_says_what_no_query_can_show(queries: MessageQueries, database: Database) -> None:
    store = MessageStore(database, lambda: NOW)
    store.write(batch(new_incarnation(database), [message(), "bad"], echo=4))
    expected = NotShown(echo_not_stored=4, quarantined=1, gaps=0)
    assert queries.page(ANY).not_shown == expected
    assert queries.around(ANY, 1).not_shown == expected


# Time


def test_a_search_whose_time_is_up_says_how_far_it_got(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(finding_module, "CHUNK_IDS", 10)
    hurried = MessageQueries(database, lambda: NOW, time_limit_s=0)
    page = hurried.page(MessageFilter(text="needle"))
    assert (page.items, page.scanned_to, page.next_before, page.timed_out) == ((), 22, 22, True)
    page = hurried.page(MessageFilter(text="needle"), after=1)
    assert (page.items, page.scanned_to, page.next_after, page.timed_out) == ((), 11, 11, True)


ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")


def test_a_statement_without_end_is_stopped_and_the_connection_stays_good(
    queries: MessageQueries, database: Database
) -> None:
    store_all(database, mixed(3))
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


# Rates


def test_rates_count_by_severity_and_second(queries: MessageQueries, database: Database) -> None:
    second = 1_000_000_000
    store_all(
        database,
        [
            message(severity=Severity.ERROR, time_ns=NOW_NS - 10 * second + 5),
            message(severity=Severity.ERROR, time_ns=NOW_NS - 10 * second),
            message(severity=Severity.DEBUG, time_ns=NOW_NS - 9 * second, session="other"),
            message(time_ns=NOW_NS),
        ],
    )
    buckets = queries.rates(NOW - timedelta(seconds=60), NOW)
    assert [(b.start, b.width_s, b.counts, b.min_id, b.max_id) for b in buckets] == [
        (NOW - timedelta(seconds=10), 1, (0, 0, 0, 0, 2, 0), 1, 2),
        (NOW - timedelta(seconds=9), 1, (1, 0, 0, 0, 0, 0), 3, 3),
    ]
    assert [b.counts for b in queries.rates(NOW - timedelta(seconds=60), NOW, session="other")] == [(1, 0, 0, 0, 0, 0)]
    assert queries.rates(NOW - timedelta(seconds=60), NOW, session="unheard of") == ()


@pytest.mark.parametrize(
    ("span", "ago", "points_and_width"),
    [
        (timedelta(minutes=15), timedelta(0), (2000, 1)),
        (timedelta(minutes=15), timedelta(hours=3), (2000, 60)),
        (timedelta(minutes=15), timedelta(0), (100, 60)),
        (timedelta(hours=24), timedelta(0), (2000, 60)),
        (timedelta(days=13), timedelta(0), (2000, 600)),
        (timedelta(days=28), timedelta(0), (2000, 1800)),
        (timedelta(days=90), timedelta(0), (10, 864_600)),
        (timedelta(0), timedelta(0), (1, 600)),
    ],
)
def test_the_width_of_buckets_fits_the_number_of_points(
    queries: MessageQueries, database: Database, span: timedelta, ago: timedelta, points_and_width: tuple[int, int]
) -> None:
    max_points, width_s = points_and_width
    end = NOW - ago + timedelta(seconds=1)
    start = end - span - timedelta(seconds=1)
    number = 200
    step = (span + timedelta(seconds=1)) / number
    times = [start + step * i for i in range(number)]
    store_all(database, [message(time_ns=int(at.timestamp() * 1e6) * 1000) for at in times])
    buckets = queries.rates(start, end, max_points=max_points)
    assert {bucket.width_s for bucket in buckets} == {width_s}
    assert sum(sum(bucket.counts) for bucket in buckets) == number
    assert len(buckets) <= max_points
    assert [bucket.start for bucket in buckets] == sorted({bucket.start for bucket in buckets})
    assert all(bucket.start.timestamp() % width_s == 0 for bucket in buckets)
    assert all(bucket.start.tzinfo is UTC for bucket in buckets)


def test_rates_of_a_range_that_ends_before_it_starts_are_empty(queries: MessageQueries, database: Database) -> None:
    store_all(database, [message()])
    assert queries.rates(NOW + timedelta(hours=1), NOW - timedelta(hours=1)) == ()


def test_statistics_come_from_counters(queries: MessageQueries, database: Database) -> None:
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    store.write(batch(incarnation, [message(), "bad", message()], echo=4))
    found = queries.statistics()
    assert (found.stored, found.newest_id, found.quarantined, found.echo_not_stored, found.gaps) == (2, 2, 1, 4, 0)
    assert found.counters == {"stored": 2, "quarantined": 1, "echo": 4}


# Plans: no query may read or sort the whole table.


@pytest.fixture
def many(database: Database) -> Database:
    """So many rows that planners have a choice, and statistics to choose by."""
    store_all(database, mixed(20_000))
    with database.write() as session:
        session.execute(text("ANALYZE"))
    return database


def plans(database: Database, statements: list[tuple[str, Any]]) -> str:
    """Return the plans of all statements that read messages or roll-ups."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    lines: list[str] = []
    with database.read() as session:
        for statement, parameters in statements:
            if "FROM message " in statement or "message_rollup" in statement:
                rows = session.connection().exec_driver_sql(explain + statement, parameters)
                lines += [str(row[-1]) for row in rows]
    return "\n".join(lines)


SEVERE = frozenset({Severity.ERROR, Severity.FATAL})
INDEXED = (
    (MessageFilter(severities=SEVERE), "ix_message_kind_severity_id"),
    (MessageFilter(sessions=frozenset({"s0", "s1"})), "ix_message_session_id_kind_severity_id"),
    (MessageFilter(sessions=frozenset({"s0"}), severities=SEVERE), "ix_message_session_id_kind_severity_id"),
    (MessageFilter(applications=frozenset({"app-1"})), "ix_message_application_id_severity_id"),
    (ANY, "pk_message"),
    (MessageFilter(text="nowhere"), "pk_message"),
)
CURSORS: tuple[dict[str, int], ...] = ({}, {"before": 15_000}, {"after": 5_000})


def test_pages_go_by_index(queries: MessageQueries, many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_module, "CHUNK_IDS", 1_000)
    for wanted, index in INDEXED:
        for cursor in CURSORS:
            with noted(many) as statements:
                queries.page(wanted, **cursor)
            plan = plans(many, statements)
            assert "Seq Scan on message " not in plan
            if many.is_sqlite and index == "pk_message":
                # Rows by id are SQLite's table itself; the statement that reads whole rows sorts one page at most.
                assert "SCAN message" not in plan or (wanted == ANY and cursor == {})
            else:
                assert index in plan


@pytest.mark.parametrize(
    ("wanted", "bound"),
    [
        (MessageFilter(severities=SEVERE), "kind="),
        (MessageFilter(sessions=frozenset({"s0"}), severities=SEVERE), "kind="),
        (MessageFilter(applications=frozenset({"app-1"}), severities=SEVERE), "application_id="),
    ],
)
def test_a_walk_along_an_index_knows_its_end(
    queries: MessageQueries, many: Database, wanted: MessageFilter, bound: str
) -> None:
    """Bounded by rows of columns alone PostgreSQL would walk on through all lower severities."""
    for cursor in CURSORS:
        with noted(many) as statements:
            queries.page(wanted, **cursor)
        conditions = re.findall(r"(?:Index Cond:|USING (?:COVERING )?INDEX) .*", plans(many, statements))
        walks = [line.replace(" ", "") for line in conditions if "severity" in line]
        assert walks
        assert not [line for line in walks if bound not in line]


def test_rates_and_newest_go_by_index(queries: MessageQueries, many: Database) -> None:
    with noted(many) as statements:
        queries.rates(NOW - timedelta(minutes=15), NOW)
        queries.newest_id()
    plan = plans(many, statements)
    assert "Seq Scan on message " not in plan
    if many.is_sqlite:
        assert "resolution_s=? AND session_id=? AND bucket_s>? AND bucket_s<?" in plan
