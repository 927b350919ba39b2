"""Drawings: made once for everybody, anew when what they show has changed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from models.database import Database
from services.clock import utc_now
from services.drawings import KEEP_S, MOST, Drawings
from services.revisions import LiveTopic, bump

TOPICS = (LiveTopic.TREE, LiveTopic.SESSIONS)


class Easel:
    """Drawings of a clock that the test moves, and how often something was drawn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = 100.0
        self.drawings = Drawings(database, lambda: self.now)
        self.drawn = 0

    def draw(self) -> str:
        self.drawn += 1
        return f"drawing {self.drawn}"

    def get(self, name: str = "tree") -> str:
        return self.drawings.get(name, TOPICS, self.draw)

    def change(self, topic: LiveTopic) -> None:
        with self.database.write() as tx:
            bump(tx, utc_now(), topic)


@pytest.fixture
def easel(database: Database) -> Easel:
    return Easel(database)


def test_it_is_drawn_once_until_something_changes(easel: Easel) -> None:
    assert [easel.get(), easel.get()] == ["drawing 1"] * 2
    easel.change(LiveTopic.TREE)
    assert [easel.get(), easel.get()] == ["drawing 2"] * 2
    easel.change(LiveTopic.SESSIONS)
    assert easel.get() == "drawing 3"


def test_what_it_does_not_show_does_not_matter(easel: Easel) -> None:
    easel.get()
    easel.change(LiveTopic.ALARMS)
    assert easel.get() == "drawing 1"


def test_each_name_has_its_own(easel: Easel) -> None:
    assert [easel.get("one"), easel.get("other"), easel.get("one")] == ["drawing 1", "drawing 2", "drawing 1"]


def test_it_grows_no_older_than_its_time(easel: Easel) -> None:
    easel.get()
    easel.now += KEEP_S
    assert easel.get() == "drawing 2"


def test_what_changes_while_it_is_drawn_is_not_missed(easel: Easel) -> None:
    def draw() -> str:
        easel.change(LiveTopic.TREE)
        return "of before the change"

    assert easel.drawings.get("tree", TOPICS, draw) == "of before the change"
    assert easel.get() == "drawing 1"


def test_a_crowd_waits_for_one(easel: Easel) -> None:
    barrier = Barrier(5)

    def look(_number: int) -> str:
        barrier.wait(10)
        return easel.get()

    with ThreadPoolExecutor(5) as crowd:
        assert set(crowd.map(look, range(5))) == {"drawing 1"}


def test_an_error_is_not_kept(easel: Easel) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        easel.drawings.get("tree", TOPICS, fail)
    assert easel.get() == "drawing 1"


def test_what_nobody_asks_for_gives_way(easel: Easel) -> None:
    easel.get("first")
    for number in range(MOST - 1):
        easel.get(str(number))
    assert easel.get("first") == "drawing 1"
    easel.get("one too many")
    # "0" was asked for the longest time ago.
    assert easel.get("first") == "drawing 1"
    assert easel.get("0") == f"drawing {MOST + 2}"
