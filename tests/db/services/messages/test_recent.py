"""What open feeds are told of the newest messages: the same as by a query of their own, at the cost of one for all."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from models.database import Database
from models.messages import Message
from services.messages import recent as recent_module
from services.messages.names import Names
from services.messages.queries import MessageQueries
from services.messages.recent import KEEP_S, RecentMessages
from services.messages.types import MessageFilter, MessageView, Not, Severity, SeverityIn
from tests.db.services.messages.builders import NOW, message, store_all
from tests.db.services.messages.statements import noted
from tests.db.services.messages.test_filters import stored
from tests.db.services.messages.test_muting import FILTERS
from tests.seconds import Seconds

ANY = MessageFilter()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def recent(database: Database, seconds: Seconds) -> RecentMessages:
    return RecentMessages(database, Names(), seconds)


@pytest.fixture
def queries(database: Database) -> MessageQueries:
    return MessageQueries(database, lambda: NOW)


def come(database: Database, *texts: str) -> None:
    store_all(database, [message(text) for text in texts], cluster_id=f"cluster of {texts}")


def texts(messages: Sequence[MessageView]) -> list[str]:
    return [view.text for view in messages]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(wanted=FILTERS, limit=st.integers(1, 20), behind=st.integers(0, 100))
def test_what_is_shared_is_what_a_query_gives(
    queries: MessageQueries, database: Database, wanted: MessageFilter, limit: int, behind: int
) -> None:
    newest = stored(database)[0].id
    after = max(newest - behind, 0)
    own = queries.news(wanted, after, limit=limit)
    assert queries.news(wanted, after, limit=limit, known=newest) == own


def test_filters_of_the_same_form_are_not_mixed_up(queries: MessageQueries, database: Database) -> None:
    """SQLAlchemy may take a parameter and its negated copy for one when it fills other values into what it keeps."""
    store_all(database, [message(text, severity=Severity[text.upper()]) for text in ("debug", "error", "fatal")])
    for hidden, left in ((Severity.ERROR, []), (Severity.DEBUG, ["error"]), (Severity.FATAL, ["error"])):
        wanted = MessageFilter(frozenset({Severity.ERROR}), where=Not(SeverityIn(frozenset({hidden}))))
        assert texts(queries.news(wanted, 0, limit=5).items) == left
        assert texts(queries.page(wanted).items) == left


def test_one_reads_for_all(
    queries: MessageQueries, database: Database, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_recent", RecentMessages(database, Names(), seconds))
    come(database, "one", "two", "three")
    queries.news(ANY, 0, limit=10, known=3)
    with noted(database) as statements:
        assert texts(queries.news(ANY, 1, limit=10, known=3).items) == ["three", "two"]
        assert texts(queries.news(MessageFilter(text="o"), 0, limit=10, known=2).items) == ["two", "one"]
    assert statements == []


def test_what_somebody_has_heard_of_is_read(recent: RecentMessages, database: Database) -> None:
    come(database, "one")
    assert texts(recent.up_to(1).beyond(0)) == ["one"]
    come(database, "two")
    assert texts(recent.up_to(1).beyond(0)) == ["one"]
    assert texts(recent.up_to(2).beyond(0)) == ["one", "two"]
    # Nobody can know of more than there is.
    assert texts(recent.up_to(99).beyond(1)) == ["two"]


def test_details_are_left_out(recent: RecentMessages, queries: MessageQueries, database: Database) -> None:
    store_all(database, [message("one")._replace(detail={"cause": "two"})])
    assert queries.message(1).detail == {"cause": "two"}
    assert [view.detail for view in recent.up_to(1).messages] == [None]


def test_only_the_newest_are_kept_and_who_is_behind_misses_nothing(
    queries: MessageQueries, recent: RecentMessages, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_module, "MOST", 3)
    come(database, "one", "two")
    assert recent.up_to(2).after == 0
    come(database, "three", "four")
    kept = recent.up_to(4)
    assert (kept.after, kept.reached, texts(kept.messages)) == (1, 4, ["two", "three", "four"])
    come(database, *"abcd")
    kept = recent.up_to(8)
    assert (kept.after, kept.reached, texts(kept.messages)) == (5, 8, ["b", "c", "d"])
    assert len(queries.news(ANY, 0, limit=10, known=8).items) == 8


def test_long_texts_are_not_hoarded(
    recent: RecentMessages, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_module, "MOST_CHARACTERS", 10)
    come(database, "x" * 6, "y" * 6, "z" * 4)
    kept = recent.up_to(3)
    assert (kept.after, texts(kept.messages)) == (1, ["y" * 6, "z" * 4])
    come(database, "w" * 11)
    kept = recent.up_to(4)
    assert (kept.after, kept.reached, kept.messages) == (4, 4, ())


def test_what_is_kept_is_new(recent: RecentMessages, database: Database, seconds: Seconds) -> None:
    come(database, "one")
    recent.up_to(1)
    come(database, "two")
    seconds.now += KEEP_S
    assert texts(recent.up_to(1).messages) == ["one", "two"]


def test_a_database_that_was_emptied_is_noticed(recent: RecentMessages, database: Database, seconds: Seconds) -> None:
    come(database, "one", "two")
    recent.up_to(2)
    with database.write() as session:
        session.execute(delete(Message).where(Message.id == 2))
    seconds.now += KEEP_S / 2
    assert recent.up_to(1).reached == 2
    seconds.now += KEEP_S / 2
    kept = recent.up_to(1)
    assert (kept.reached, texts(kept.messages)) == (1, ["one"])
