"""SQL and predicate of a filter find the same rows on both engines."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.database import Database
from models.messages import Message
from services.messages.filters import condition, fits
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.types import Decoded, Expression, Kind, MessageFilter, MessageView, Severity
from tests.db.services.messages.builders import NOW, NOW_NS, batch, new_incarnation
from tests.expressions import expressions

TEXTS = (
    "ready",
    "READY",
    "Ärger",
    "ärger",
    "100% full",
    "under_score",
    "back\\slash",
    "a\0b",
    "",
    "İstanbul",
    "ſ K",
    "not-ready [link 7]",
    "“quoted” e\u0301te",
)
NAMES = ("np04", "NP04", "with space", "", "nul\0")
TIMES = (0, 1, NOW_NS - 1, NOW_NS, NOW_NS + 1)
WANTED = expressions(
    st.sampled_from([*NAMES, "unknown", "topic-0", "topic-1"]),
    st.sampled_from(
        [
            *TEXTS,
            "EAD",
            "read",
            "Link NOT",
            "100",
            "e\u0301",
            "quo",
            "SCORE under",
            "%",
            "_",
            "\\",
            "Ä",
            "k",
            "\N{SYMBOL FOR NULL}",
        ]
    )
    | st.text(max_size=3),
    TIMES,
)


def mixed() -> list[Decoded]:
    return [
        Decoded(
            kind=Kind(number % 3),
            severity=Severity(number * 7 % 6),
            session=NAMES[number % 4].replace("\0", "\N{SYMBOL FOR NULL}"),
            application=NAMES[number * 3 % 5].replace("\0", "\N{SYMBOL FOR NULL}"),
            name=NAMES[number * 2 % 5].replace("\0", "\N{SYMBOL FOR NULL}"),
            text=TEXTS[number % 13].replace("\0", "\N{SYMBOL FOR NULL}"),
            time_ns=TIMES[number % 5],
        )
        for number in range(78)
    ]


def stored(database: Database) -> tuple[MessageView, ...]:
    """Return all messages; the first call stores them, in two topics."""
    queries = MessageQueries(database, lambda: NOW)
    if queries.newest_id() == 0:
        store, incarnation = MessageStore(database, lambda: NOW), new_incarnation(database)
        rows = mixed()
        store.write(batch(incarnation, rows[:39], topic="topic-0"))
        store.write(batch(incarnation, rows[39:], topic="topic-1"))
    return queries.page(MessageFilter(), limit=1000).items


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(wanted=WANTED)
def test_sql_and_predicate_find_the_same_rows(database: Database, wanted: Expression) -> None:
    everything = stored(database)
    expected = [view.id for view in everything if fits(wanted, view)]
    with database.read() as session:
        where = condition(wanted, session.get_bind().dialect.name)
        assert list(session.scalars(select(Message.id).where(where).order_by(Message.id.desc()))) == expected
    found = MessageQueries(database, lambda: NOW).page(MessageFilter(where=wanted), limit=1000)
    assert [view.id for view in found.items] == expected
    news = MessageQueries(database, lambda: NOW).news(MessageFilter(where=wanted), 0, limit=1000)
    assert [view.id for view in news.items] == expected
