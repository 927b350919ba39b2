"""The revisions that every page follows."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from models.database import Database
from models.messages import Incarnation, Message, MessageApplication, MessageSession, Topic
from services.live import KEEP_S, LiveService
from services.revisions import LiveTopic, bump
from tests.seconds import Seconds

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def live(database: Database, seconds: Seconds) -> LiveService:
    return LiveService(database, lambda: NOW, seconds)


def add_message(database: Database) -> int:
    with database.write() as session:
        session.add_all(
            [
                Incarnation(id=1, cluster_id="c", first_seen_at=NOW),
                Topic(id=1, name="control.s.c"),
                MessageSession(id=1, name="s"),
                MessageApplication(id=1, name="a"),
            ]
        )
        session.flush()
        message = Message(
            incarnation_id=1, topic_id=1, partition=0, offset=0, time_ns=0, received_ns=0, kind=0, severity=2,
            session_id=1, application_id=1, name="ACK", text="hello", detail=None,
        )  # fmt: skip
        session.add(message)
        session.flush()
        return message.id


def test_a_quiet_console_is_at_zero(live: LiveService) -> None:
    assert live.state().revisions == {topic.value: 0 for topic in LiveTopic}
    assert live.now_ms() == 1769860800000


def test_a_change_shows_after_the_cache_has_gone(live: LiveService, database: Database, seconds: Seconds) -> None:
    before = live.state()
    with database.write() as session:
        bump(session, NOW, LiveTopic.TREE, LiveTopic.COMMANDS)
    newest = add_message(database)
    seconds.now += KEEP_S - 0.01
    assert live.state() is before
    seconds.now += 0.01
    after = live.state()
    assert after.tag != before.tag
    changed = {topic: number for topic, number in after.revisions.items() if number != before.revisions[topic]}
    assert changed == {"tree": 1, "commands": 1, "messages": newest}


def test_many_ticks_cost_one_look(live: LiveService, database: Database) -> None:
    statements: list[str] = []
    event.listen(database._reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(100):
        live.state()
    assert sum("FROM revision" in statement for statement in statements) == 1
