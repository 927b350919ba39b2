"""Pages without what is muted: the same rows as without those that fit the predicate, each hidden one counted once."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.database import Database
from services.messages import muting as muting_module
from services.messages import queries as queries_module
from services.messages.filters import fits
from services.messages.queries import MessageQueries
from services.messages.types import (
    Contains,
    Expression,
    MessageFilter,
    MessagePage,
    MessageView,
    Name,
    NameIn,
    News,
    NotShown,
    Severity,
    SeverityIn,
)
from services.timed import Timed
from tests.db.services.messages.builders import message, store_all
from tests.db.services.messages.statements import noted
from tests.db.services.messages.test_filters import NAMES, WANTED, stored
from tests.seconds import Seconds

NOISE = Contains("noise")
SEVERE = frozenset({Severity.WARNING, Severity.ERROR, Severity.FATAL})


def pages_down(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[MessagePage]:
    found = [queries.page(wanted, limit=limit)]
    while (before := found[-1].next_before) is not None:
        found.append(queries.page(wanted, before=before, limit=limit))
    return found


def pages_up(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[MessagePage]:
    found = [queries.page(wanted, after=0, limit=limit)]
    while (after := found[-1].next_after) is not None:
        found.append(queries.page(wanted, after=after, limit=limit))
    return found[::-1]


def hear_news(queries: MessageQueries, wanted: MessageFilter, limit: int) -> list[News]:
    found = [queries.news(wanted, 0, limit=limit)]
    while found[-1].has_more:
        found.append(queries.news(wanted, found[-1].reached, limit=limit))
    return found[::-1]


def rows(pages: Sequence[MessagePage | News]) -> list[int]:
    return [message.id for page in pages for message in page.items]


FILTERS = st.builds(
    MessageFilter,
    severities=st.frozensets(st.sampled_from(Severity), max_size=3),
    sessions=st.frozensets(st.sampled_from(NAMES), max_size=1),
    where=WANTED,
    muted=WANTED,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(wanted=FILTERS, limit=st.integers(1, 20), most=st.integers(1, 30))
def test_sql_and_predicate_leave_out_the_same_rows(
    queries: MessageQueries, database: Database, wanted: MessageFilter, limit: int, most: int
) -> None:
    everything = stored(database)
    found = [view for view in everything if _fits(view, wanted)]
    expected = [view.id for view in found if not fits(wanted.muted, view)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(muting_module, "MOST_CANDIDATES", most)
        for pages in (pages_down(queries, wanted, limit), pages_up(queries, wanted, limit)):
            assert rows(pages) == expected
            assert sum(page.muted for page in pages) == len(found) - len(expected)
            assert all(len(page.items) <= limit for page in pages)
        for stretch in (0, 100):
            patch.setattr(queries_module, "STRETCH_IDS", stretch)
            news = hear_news(queries, wanted, limit)
            assert rows(news) == expected
            assert sum(one.muted for one in news) == len(found) - len(expected)


def _fits(view: MessageView, wanted: MessageFilter) -> bool:
    return (
        (not wanted.severities or view.severity in wanted.severities)
        and (not wanted.sessions or view.session.replace("\N{SYMBOL FOR NULL}", "\0") in wanted.sessions)
        and fits(wanted.where, view)
    )


def test_the_neighbours_of_a_message_are_those_that_are_not_muted(queries: MessageQueries, database: Database) -> None:
    store_all(database, [message("noise" if number % 2 else "news") for number in range(20)])
    page = queries.around(MessageFilter(muted=NOISE), 9, limit=6)
    assert rows([page]) == [15, 13, 11, 9, 7, 5]
    assert page.muted == 5


def test_what_is_muted_after_the_last_row_of_a_page_belongs_to_the_next(
    queries: MessageQueries, database: Database
) -> None:
    store_all(database, [message("news"), *[message("noise")] * 3, message("news"), message("noise")])
    first = queries.page(MessageFilter(muted=NOISE), limit=1)
    assert (rows([first]), first.muted, first.next_before) == ([5], 1, 5)
    last = queries.page(MessageFilter(muted=NOISE), before=5, limit=1)
    assert (rows([last]), last.muted, last.next_before) == ([1], 3, None)


def test_a_page_of_noise_alone_says_how_far_it_got(
    queries: MessageQueries, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("news"), *[message("noise")] * 30])
    monkeypatch.setattr(muting_module, "MOST_CANDIDATES", 10)
    page = queries.page(MessageFilter(muted=NOISE), limit=5)
    assert (page.items, page.scanned_to, page.next_before, page.muted) == ((), 17, 17, 15)
    assert not page.timed_out


def test_a_page_of_noise_alone_ends_when_its_time_is_up(hurried: MessageQueries, database: Database) -> None:
    store_all(database, [message("news"), *[message("noise")] * 30])
    page = hurried.page(MessageFilter(muted=NOISE), limit=5)
    assert (page.items, page.scanned_to, page.muted, page.timed_out) == ((), 27, 5, True)


@pytest.mark.parametrize("wanted", [MessageFilter(), MessageFilter(severities=SEVERE), MessageFilter(text="new")])
def test_a_mute_changes_none_of_the_statements_that_find_messages(
    queries: MessageQueries, database: Database, wanted: MessageFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes pages fast are the plans of `test_plans`; a mute asks one thing more, of ids that were found."""
    # Otherwise read again when a second has gone by.
    monkeypatch.setattr(queries, "_not_shown", Timed(NotShown, 1, Seconds()))
    store_all(database, [message("news", severity=Severity.ERROR)] * 3)
    noise = NameIn(Name.APPLICATION, frozenset({"mlt"}))
    # From now on names are known.
    queries.page(wanted)
    with noted(database) as plain:
        queries.page(wanted)
    with noted(database) as muted:
        queries.page(MessageFilter(wanted.severities, text=wanted.text, muted=noise))
    more = [statement for statement in muted if statement not in plain]
    assert len(muted) == len(plain) + 1
    assert len(more) == 1
    assert more[0][0].startswith("SELECT message.id \nFROM message")


@pytest.mark.parametrize("scan_ids", [3, 1_000])
def test_a_search_step_by_step_leaves_out_what_is_muted(
    queries: MessageQueries, database: Database, scan_ids: int
) -> None:
    store_all(database, [message(f"noise {number}", severity=Severity(number % 6)) for number in range(12)])
    muted: Expression = SeverityIn(frozenset({Severity.INFO, Severity.DEBUG}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries_module, "SCAN_IDS", scan_ids)
        pages = pages_down(queries, MessageFilter(text="NOISE", muted=muted), 4)
    assert rows(pages) == [12, 11, 10, 8, 6, 5, 4, 2]
    assert sum(page.muted for page in pages) == 4
