"""Messages are found by words while they are stored and not after, on both engines."""

import itertools
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from models.database import Database
from models.messages import Incarnation, Message, MessageApplication, MessageSession
from models.search import SECTION_IDS, TRIGRAM_INDEXES
from services.messages import pace, search, selection, word_search
from services.messages import queries as queries_module
from services.messages.filter_text import parse
from services.messages.filters import all_of, fits, words_of
from services.messages.queries import MessageQueries
from services.messages.retention import Retention
from services.messages.search import ALL_INDEXES, KEEP_S, Search, Within, can_find, candidates
from services.messages.store import MessageStore
from services.messages.types import Contains, Decoded, MessageFilter, MessageView, Severity, Words
from tests.db.services.messages.builders import NOW, batch, message, new_incarnation, store_all
from tests.db.services.messages.statements import noted

TEXTS = ("Readout failed on link 7", "configured", "the readout_unit is ready", "Ünïcode in the READOUT", "failed")


def found(
    database: Database, wanted: Search | str, *, limit: int = 100, ascending: bool = False, **bounds: int
) -> list[int]:
    sought = Search(words_of(wanted)) if isinstance(wanted, str) else wanted
    with database.read() as session:
        assert can_find(session, sought)
        statement = candidates(
            sought,
            session.get_bind().dialect.name,
            has_after="after" in bounds,
            has_before="before" in bounds,
            ascending=ascending,
            within=Within(len(ALL_INDEXES)),
        )
        return list(session.scalars(statement, {"rows": limit, **bounds, **Within.parameters(ALL_INDEXES)}))


def helps(database: Database, words: str) -> bool:
    with database.read() as session:
        return can_find(session, Search(words_of(words)))


def require_true_index(database: Database) -> None:
    """FTS5 compares its index with all messages, and raises when they differ."""
    if database.is_sqlite:
        with database.write() as session:
            session.execute(text("INSERT INTO message_search (message_search, rank) VALUES ('integrity-check', 1)"))


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ("readout", [4, 3, 1]),
        ("READ", [4, 3, 1]),
        ("readout failed", [1]),
        ("unit", [3]),
        ("eado", []),
        ("rea\u0308", [4, 3, 1]),
        ("readout_unit", [3]),
        ("on link 7", [1]),
        ('fail" OR text:"', []),
        ("fail (ready* NOT", []),
    ],
)
def test_words_are_found_by_their_beginnings(database: Database, asked: str, ids: list[int]) -> None:
    store_all(database, [message(one) for one in TEXTS])
    assert found(database, asked) == ids


def test_no_index_helps_with_a_few_letters(database: Database) -> None:
    assert not any(helps(database, words) for words in ("ab 1", "", "- _ !!!", "\u00c4rger", "ab\u00e4bc"))


def test_pages_go_both_ways(database: Database) -> None:
    store_all(database, [message("ready")] * 9)
    assert found(database, "ready", limit=3) == [9, 8, 7]
    assert found(database, "ready", limit=3, before=7) == [6, 5, 4]
    assert found(database, "ready", limit=3, after=2, ascending=True) == [3, 4, 5]


@pytest.mark.parametrize("severities", [(), (Severity.WARNING,), (Severity.ERROR, Severity.FATAL)])
@pytest.mark.parametrize("sessions", [(), ("s1",), ("s0", "s2")])
@pytest.mark.parametrize("applications", [(), ("a3",), ("a1", "a4")])
def test_words_and_filters_together(
    database: Database, severities: tuple[Severity, ...], sessions: tuple[str, ...], applications: tuple[str, ...]
) -> None:
    store_all(
        database,
        [
            message("ready", severity=Severity(number % 6), session=f"s{number // 6 % 3}", application=f"a{number % 5}")
            for number in range(90)
        ],
    )
    with database.read() as session:
        rows = session.execute(
            select(Message.id, Message.severity, MessageSession.name, MessageApplication.name)
            .join(MessageSession, MessageSession.id == Message.session_id)
            .join(MessageApplication, MessageApplication.id == Message.application_id)
        ).all()
        session_ids, application_ids = (
            tuple(session.scalars(select(table.id).where(table.name.in_(names))))
            for table, names in ((MessageSession, sessions), (MessageApplication, applications))
        )
    expected = sorted(
        (
            id_
            for id_, severity, s, a in rows
            if (not severities or severity in severities)
            and (not sessions or s in sessions)
            and (not applications or a in applications)
        ),
        reverse=True,
    )
    assert expected
    assert found(database, Search(("ready",), severities, session_ids, application_ids), limit=100) == expected


def test_the_index_holds_what_is_stored(database: Database) -> None:
    """However rows came: in bulk, beside some that were stored before, or one by one."""
    store = MessageStore(database, lambda: NOW)
    incarnation = new_incarnation(database)
    store.write(batch(incarnation, [message("first")] * 3))
    with database.write() as session:
        session.execute(text("UPDATE topic_offset SET next_offset = 1"))
    store.write(batch(incarnation, [message("second")] * 4, start=1, expected=1))
    store.write(batch(incarnation, [message("third"), message("huge", time_ns=2**70)], start=5, expected=5))
    require_true_index(database)
    for word, number in {"first": 3, "second": 2, "third": 1, "huge": 0}.items():
        assert len(found(database, word)) == number


def test_what_is_pruned_is_not_found_any_more(database: Database) -> None:
    store_all(database, [message("ready")] * 5, received_ns=1)
    Retention(database, lambda: NOW, 60).turn()
    require_true_index(database)
    assert found(database, "ready") == []


@pytest.fixture
def own_pool(migrated_postgres: Database) -> Database:
    """The same database with connections of its own: each remembers whether it has seen the index."""
    return Database(migrated_postgres.url.render_as_string(hide_password=False))


def test_without_all_trigrams_there_is_no_index(own_pool: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(monotonic() + KEEP_S, KEEP_S)
    monkeypatch.setattr(search, "monotonic", lambda: next(seconds))
    assert helps(own_pool, "ready")
    _rename_trigrams(own_pool, TRIGRAM_INDEXES[-1], "away")
    try:
        assert not helps(own_pool, "ready")
    finally:
        _rename_trigrams(own_pool, "away", TRIGRAM_INDEXES[-1])
    assert helps(own_pool, "ready")


def test_trigrams_are_asked_for_words_that_the_planner_sees(migrated_postgres: Database) -> None:
    """With a parameter it has one plan for any word, which for a rare one reads all messages."""
    with noted(migrated_postgres) as statements:
        found(migrated_postgres, Search(("quenched", "link")))
    asked = statements[-1][0]
    assert "quenched" in asked
    assert "link" in asked


def test_a_connection_looks_for_the_index_once_a_minute(own_pool: Database) -> None:
    helps(own_pool, "ready")
    with noted(own_pool) as statements:
        assert helps(own_pool, "ready")
    assert statements == []


def _rename_trigrams(database: Database, old: str, new: str) -> None:
    with database.write() as session:
        session.execute(text(f"ALTER INDEX {old} RENAME TO {new}"))


def test_the_migration_indexes_what_is_there(database: Database) -> None:
    store_all(database, [message("ready")] * 3)
    database.migrate("0002")
    database.migrate()
    require_true_index(database)
    assert found(database, "ready") == [3, 2, 1]


# Pages of messages by their words

WORDS = ("rea", "read", "quick", "1", "ready 1", "unit", "n", "Ärg", "READY Ärg", "nowhere", "ready nowhere", "- _")


def mixed(number: int) -> list[Decoded]:
    texts = ("ready", "already", "not-ready unit_1", "Ärger, read", "quick Ready", "“ready”")
    return [
        message(
            f"{texts[i % 6]} {i}",
            severity=Severity(i * 7 % 6),
            session=f"s{i * 5 % 4}",
            application=f"app-{i * 3 % 5}",
        )
        for i in range(number)
    ]


WANTED = st.builds(
    MessageFilter,
    severities=st.frozensets(st.sampled_from(Severity)),
    sessions=st.frozensets(st.sampled_from(["s0", "s1"])),
    applications=st.frozensets(st.sampled_from(["app-0", "app-1"]), max_size=1),
    where=st.builds(
        lambda words, more: all_of(Words(words), parse(more)),
        st.sampled_from(WORDS),
        st.sampled_from(["all", "kind=controller", "kind=ers", 'text~"y"', "not words=quick"]),
    ),
)
# How the search is cut up: rows looked at first; of SQLite's index candidates of one step, and of all steps; what a
# block and what an index costs PostgreSQL; branches.
CUTS = st.tuples(
    st.integers(1, 30),
    st.integers(1, 20),
    st.integers(1, 40),
    st.integers(0, 20),
    st.integers(0, 40),
    st.sampled_from([1, 120]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(wanted=WANTED, limit=st.integers(1, 12), cuts=CUTS)
def test_paging_by_words_meets_every_row_once(
    database: Database, wanted: MessageFilter, limit: int, cuts: tuple[int, int, int, int, int, int]
) -> None:
    queries = MessageQueries(database, lambda: NOW)
    if queries.newest_id() == 0:
        store_all(database, mixed(80))
        spread_over_blocks(database)
    expected = [view.id for view in queries.page(MessageFilter(), limit=1000).items if fits_all(view, wanted)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_search, "NEAR_ROWS", cuts[0])
        patch.setattr(word_search, "NEAR_MOST", 2 * cuts[0])
        patch.setattr(pace, "INDEX_STEP", cuts[1])
        patch.setattr(pace, "INDEX_MOST", cuts[2])
        patch.setattr(pace, "ROWS_A_BLOCK", cuts[3])
        patch.setattr(pace, "ROWS_AN_INDEX", cuts[4])
        patch.setattr(selection, "MAX_BRANCHES", cuts[5])
        assert paged(queries, wanted, limit, {"before": queries.newest_id() + 1}) == expected
        assert paged(queries, wanted, limit, {"after": 0}) == expected[::-1]


def spread_over_blocks(database: Database) -> None:
    """Give messages ids far apart, on PostgreSQL: some in a block, blocks without any, and some sections."""
    if not database.is_sqlite:
        with database.write() as session:
            ids = "id + id / 9 * 300000"
            session.execute(text(f"UPDATE message SET id = -({ids})"))  # noqa: S608 - own numbers
            session.execute(text("UPDATE message SET id = -id"))


def test_what_is_new_is_found_although_it_is_remembered_how_far_to_look(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_search, "NEAR_ROWS", 1)
    monkeypatch.setattr(word_search, "NEAR_MOST", 1)
    monkeypatch.setattr(pace, "ROWS_A_BLOCK", 1_000_000)
    needles = [message("needle", severity=Severity.FATAL)] * 3
    hay = message("hay")
    store_all(database, [*mixed(40), *needles, hay, hay, hay, message("hay", severity=Severity.FATAL), *[hay] * 33])
    spread_over_blocks(database)
    queries = MessageQueries(database, lambda: NOW)
    wanted = MessageFilter(severities=frozenset({Severity.FATAL}), where=Words("needle"))
    with noted(database) as first:
        before = queries.page(wanted, limit=1).items
    with noted(database) as again:
        assert queries.page(wanted, limit=1).items == before
    newest = queries.newest_id()
    if not database.is_sqlite:
        # It is known how far they are, and what is newest of all is far from them.
        assert len(again) < len(first)
        assert before[0].id < 2 * SECTION_IDS < newest
    with database.write() as session:
        incarnation = session.scalar(select(Incarnation.id)) or 0
        if not database.is_sqlite:
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('message', 'id'), {newest})"))
    MessageStore(database, lambda: NOW).write(batch(incarnation, needles[:1], start=80, expected=80))
    assert [view.id for view in queries.page(wanted, limit=1).items] == [newest + 1]


def fits_all(view: MessageView, wanted: MessageFilter) -> bool:
    return (
        (not wanted.severities or view.severity in wanted.severities)
        and (not wanted.sessions or view.session in wanted.sessions)
        and (not wanted.applications or view.application in wanted.applications)
        and fits(wanted.where, view)
    )


def paged(queries: MessageQueries, wanted: MessageFilter, limit: int, at: dict[str, int]) -> list[int]:
    """Return the ids of all pages in the order of reading, down or up."""
    way, ids = next(iter(at)), []
    cursor: int | None = at[way]
    while cursor is not None:
        bounds: dict[str, Any] = {way: cursor}
        page = queries.page(wanted, **bounds, limit=limit)
        assert len(page.items) <= limit
        found = [view.id for view in page.items]
        ids += found if way == "before" else found[::-1]
        following = page.next_before if way == "before" else page.next_after
        assert following is None or (following < cursor if way == "before" else following > cursor)
        cursor = following
    return ids


def test_a_search_by_words_that_ends_early_says_how_far_it_got(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(word_search, "NEAR_ROWS", 5)
    monkeypatch.setattr(word_search, "NEAR_MOST", 5)
    monkeypatch.setattr(pace, "INDEX_MOST", 10)
    queries = MessageQueries(database, lambda: NOW)
    page = queries.page(MessageFilter(where=Words("needle")))
    assert ([view.id for view in page.items], page.next_before, page.scanned_to) == ([1], None, None)
    page = queries.page(MessageFilter(where=all_of(Words("hay"), Contains("needle"))))
    # PostgreSQL looks at everything that its index names at once.
    reached = 17 if database.is_sqlite else None
    assert (page.items, page.scanned_to, page.next_before, page.timed_out) == ((), reached, reached, False)


def test_a_search_by_words_whose_time_is_up_says_how_far_it_got(
    hurried: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(word_search, "NEAR_ROWS", 5)
    monkeypatch.setattr(word_search, "NEAR_MOST", 5)
    page = hurried.page(MessageFilter(where=Words("needle")))
    assert (page.items, page.scanned_to, page.timed_out) == ((), 27, True)


def test_without_an_index_a_bounded_stretch_is_looked_at(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store_all(database, [message("needle"), *[message("hay")] * 30])
    monkeypatch.setattr(queries_module, "SCAN_IDS", 10)
    monkeypatch.setattr(search, "can_find", lambda *_: False)
    page = MessageQueries(database, lambda: NOW).page(MessageFilter(where=Words("needle")))
    assert (page.items, page.scanned_to) == ((), 22)
