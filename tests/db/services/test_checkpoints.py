"""SQLite's write-ahead log: carried over by a thread of its own, not by whoever happens to commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from models.database import Database
from services import checkpoints as module
from services.checkpoints import PAUSE_IN_FLOOD_S, PAUSE_S, RETRY_S, Checkpoints
from services.clock import utc_now
from tests.waiting import wait_until

ROW = "x" * 3_000


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'console.db'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE flood (content TEXT)"))
    database.checkpoint(restart=True)
    yield database
    database.close()


def fill(database: Database, rows: int) -> None:
    with database.write() as session:
        session.execute(text("INSERT INTO flood VALUES (:content)"), [{"content": ROW}] * rows)


def test_a_checkpoint_carries_all_over_and_the_log_begins_anew(sqlite: Database) -> None:
    fill(sqlite, 500)
    reading = sqlite.checkpoint()
    assert reading.pages > 400
    assert reading.left == 0
    # The next commit finds nothing left in the log, and begins at its front.
    fill(sqlite, 1)
    assert 0 < sqlite.checkpoint().pages < 20


def test_somebody_who_reads_keeps_the_rest_in_the_log(sqlite: Database) -> None:
    fill(sqlite, 100)
    with sqlite.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM flood")) == 100
        fill(sqlite, 2_000)
        worker = Checkpoints(sqlite, utc_now)
        assert worker.turn() == PAUSE_IN_FLOOD_S
        assert int(worker.health().details["left"] or 0) > 1_000
        assert reader.scalar(text("SELECT count(*) FROM flood")) == 100
    assert worker.turn() == PAUSE_S
    assert worker.health().details["left"] == 0


def test_a_log_that_is_too_long_is_begun_anew(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAGES", 100)
    asked: list[bool] = []
    checkpoint = sqlite.checkpoint

    def watched(*, restart: bool = False) -> object:
        asked.append(restart)
        return checkpoint(restart=restart)

    monkeypatch.setattr(sqlite, "checkpoint", watched)
    fill(sqlite, 50)
    Checkpoints(sqlite, utc_now).turn()
    assert asked == [False]
    fill(sqlite, 500)
    Checkpoints(sqlite, utc_now).turn()
    assert asked == [False, False, True]


def test_a_database_that_is_gone_is_said_and_tried_again(tmp_path: Path) -> None:
    worker = Checkpoints(Database(f"sqlite:///{tmp_path / 'missing' / 'console.db'}"), utc_now)
    assert worker.turn() == RETRY_S
    assert worker.health().state == "degraded"
    assert "unable to open" in (worker.health().last_error or "")


def test_it_runs_as_a_thread(sqlite: Database) -> None:
    worker = Checkpoints(sqlite, utc_now)
    worker.start()
    wait_until(lambda: worker.health().state == "ok", 10, "a checkpoint")
    worker.stop(10)
    assert worker.health().state == "stopped"


def test_postgresql_does_it_by_itself() -> None:
    with pytest.raises(RuntimeError, match="Only SQLite"):
        Database("postgresql+psycopg://nobody@localhost/none").checkpoint()
