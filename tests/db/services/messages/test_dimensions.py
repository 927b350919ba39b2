"""Names that messages repeat get ids; a fault that makes names up cannot fill the database."""

import pytest
from sqlalchemy import delete, func, select, update

from models.database import Database
from models.messages import Message, MessageApplication, MessageCounter, MessageSession
from services.messages import dimensions as dimensions_module
from services.messages.dimensions import OTHER
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.types import MessageFilter
from tests.db.services.messages.builders import NOW, batch, message, new_incarnation

MOST = 3


@pytest.fixture(autouse=True)
def few_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimensions_module, "MAX_NAMES", MOST)


@pytest.fixture
def store(database: Database) -> MessageStore:
    return MessageStore(database, lambda: NOW)


@pytest.fixture
def incarnation(database: Database) -> int:
    return new_incarnation(database)


def names_shared(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(MessageCounter.value).where(MessageCounter.name == "names_shared")) or 0


def test_names_beyond_the_most_share_one_and_the_true_one_is_told(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    known = [message(application=f"app-{number}") for number in range(MOST)]
    store.write(batch(incarnation, known))
    strangers = [message(application=f"stranger-{number}")._replace(detail={"mark": number}) for number in range(50)]
    assert store.write(batch(incarnation, [*strangers, known[0]], start=3, expected=3)).stored == 51
    queries = MessageQueries(database, lambda: NOW)
    page = queries.page(MessageFilter(applications=frozenset({OTHER})), limit=100)
    told = [item.detail for item in reversed(page.items)]
    assert told == [{"mark": number, "application_given": f"stranger-{number}"} for number in range(50)]
    assert len(queries.page(MessageFilter(applications=frozenset({"app-0"})), limit=100).items) == 2
    assert names_shared(database) == 50


def test_sessions_and_applications_are_capped_each_for_itself(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    many = [message(session=f"s{number}", application=f"a{number}") for number in range(10)]
    store.write(batch(incarnation, many))
    with database.read() as session:
        for table in (MessageSession, MessageApplication):
            assert session.scalar(select(func.count()).select_from(table)) == MOST + 1
        details = list(session.scalars(select(Message.detail).order_by(Message.id)))
    assert sum(detail is None for detail in details) == MOST
    assert (
        sum(detail == {"session_given": f"s{n}", "application_given": f"a{n}"} for n, detail in enumerate(details)) == 7
    )


def test_ids_are_those_of_the_database_not_of_a_memory(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    store.write(batch(incarnation, [message(session="np02", application="a")]))
    with database.write() as session:
        # An older database restored below the running writer: what it had added since is gone.
        session.execute(delete(Message))
        session.execute(update(MessageSession).values(name="np04"))
        session.execute(update(MessageApplication).values(name="b"))
    store.write(batch(incarnation, [message(session="np02", application="a")], start=1, expected=1))
    [stored] = MessageQueries(database, lambda: NOW).page(MessageFilter(), limit=10).items
    assert (stored.session, stored.application) == ("np02", "a")


def test_a_second_store_finds_the_same_names(store: MessageStore, database: Database, incarnation: int) -> None:
    store.write(batch(incarnation, [message(application=f"a{number}") for number in range(5)]))
    again = MessageStore(database, lambda: NOW)
    again.write(batch(incarnation, [message(application=f"a{number}") for number in range(5)], start=5, expected=5))
    assert names_shared(database) == 4
    with database.read() as session:
        assert session.scalar(select(func.count()).where(MessageApplication.name == OTHER)) == 1
