"""Is the console itself in order? For monitoring, without a log-in, so without secrets."""

import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database, SchemaError
from models.run_control import Backend
from services.clock import Clock
from services.run_control.backend_types import BackendKind
from services.timed import Timed

# Anybody may ask, so asking must not be a way to keep the database busy.
KEEP_S = 1.0
# The collector tries outside addresses about once a second, also while one does not answer.
LATE_S = 15.0

_DRUNC = (BackendKind.PROCESS_MANAGER, BackendKind.CONTROLLER, BackendKind.CONNECTIVITY)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class PartState(StrEnum):
    """State of one part of the console."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """How one part is; ``age_s`` is how old that knowledge is, in seconds, None where there is none yet."""

    name: str
    state: PartState
    age_s: float | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served (database and migrations good), and how each part is."""

    ready: bool
    parts: tuple[PartHealth, ...]


class HealthService:
    """Readiness from the one place where all processes meet: the database (table ``backend``)."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock
        self._readiness = Timed(self._look, KEEP_S, monotonic)

    def readiness(self) -> Readiness:
        """Return how the console is, at most 1 s old. Never raises: a broken database is an answer."""
        return self._readiness.get()

    def _look(self) -> Readiness:
        try:
            self._database.require_head()
        except SchemaError as error:
            return _not_ready(PartHealth("database", PartState.OK, 0.0), str(error))
        except SQLAlchemyError as error:
            return _not_ready(_database_failed(error), None)
        try:
            outside = self._outside()
        except SQLAlchemyError as error:
            return _not_ready(_database_failed(error), None)
        good = (PartHealth("database", PartState.OK, 0.0), PartHealth("migrations", PartState.OK, 0.0))
        return Readiness(ready=True, parts=good + outside)

    def _outside(self) -> tuple[PartHealth, ...]:
        with self._database.read() as session:
            backends = session.scalars(select(Backend)).all()
        now = self._clock()
        return (
            _collector(backends, now),
            _part("kafka", [backend for backend in backends if backend.kind == BackendKind.KAFKA], now),
            _part("drunc", [backend for backend in backends if backend.kind in _DRUNC], now),
        )


def _not_ready(database: PartHealth, schema_error: str | None) -> Readiness:
    schema = PartState.FAILED if schema_error else PartState.UNKNOWN
    unknown = tuple(PartHealth(name, PartState.UNKNOWN) for name in ("collector", "kafka", "drunc"))
    return Readiness(ready=False, parts=(database, PartHealth("migrations", schema, 0.0, schema_error), *unknown))


def _database_failed(error: SQLAlchemyError) -> PartHealth:
    # The driver's text names host, user and file, and this page is public: the kind of error must do.
    cause = getattr(error, "orig", None) or error
    return PartHealth("database", PartState.FAILED, 0.0, f"The database does not answer ({type(cause).__name__}).")


def _collector(backends: Iterable[Backend], now: datetime) -> PartHealth:
    """The collector is at work when it tried addresses of both kinds lately, whether they answered or not."""
    ages: dict[str, float] = {}
    for backend in backends:
        job = "messages" if backend.kind == BackendKind.KAFKA else "run control"
        ages[job] = min(ages.get(job, math.inf), _age_s(backend.tried_at, now))
    if not ages:
        return PartHealth("collector", PartState.UNKNOWN)
    oldest_s = max(ages.values())
    late = sorted(job for job, age_s in ages.items() if age_s > LATE_S)
    if not late:
        return PartHealth("collector", PartState.OK, oldest_s)
    state = PartState.FAILED if len(late) == len(ages) else PartState.DEGRADED
    text = f"No collector has been at work on {' and '.join(late)} for {oldest_s:.0f} s."
    return PartHealth("collector", state, oldest_s, text)


def _part(name: str, backends: list[Backend], now: datetime) -> PartHealth:
    """Sum up addresses: all answer, some do, none does. The error is the newest one; it stays after the recovery."""
    if not backends:
        return PartHealth(name, PartState.UNKNOWN)
    age_s = min(_age_s(backend.tried_at, now) for backend in backends)
    return PartHealth(name, _state(backends, age_s), age_s, _newest_error(backends))


def _state(backends: list[Backend], age_s: float) -> PartState:
    reachable = sum(backend.reachable for backend in backends)
    if age_s > LATE_S:
        # Nobody has looked for so long: what was known then says nothing about now.
        return PartState.UNKNOWN
    if reachable == len(backends):
        return PartState.OK
    return PartState.DEGRADED if reachable else PartState.FAILED


def _newest_error(backends: list[Backend]) -> str | None:
    errors = [(backend.error_at, backend.error) for backend in backends if backend.error_at and backend.error]
    return _CREDENTIALS.sub("//", max(errors)[1]) if errors else None


def _age_s(moment: datetime, now: datetime) -> float:
    return round(max(0.0, (now - moment).total_seconds()), 3)
