from models.database import Database
from models.messages import MessageApplication, MessageSession
from services.messages.names import Names
from tests.db.services.messages.builders import message, store_all
from tests.db.services.messages.statements import noted


def test_a_name_is_asked_for_once(database: Database) -> None:
    store_all(database, [message(session="s1", application="a1"), message(session="s2", application="a2")])
    names = Names()
    with database.read() as session:
        assert names.ids(session, MessageSession, ["s2", "s1", "nobody"]) == (1, 2)
        with noted(database) as statements:
            assert names.by_id(session, MessageSession, [2, 1, 2]) == {1: "s1", 2: "s2"}
            assert names.ids(session, MessageSession, ["s1"]) == (1,)
        assert not statements
        assert names.by_id(session, MessageApplication, [2]) == {2: "a2"}
        assert names.ids(session, MessageApplication, ["a2", "a1"]) == (1, 2)


def test_a_name_that_comes_later_is_found(database: Database) -> None:
    names = Names()
    with database.read() as session:
        assert names.ids(session, MessageSession, ["late"]) == ()
    store_all(database, [message(session="late")])
    with database.read() as session:
        assert names.ids(session, MessageSession, ["late"]) == (1,)
