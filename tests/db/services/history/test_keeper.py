"""The history's worker: what is too old goes, a little at a time, and nothing else. On both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.database import Database
from models.history import HistoryEntry, NodeTransition, TransitionRun
from services.history import keeper, transitions
from services.history.broadcasts import Announcements, BroadcastReader
from services.history.keeper import INTERVAL_S, PAUSE_S, HistoryKeeper
from services.history.record import Changes
from services.history.transitions import Cell
from services.history.types import Aspect, Source, Subject, TransitionOutcome
from tests.db.services.run_control.rows import NOW, SESSION, SteppingClock

YEAR_S = 365 * 24 * 3600


class Archive:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        reader = BroadcastReader(database, self.clock, Announcements(0, 2), lambda _sub_state: None)
        self.keeper = HistoryKeeper(database, self.clock, reader, YEAR_S)

    def fill(self, days_ago: int, count: int) -> None:
        moment = NOW - timedelta(days=days_ago)
        changes = Changes(moment)
        for number in range(count):
            changes.note(Subject.NODE, str(number), Aspect.STATE, new="ready", session=SESSION)
        with self.database.write() as tx:
            changes.write(tx)
            run = transitions.begin(tx, SESSION, "conf", at=moment, state=None, source=Source.POLL)
            cells = [Cell("root-controller", TransitionOutcome.SUCCEEDED)]
            transitions.end(tx, run, at=moment, outcome=TransitionOutcome.SUCCEEDED, state=None, cells=cells)

    def left(self) -> tuple[int, int, int]:
        with self.database.read() as tx:
            counts = [
                tx.scalar(select(func.count()).select_from(table))
                for table in (HistoryEntry, TransitionRun, NodeTransition)
            ]
        return (counts[0] or 0, counts[1] or 0, counts[2] or 0)


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


def test_only_what_is_too_old_goes(archive: Archive) -> None:
    archive.fill(days_ago=366, count=3)
    archive.fill(days_ago=364, count=2)
    assert archive.keeper.turn() == INTERVAL_S
    assert archive.left() == (2, 1, 1)
    health = archive.keeper.health()
    assert (health.state, health.details["removed"]) == ("ok", 4)


def test_much_goes_in_chunks(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "CHUNK_ROWS", 3)
    archive.fill(days_ago=400, count=5)
    assert archive.keeper.turn() == PAUSE_S
    assert archive.left()[0] == 2
    assert archive.keeper.turn() == INTERVAL_S
    assert archive.left() == (0, 0, 0)


def test_it_looks_once_a_minute(archive: Archive) -> None:
    archive.keeper.turn()
    archive.fill(days_ago=400, count=1)
    archive.clock.advance(59)
    archive.keeper.turn()
    assert archive.left() == (1, 1, 1)
    archive.clock.advance(1)
    archive.keeper.turn()
    assert archive.left() == (0, 0, 0)
