"""Messages are found by words while they are stored and not after, on both engines."""

import pytest
from sqlalchemy import select, text

from models.database import Database
from models.messages import Message, MessageApplication, MessageSession
from services.messages.retention import Retention
from services.messages.search import Words, find
from services.messages.store import MessageStore
from services.messages.types import Kind, Severity
from tests.db.services.messages.builders import NOW, batch, message, new_incarnation, store_all

TEXTS = ("Readout failed on link 7", "configured", "the readout_unit is ready", "Ünïcode in the READOUT", "failed")


def found(database: Database, wanted: Words | str, **limits: int | bool) -> list[int] | None:
    words = Words.of(wanted) if isinstance(wanted, str) else wanted
    with database.read() as session:
        return find(session, words, **{"limit": 100, **limits})  # type: ignore[arg-type]


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
        ("eadout", []),
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
    assert found(database, "ab 1") is None
    assert found(database, "") is None
    assert found(database, "- _ !!!") is None


def test_pages_go_both_ways(database: Database) -> None:
    store_all(database, [message("ready")] * 9)
    assert found(database, "ready", limit=3) == [9, 8, 7]
    assert found(database, "ready", limit=3, before=7) == [6, 5, 4]
    assert found(database, "ready", limit=3, after=2, ascending=True) == [3, 4, 5]


def test_words_and_filters_together(database: Database) -> None:
    store_all(
        database,
        [
            message("ready", severity=Severity(number % 6), session=f"s{number % 2}", application=f"a{number % 5}")
            for number in range(60)
        ],
    )
    with database.read() as session:
        rows = session.execute(
            select(Message.id, Message.severity, MessageSession.name, MessageApplication.name)
            .join(MessageSession, MessageSession.id == Message.session_id)
            .join(MessageApplication, MessageApplication.id == Message.application_id)
        ).all()
        session_id = session.scalars(select(MessageSession.id).where(MessageSession.name == "s1")).one()
        application_id = session.scalars(select(MessageApplication.id).where(MessageApplication.name == "a3")).one()
    severe = {Severity.ERROR, Severity.FATAL}
    expected = sorted(
        (id_ for id_, severity, s, a in rows if severity in severe and s == "s1" and a == "a3"), reverse=True
    )
    assert expected
    wanted = {"severities": severe, "session_ids": {session_id}, "application_ids": {application_id}}
    assert found(database, Words.of("ready", kinds={Kind.CONTROLLER}, **wanted)) == expected  # type: ignore[arg-type]
    assert found(database, Words.of("ready", kinds={Kind.ERS}, **wanted)) == []  # type: ignore[arg-type]


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
        assert len(found(database, word) or []) == number


def test_what_is_pruned_is_not_found_any_more(database: Database) -> None:
    store_all(database, [message("ready")] * 5, received_ns=1)
    Retention(database, lambda: NOW, 60).turn()
    require_true_index(database)
    assert found(database, "ready") == []


def test_without_trigrams_there_is_no_index(migrated_postgres: Database) -> None:
    with migrated_postgres.write() as session:
        session.execute(text("ALTER INDEX ix_message_text_trigrams RENAME TO away"))
    try:
        assert found(migrated_postgres, "ready") is None
    finally:
        with migrated_postgres.write() as session:
            session.execute(text("ALTER INDEX away RENAME TO ix_message_text_trigrams"))


def test_the_migration_indexes_what_is_there(database: Database) -> None:
    store_all(database, [message("ready")] * 3)
    database.migrate("0002")
    database.migrate()
    require_true_index(database)
    assert found(database, "ready") == [3, 2, 1]
