"""Mutes end when their time is up: at once, once, and at the cost of one small read a second."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from models.database import Database
from models.messages import MessageMute
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.clock import Clock, utc_now
from services.messages.mute_ends import LOOK_EVERY_S, RETRY_S, MuteEnds
from services.messages.mutes import MuteService
from services.messages.types import Contains, Severity
from services.revisions import LiveTopic, current
from tests.db.services.messages.builders import NOW
from tests.waiting import wait_until

OPERATOR = Identity("olga", Role.OPERATOR)
SECOND = timedelta(seconds=1)


class Hands:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def ends(database: Database, clock: Hands) -> MuteEnds:
    return MuteEnds(database, clock)


def mute(database: Database, clock: Clock, lasts: timedelta) -> int:
    mutes = MuteService(database, AuditTrail(database, clock), clock)
    return mutes.add(OPERATOR, Contains("again"), Severity.WARNING, lasts, "known").id


def heard(database: Database) -> int:
    """How often pages have heard of mutes; each that was made counts too."""
    with database.read() as session:
        return current(session)[LiveTopic.MUTES]


def ended(database: Database) -> list[tuple[datetime | None, str | None]]:
    """When each mute has ended, and who ended it."""
    with database.read() as session:
        rows = session.execute(select(MessageMute.ended_at, MessageMute.ended_by).order_by(MessageMute.id))
        return [(at, by) for at, by in rows]


def test_it_turns_again_at_the_moment_the_next_mute_ends(database: Database, clock: Hands, ends: MuteEnds) -> None:
    assert ends.turn() == LOOK_EVERY_S
    for seconds in (90.0, 60.4):
        mute(database, clock, seconds * SECOND)
    assert ends.turn() == LOOK_EVERY_S
    clock.now += 60 * SECOND
    assert ends.turn() == pytest.approx(0.4)
    assert (heard(database), ended(database)) == (2, [(None, None), (None, None)])
    clock.now += 0.4 * SECOND
    assert ends.turn() == LOOK_EVERY_S
    # Nobody ended it, and its end is when its time was up, whenever that was noted.
    assert (heard(database), ended(database)) == (3, [(None, None), (clock.now, None)])
    assert ends.health().details == {"ended": 1}


def test_pages_hear_once_of_several_that_end_together(database: Database, clock: Hands, ends: MuteEnds) -> None:
    for _ in range(3):
        mute(database, clock, SECOND)
    clock.now += 5 * SECOND
    assert ends.turn() == LOOK_EVERY_S
    assert ends.turn() == LOOK_EVERY_S
    assert (heard(database), ended(database)) == (4, [(NOW + SECOND, None)] * 3)


def test_one_that_a_person_ended_ends_no_more(database: Database, clock: Hands, ends: MuteEnds) -> None:
    mutes = MuteService(database, AuditTrail(database, clock), clock)
    mutes.end(OPERATOR, mute(database, clock, SECOND))
    clock.now += 5 * SECOND
    assert ends.turn() == LOOK_EVERY_S
    assert (heard(database), ended(database)) == (2, [(NOW, "olga")])


def test_another_collector_that_was_faster_is_no_news(
    database: Database, clock: Hands, ends: MuteEnds, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(database, clock, SECOND)
    clock.now += SECOND
    look = ends._next_end

    def look_and_be_late() -> datetime | None:
        found = look()
        MuteEnds(database, clock).turn()
        return found

    monkeypatch.setattr(ends, "_next_end", look_and_be_late)
    assert ends.turn() == LOOK_EVERY_S
    assert (heard(database), ends.health().details) == (2, {"ended": 0})


def test_while_nothing_ends_a_turn_is_one_statement(database: Database, clock: Hands, ends: MuteEnds) -> None:
    mute(database, clock, 60 * SECOND)
    statements: list[str] = []

    def note(*told: Any) -> None:
        statements.append(told[2].split()[0])

    engines = {database._reader, database._writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    ends.turn()
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    assert [word for word in statements if word != "BEGIN"] == ["SELECT"]


def test_it_runs_as_a_thread_and_ends_a_mute_by_itself(database: Database) -> None:
    worker = MuteEnds(database, utc_now)
    worker.start()
    wait_until(lambda: worker.health().state == "ok", 10, "the first turn")
    mute(database, utc_now, 0.3 * SECOND)
    wait_until(lambda: heard(database) == 2, 10, "the mute to end")
    worker.stop(10)
    assert worker.health().state == "stopped"


def test_a_database_that_is_gone_is_said_and_tried_again(tmp_path: Path) -> None:
    worker = MuteEnds(Database(f"sqlite:///{tmp_path / 'missing' / 'console.db'}"), utc_now)
    assert worker.turn() == RETRY_S
    assert worker.health().state == "degraded"
    assert "unable to open" in (worker.health().last_error or "")
