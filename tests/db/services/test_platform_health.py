"""Health: what monitoring is told, and that it learns no secrets."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.database import Database
from models.run_control import Backend
from services.platform_health import KEEP_S, HealthService, PartHealth, PartState, Readiness
from services.run_control.backend_types import BackendKind

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def look(database: Database) -> Readiness:
    return HealthService(database, lambda: NOW).readiness()


def parts(readiness: Readiness) -> Mapping[str, PartHealth]:
    return {part.name: part for part in readiness.parts}


def add(database: Database, kind: BackendKind, address: str, *, reachable: bool, age_s: float, error: str = "") -> None:
    tried_at = NOW - timedelta(seconds=age_s)
    row = Backend(
        kind=kind.value, address=address, generation=None, reachable=reachable, since=tried_at, answered_at=None,
        tried_at=tried_at, latency_ms=None, error=error or None, error_at=tried_at if error else None,
    )  # fmt: skip
    with database.write() as session:
        session.add(row)


def test_before_the_collector_ever_ran(database: Database) -> None:
    readiness = look(database)
    assert readiness.ready
    assert [part.name for part in readiness.parts] == ["database", "migrations", "collector", "kafka", "drunc"]
    states = {name: part.state for name, part in parts(readiness).items()}
    assert states == {
        "database": PartState.OK,
        "migrations": PartState.OK,
        "collector": PartState.UNKNOWN,
        "kafka": PartState.UNKNOWN,
        "drunc": PartState.UNKNOWN,
    }


def test_everything_answers(database: Database) -> None:
    add(database, BackendKind.PROCESS_MANAGER, "pm:1", reachable=True, age_s=2)
    add(database, BackendKind.CONTROLLER, "root:2", reachable=True, age_s=1)
    add(database, BackendKind.KAFKA, "kafka:3", reachable=True, age_s=4)
    found = parts(look(database))
    assert found["collector"] == PartHealth("collector", PartState.OK, 4.0)
    assert found["drunc"] == PartHealth("drunc", PartState.OK, 1.0)
    assert found["kafka"] == PartHealth("kafka", PartState.OK, 4.0)


def test_what_does_not_answer_degrades_but_the_console_is_ready(database: Database) -> None:
    add(database, BackendKind.PROCESS_MANAGER, "pm:1", reachable=True, age_s=1)
    add(database, BackendKind.CONTROLLER, "root:2", reachable=False, age_s=2, error="root:2 does not answer")
    add(database, BackendKind.KAFKA, "kafka:3", reachable=False, age_s=3, error="no broker at x://me:pw@kafka:3")
    readiness = look(database)
    found = parts(readiness)
    assert readiness.ready
    assert found["drunc"] == PartHealth("drunc", PartState.DEGRADED, 1.0, "root:2 does not answer")
    assert found["kafka"] == PartHealth("kafka", PartState.FAILED, 3.0, "no broker at x://kafka:3")


def test_a_collector_that_stopped_is_told(database: Database) -> None:
    add(database, BackendKind.PROCESS_MANAGER, "pm:1", reachable=True, age_s=16)
    found = parts(look(database))
    assert found["collector"].state is PartState.FAILED
    assert found["collector"].last_error == "No collector has been at work on run control for 16 s."
    # It answered then; nobody knows about now.
    assert found["drunc"].state is PartState.UNKNOWN


def test_half_a_collector_is_told(database: Database) -> None:
    add(database, BackendKind.PROCESS_MANAGER, "pm:1", reachable=True, age_s=1)
    add(database, BackendKind.KAFKA, "kafka:3", reachable=True, age_s=60)
    found = parts(look(database))
    assert found["collector"].state is PartState.DEGRADED
    assert found["collector"].last_error == "No collector has been at work on messages for 60 s."
    assert found["drunc"].state is PartState.OK
    assert found["kafka"].state is PartState.UNKNOWN


def test_a_schema_that_is_behind(database: Database) -> None:
    database.migrate("base")
    try:
        readiness = look(database)
    finally:
        database.migrate()
    found = parts(readiness)
    assert not readiness.ready
    assert found["database"].state is PartState.OK
    assert found["migrations"].state is PartState.FAILED
    assert "make migrate" in (found["migrations"].last_error or "")
    assert found["drunc"].state is PartState.UNKNOWN


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://me:hunter2@127.0.0.1:1/console", "sqlite:///{0}/none/console.db"]
)
def test_a_database_that_is_gone_is_told_without_its_address(tmp_path: Path, url: str) -> None:
    readiness = look(Database(url.format(tmp_path)))
    database = parts(readiness)["database"]
    assert not readiness.ready
    assert database.state is PartState.FAILED
    assert database.last_error == "The database does not answer (OperationalError)."
    assert "hunter2" not in repr(readiness)


def test_asking_often_costs_nothing(database: Database) -> None:
    seconds = [0.0]
    health = HealthService(database, lambda: NOW, lambda: seconds[0])
    first = health.readiness()
    seconds[0] = KEEP_S - 0.01
    assert health.readiness() is first
    seconds[0] = KEEP_S
    assert health.readiness() is not first
