"""Read measurements: which series there are, and their values over a range of time."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil
from typing import Any

from sqlalchemy import Row, Select, select

from models.database import Database
from models.messages import MeasurementRollup, MeasurementSeries, MessageApplication, MessageSession
from services.clock import Clock
from services.errors import NotFoundError
from services.messages import rollups
from services.messages.types import MeasurementPoint, MeasurementView

MAX_POINTS = 2_000


class MeasurementQueries:
    """Reads tables ``measurement_series`` and ``measurement_rollup``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock

    def series(self, *, session: str | None = None, application: str | None = None) -> tuple[MeasurementView, ...]:
        """Return the series of all sessions or one, of all applications or one, sorted by their names."""
        wanted = _views().order_by(
            MessageSession.name,
            MessageApplication.name,
            MeasurementSeries.name,
            MeasurementSeries.element,
            MeasurementSeries.origin,
            MeasurementSeries.field,
        )
        if session is not None:
            wanted = wanted.where(MessageSession.name == session)
        if application is not None:
            wanted = wanted.where(MessageApplication.name == application)
        with self._database.read() as reading:
            return tuple(MeasurementView(**row) for row in reading.execute(wanted).mappings().all())

    def one(self, series_id: int) -> MeasurementView:
        """Return one series.

        Raises:
            NotFoundError: There is none of this id.
        """
        with self._database.read() as reading:
            row = reading.execute(_views().where(MeasurementSeries.id == series_id)).mappings().one_or_none()
        if row is None:
            raise _no_series(series_id)
        return MeasurementView(**row)

    def points(
        self, series_id: int, start: datetime, end: datetime, *, max_points: int = MAX_POINTS
    ) -> tuple[MeasurementPoint, ...]:
        """Return one series in ``start <= time < end``, oldest first; buckets without a value are left out.

        The width is the finest that gives at most ``max_points`` buckets (never more than `MAX_POINTS`), by the rule
        of `rollups.bucket_width_s`. The first bucket may begin before ``start``.

        Raises:
            NotFoundError: There is no such series.
        """
        width_s = rollups.bucket_width_s(start, end, self._clock(), min(max(max_points, 1), MAX_POINTS))
        resolution_s = max(resolution for resolution in rollups.RESOLUTIONS_S if resolution <= width_s)
        first_s = int(start.timestamp()) // width_s * width_s
        wanted = (
            select(
                MeasurementRollup.bucket_s,
                MeasurementRollup.n,
                MeasurementRollup.total,
                MeasurementRollup.least,
                MeasurementRollup.greatest,
                MeasurementRollup.last,
            )
            .where(
                MeasurementRollup.resolution_s == resolution_s,
                MeasurementRollup.series_id == series_id,
                MeasurementRollup.bucket_s >= first_s,
                MeasurementRollup.bucket_s < ceil(end.timestamp()),
            )
            .order_by(MeasurementRollup.bucket_s)
        )
        with self._database.read() as reading:
            if reading.get(MeasurementSeries, series_id) is None:
                raise _no_series(series_id)
            return _points(reading.execute(wanted), width_s)


def _views() -> Select[*tuple[Any, ...]]:
    return (
        select(
            MeasurementSeries.id,
            MessageSession.name.label("session"),
            MessageApplication.name.label("application"),
            MeasurementSeries.element,
            MeasurementSeries.name,
            MeasurementSeries.origin,
            MeasurementSeries.field,
            MeasurementSeries.last_text,
            MeasurementSeries.last_ns,
        )
        .join(MessageSession, MessageSession.id == MeasurementSeries.session_id)
        .join(MessageApplication, MessageApplication.id == MeasurementSeries.application_id)
    )


def _no_series(series_id: int) -> NotFoundError:
    return NotFoundError(f"There is no measured series {series_id}.")


def _points(rows: Iterable[Row[int, int, float, float, float, float]], width_s: int) -> tuple[MeasurementPoint, ...]:
    """Unite the buckets, which come oldest first, to points of the asked width."""
    points: dict[int, MeasurementPoint] = {}
    for bucket_s, n, total, least, greatest, last in rows:
        start_s = bucket_s - bucket_s % width_s
        before = points.get(start_s)
        points[start_s] = MeasurementPoint(
            start=datetime.fromtimestamp(start_s, UTC),
            width_s=width_s,
            n=n + (before.n if before else 0),
            total=total + (before.total if before else 0.0),
            least=min(least, before.least) if before else least,
            greatest=max(greatest, before.greatest) if before else greatest,
            last=last,
        )
    return tuple(points.values())
