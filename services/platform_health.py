"""Is the console itself in order? For monitoring, without a log-in, so without secrets."""

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
from services.run_control.types import BackendKind
from services.timed import Timed

# Anybody may ask, so asking must not be a way to keep the database busy.
KEEP_S = 1.0
# The collector tries every outside address at least this often, also while one does not answer.
COLLECTOR_LATE_S = 15.0

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
    """The collector is alive when it tried any address lately, whether that answered or not."""
    tried = max((backend.tried_at for backend in backends), default=None)
    if tried is None:
        return PartHealth("collector", PartState.UNKNOWN)
    age_s = _age_s(tried, now)
    if age_s <= COLLECTOR_LATE_S:
        return PartHealth("collector", PartState.OK, age_s)
    return PartHealth("collector", PartState.FAILED, age_s, f"No collector has been at work for {age_s:.0f} s.")


def _part(name: str, backends: list[Backend], now: datetime) -> PartHealth:
    """Sum up addresses: all answer, some do, none does. The error is the newest one."""
    if not backends:
        return PartHealth(name, PartState.UNKNOWN)
    reachable = sum(backend.reachable for backend in backends)
    state = PartState.OK if reachable == len(backends) else PartState.DEGRADED if reachable else PartState.FAILED
    age_s = min(_age_s(backend.tried_at, now) for backend in backends)
    errors = [(backend.error_at, backend.error) for backend in backends if backend.error_at and backend.error]
    newest = max(errors, default=(None, None), key=lambda found: found[0])[1]
    return PartHealth(name, state, age_s, _without_credentials(newest))


def _age_s(moment: datetime, now: datetime) -> float:
    return round(max(0.0, (now - moment).total_seconds()), 3)


def _without_credentials(text: str | None) -> str | None:
    return None if text is None else _CREDENTIALS.sub("//", text)
