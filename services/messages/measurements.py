"""Write measurements: series and roll-ups, in the transaction of the batch that brings them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from models.messages import MeasurementRollup, MeasurementSeries, MessageApplication, MessageSession
from services.messages import dimensions
from services.messages.rollups import RESOLUTIONS_S
from services.messages.types import Measurement
from services.messages.upsert import insert_into, table_of

# More series than a DAQ of a thousand applications has; a fault that makes up names must not fill the database.
MAX_SERIES = 20_000
# One look-up asks for so many: engines limit the parameters of a statement.
LOOK_UP_SERIES = 500

# Session and application id, element, name, origin and field: what makes a series one of its own.
_Key = tuple[int, int, str, str, str, str]
_KEY_COLUMNS = ("session_id", "application_id", "element", "name", "origin", "field")
_BUCKET_COLUMNS = ("resolution_s", "series_id", "bucket_s")


class MeasurementWriter:
    """Adds measurements to their series; remembers which there are.

    What a transaction finds or adds counts only after `keep`: an id of a transaction that was rolled back is worth
    nothing. Callers hold the writers' lock (`writers_turn`), so nobody adds the same series at the same time.
    """

    def __init__(self) -> None:
        """Know no series yet."""
        self._known: dict[_Key, int] = {}
        self._fresh: dict[_Key, int] = {}

    def add(self, session: Session, measurements: Sequence[Measurement]) -> dict[str, int]:
        """Add all values in the caller's transaction; return what to count."""
        if not measurements:
            return {}
        keyed = self._keyed(session, measurements)
        ids = self._ids(session, {key for keys, measurement in keyed for key in _series(keys, measurement)})
        _add_numbers(session, keyed, ids)
        _set_texts(session, keyed, ids)
        offered = sum(len(one.numbers) + len(one.texts) for one in measurements)
        taken = sum(key in ids for keys, measurement in keyed for key in _series(keys, measurement))
        return {
            "measurements": len(measurements),
            "measurements_of_absurd_time": sum(measurement.is_time_absurd for measurement in measurements),
            "values_left_out": sum(measurement.left_out for measurement in measurements),
            "values_over_cap": offered - taken,
        }

    def keep(self) -> None:
        """The transaction was committed: what it found and added is known from now on."""
        self._known.update(self._fresh)
        self._fresh.clear()

    def forget(self) -> None:
        """The transaction was rolled back: what it found and added does not count."""
        self._fresh.clear()

    def forget_all(self) -> None:
        """Something may be wrong with the database: look everything up again."""
        self._known.clear()
        self._fresh.clear()

    def _keyed(
        self, session: Session, measurements: Sequence[Measurement]
    ) -> list[tuple[tuple[int, int], Measurement]]:
        sessions = dimensions.ids(session, MessageSession, [one.session for one in measurements])
        applications = dimensions.ids(session, MessageApplication, [one.application for one in measurements])
        # Values of many applications under one shared name would mean nothing.
        return [
            ((sessions[one.session], applications[one.application]), one)
            for one in measurements
            if not dimensions.is_shared(sessions, one.session)
            and not dimensions.is_shared(applications, one.application)
        ]

    def _ids(self, session: Session, keys: Iterable[_Key]) -> dict[_Key, int]:
        """Return series to id; what is new is added as long as there is room, the rest is not in it."""
        found: dict[_Key, int] = {}
        missing: list[_Key] = []
        for key in keys:
            known = self._known.get(key)
            if known is None:
                missing.append(key)
            else:
                found[key] = known
        missing.sort()
        for start in range(0, len(missing), LOOK_UP_SERIES):
            found.update(self._look_up(session, missing[start : start + LOOK_UP_SERIES]))
        return found

    def _look_up(self, session: Session, keys: Sequence[_Key]) -> dict[_Key, int]:
        found = _select(session, keys)
        new = [key for key in keys if key not in found]
        if new:
            room = max(MAX_SERIES - (session.scalar(select(func.count()).select_from(MeasurementSeries)) or 0), 0)
            rows = [dict(zip(_KEY_COLUMNS, key, strict=True)) for key in new[:room]]
            if rows:
                session.connection().execute(insert_into(session, MeasurementSeries), rows)
                found = _select(session, keys)
        self._fresh.update(found)
        return found


def _select(session: Session, keys: Sequence[_Key]) -> dict[_Key, int]:
    columns = [table_of(MeasurementSeries).c[name] for name in _KEY_COLUMNS]
    rows = session.execute(select(MeasurementSeries.id, *columns).where(tuple_(*columns).in_(keys)))
    return {(row[1], row[2], row[3], row[4], row[5], row[6]): row[0] for row in rows}


def _series(keys: tuple[int, int], measurement: Measurement) -> Iterator[_Key]:
    for field in (*measurement.numbers, *measurement.texts):
        yield _key(keys, measurement, field)


def _key(keys: tuple[int, int], measurement: Measurement, field: str) -> _Key:
    return (*keys, measurement.element, measurement.name, measurement.origin, field)


_Keyed = Sequence[tuple[tuple[int, int], Measurement]]


def _add_numbers(session: Session, keyed: _Keyed, ids: Mapping[_Key, int]) -> None:
    buckets = _collect(keyed, ids)
    if not buckets:
        return
    statement = insert_into(session, MeasurementRollup)
    old, new = table_of(MeasurementRollup).c, statement.excluded
    is_newer = new.last_ns >= old.last_ns
    changes: dict[str, Any] = {
        "n": old.n + new.n,
        "total": old.total + new.total,
        "least": case((new.least < old.least, new.least), else_=old.least),
        "greatest": case((new.greatest > old.greatest, new.greatest), else_=old.greatest),
        "last": case((is_newer, new.last), else_=old.last),
        "last_ns": case((is_newer, new.last_ns), else_=old.last_ns),
    }
    session.connection().execute(statement.on_conflict_do_update(index_elements=_BUCKET_COLUMNS, set_=changes), buckets)


def _collect(keyed: _Keyed, ids: Mapping[_Key, int]) -> list[dict[str, Any]]:
    buckets: dict[tuple[int, int, int], dict[str, Any]] = {}
    for keys, measurement in keyed:
        second = measurement.time_ns // 1_000_000_000
        for field, value in measurement.numbers.items():
            series_id = ids.get(_key(keys, measurement, field))
            if series_id is None:
                continue
            for resolution in RESOLUTIONS_S:
                place = (resolution, series_id, second - second % resolution)
                _merge(buckets.setdefault(place, {}), value, measurement.time_ns)
    # Sorted, so that two writers could never lock rows in opposite orders.
    return [{**dict(zip(_BUCKET_COLUMNS, place, strict=True)), **buckets[place]} for place in sorted(buckets)]


def _merge(bucket: dict[str, Any], value: float, time_ns: int) -> None:
    is_newest = time_ns >= bucket.get("last_ns", time_ns)
    bucket["n"] = bucket.get("n", 0) + 1
    bucket["total"] = bucket.get("total", 0.0) + value
    bucket["least"] = min(bucket.get("least", value), value)
    bucket["greatest"] = max(bucket.get("greatest", value), value)
    if is_newest:
        bucket["last"] = value
        bucket["last_ns"] = time_ns


def _set_texts(session: Session, keyed: _Keyed, ids: Mapping[_Key, int]) -> None:
    newest: dict[int, dict[str, Any]] = {}
    for keys, measurement in keyed:
        for field, text in measurement.texts.items():
            series_id = ids.get(_key(keys, measurement, field))
            if series_id is None:
                continue
            if series_id not in newest or measurement.time_ns >= newest[series_id]["at_ns"]:
                newest[series_id] = {"series": series_id, "word": text, "at_ns": measurement.time_ns}
    if not newest:
        return
    table = table_of(MeasurementSeries)
    statement = (
        update(table)
        .where(table.c.id == bindparam("series"), or_(table.c.last_ns.is_(None), table.c.last_ns <= bindparam("at_ns")))
        .values(last_text=bindparam("word"), last_ns=bindparam("at_ns"))
    )
    session.connection().execute(statement, [newest[series_id] for series_id in sorted(newest)])
