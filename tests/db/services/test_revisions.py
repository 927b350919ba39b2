"""Counters that several processes raise at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from models.database import Database
from services.revisions import LiveTopic, bump, current

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def test_no_raise_is_lost_and_the_first_one_fails_nobody(database: Database) -> None:
    ready = threading.Barrier(4)

    def raise_it(_number: int) -> None:
        ready.wait(5)
        with database.write() as session:
            bump(session, NOW, LiveTopic.TREE, LiveTopic.COMMANDS)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(raise_it, range(8)))
    with database.read() as session:
        found = current(session)
    assert found == {topic: 8 if topic in (LiveTopic.TREE, LiveTopic.COMMANDS) else 0 for topic in LiveTopic}
