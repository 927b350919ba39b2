"""Compare what is in the database with what was published: every record once, and everything derived from it."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import select, text

from models.database import Database
from models.messages import (
    Gap,
    MeasurementRollup,
    MeasurementSeries,
    Message,
    MessageApplication,
    MessageCounter,
    MessageRollup,
    MessageSession,
    Quarantined,
    Topic,
    TopicOffset,
)
from models.search import INDEX
from services.messages.rollups import ALL_SESSIONS, COLUMNS, RESOLUTIONS_S
from services.messages.types import Severity
from tests.crash.load import FIELD, MEASURED, WORD, Fate, Load, Planned, mark, number_in

# Topic, partition and offset.
Place = tuple[str, int, int]
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be: ``what`` is the kind, ``told`` is for people."""

    what: str
    told: str


@dataclass(frozen=True, slots=True)
class Published:
    """What the broker has acknowledged: the load, and the place of each number."""

    load: Load
    places: Mapping[int, Place]

    def planned(self, *fates: Fate) -> Iterator[Planned]:
        """Give what must have one of some fates."""
        for number in self.places:
            planned = self.load.planned(number)
            if planned.fate in fates:
                yield planned


class _Stored(NamedTuple):
    """A row of ``message`` with its names."""

    id: int
    session_id: int
    severity: int
    time_ns: int
    text: str
    topic: str
    partition: int
    offset: int
    session: str
    application: str


# The columns are the fields of `_Stored`.
_STORED = (
    select(
        *(Message.id, Message.session_id, Message.severity, Message.time_ns, Message.text),
        *(Topic.name, Message.partition, Message.offset, MessageSession.name, MessageApplication.name),
    )
    .join(Topic, Topic.id == Message.topic_id)
    .join(MessageSession, MessageSession.id == Message.session_id)
    .join(MessageApplication, MessageApplication.id == Message.application_id)
)


def findings(database: Database, published: Published, *, gaps: int = 0) -> list[Finding]:
    """Return all that is wrong; nothing, if every record was taken exactly once.

    Kinds: ``lost``, ``twice``, ``foreign`` (a row that nobody published, or with something else in it), ``rollup``,
    ``series``, ``counter``, ``offset``, ``search``, ``gap`` (more or fewer than ``gaps``).

    Messages are counted again from the rows: those are compared with what was published, one by one.
    """
    with database.read() as session:
        rows = [_Stored._make(row) for row in session.execute(_STORED)]
        quarantined = session.execute(
            select(Quarantined.payload, Topic.name, Quarantined.partition, Quarantined.offset).join(
                Topic, Topic.id == Quarantined.topic_id
            )
        ).all()
        reasons = session.scalars(select(Gap.reason).order_by(Gap.id)).all()
        found_gaps = len(reasons)
        # How far behind reading was at the last report is no count.
        counted = session.scalars(select(MessageCounter).where(MessageCounter.name != "lag", MessageCounter.value != 0))
        counters = {row.name: row.value for row in counted}
    told = [
        *_once(
            published, Fate.MESSAGE, [(number_in(row.text), (row.topic, row.partition, row.offset)) for row in rows]
        ),
        *_once(published, Fate.QUARANTINE, [(number_in(row[0]), (row[1], row[2], row[3])) for row in quarantined]),
        *_contents(published, rows),
        *_differences("rollup", _recounted(rows), _rollups(database)),
        *_differences("series", _expected_series(published), _series(database)),
        *_differences("series", _expected_words(published), _words(database)),
        *_differences("counter", _expected_counters(published, found_gaps), counters),
        *_differences("offset", _expected_offsets(published), _offsets(database)),
        *_searchable(database, {row.id for row in rows}),
    ]
    if found_gaps != gaps:
        told.append(Finding("gap", f"{found_gaps} gaps instead of {gaps}: {'; '.join(reasons)}"))
    return told


def followed(database: Database, seen: Sequence[int], session_name: str | None = None) -> list[Finding]:
    """Return what a client that followed ``after=<id>`` saw otherwise than once and in order (``missed``, ``order``).

    It followed all messages, or those of one session.
    """
    wanted = select(Message.id)
    if session_name is not None:
        wanted = wanted.join(MessageSession, MessageSession.id == Message.session_id).where(
            MessageSession.name == session_name
        )
    with database.read() as session:
        ids = set(session.scalars(wanted))
    told = [Finding("missed", f"message {id_} was never seen") for id_ in sorted(ids - set(seen))]
    told += [Finding("missed", f"message {id_} was seen and is not there") for id_ in sorted(set(seen) - ids)]
    disordered = [pair for pair in pairwise(seen) if pair[1] <= pair[0]]
    return told + [Finding("order", f"{later} came after {former}") for former, later in disordered]


def _once(published: Published, fate: Fate, stored: Iterable[tuple[int | None, Place]]) -> Iterator[Finding]:
    """Compare numbers and places: each number at its place, once."""
    there: dict[int, list[Place]] = defaultdict(list)
    for number, place in stored:
        if number is None:
            yield Finding("foreign", f"{place} says no number")
        else:
            there[number].append(place)
    expected = {planned.number for planned in published.planned(fate)}
    for number in sorted(expected - there.keys()):
        yield Finding("lost", f"{number} ({fate.value}) of {published.places[number]}")
    for number, places in there.items():
        if number not in expected:
            yield Finding("foreign", f"{number} was not published as {fate.value}, but stored from {places}")
        elif len(places) > 1:
            yield Finding("twice", f"{number} from {places}")
        elif places[0] != published.places[number]:
            yield Finding("foreign", f"{number} from {places[0]} instead of {published.places[number]}")


def _contents(published: Published, rows: Iterable[_Stored]) -> Iterator[Finding]:
    for row in rows:
        number = number_in(row.text)
        if number is None or number not in published.places:
            continue
        planned = published.load.planned(number)
        given = (row.session, row.application, Severity(row.severity), planned.time_ns and row.time_ns)
        if given != (planned.session, planned.application, planned.severity, planned.time_ns):
            yield Finding("foreign", f"{number} says {given}")


def _recounted(rows: Iterable[_Stored]) -> dict[Hashable, tuple[int, ...]]:
    """Return every roll-up as it must be: width, session and bucket to the counts, the least and the greatest id."""
    counted: dict[Hashable, list[int]] = {}
    for row in rows:
        second = row.time_ns // _NS
        for width in RESOLUTIONS_S:
            for whose in (ALL_SESSIONS, row.session_id):
                bucket = counted.setdefault(
                    (width, whose, second - second % width), [0] * len(COLUMNS) + [row.id, row.id]
                )
                bucket[row.severity] += 1
                bucket[-2:] = min(bucket[-2], row.id), max(bucket[-1], row.id)
    return {place: tuple(bucket) for place, bucket in counted.items()}


def _rollups(database: Database) -> dict[Hashable, tuple[int, ...]]:
    with database.read() as session:
        return {
            (row.resolution_s, row.session_id, row.bucket_s): (
                *(getattr(row, name) for name in COLUMNS),
                row.min_id,
                row.max_id,
            )
            for row in session.scalars(select(MessageRollup))
        }


def _expected_series(published: Published) -> dict[Hashable, tuple[float, ...]]:
    """Return session, application, width and bucket to number, sum, least, greatest, newest and its time."""
    values: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for planned in published.planned(Fate.MEASUREMENT):
        time_ns = planned.time_ns or 0
        for width in RESOLUTIONS_S:
            place = (planned.session, planned.application, width, time_ns // _NS // width * width)
            values[place].append((time_ns, planned.number))
    return {place: _summed(of_bucket) for place, of_bucket in values.items()}


def _summed(values: Sequence[tuple[int, int]]) -> tuple[float, ...]:
    numbers = [number for _, number in values]
    newest_ns, newest = max(values)
    return len(numbers), sum(numbers), min(numbers), max(numbers), newest, newest_ns


def _series(database: Database) -> dict[Hashable, tuple[float, ...]]:
    kept = MeasurementRollup
    with database.read() as session:
        rows = session.execute(
            select(
                MessageSession.name,
                MessageApplication.name,
                kept.resolution_s,
                kept.bucket_s,
                *(kept.n, kept.total, kept.least, kept.greatest, kept.last, kept.last_ns),
            )
            .join(MeasurementSeries, MeasurementSeries.id == kept.series_id)
            .join(MessageSession, MessageSession.id == MeasurementSeries.session_id)
            .join(MessageApplication, MessageApplication.id == MeasurementSeries.application_id)
            .where(MeasurementSeries.name == MEASURED, MeasurementSeries.field == FIELD)
        ).all()
    return {tuple(row[:4]): tuple(row[4:]) for row in rows}


def _expected_words(published: Published) -> dict[Hashable, tuple[str, int]]:
    newest: dict[Hashable, tuple[int, int]] = {}
    for planned in published.planned(Fate.MEASUREMENT):
        whose = (planned.session, planned.application)
        newest[whose] = max(newest.get(whose, (0, 0)), (planned.time_ns or 0, planned.number))
    return {whose: (mark(number), time_ns) for whose, (time_ns, number) in newest.items()}


def _words(database: Database) -> dict[Hashable, tuple[str | None, int | None]]:
    with database.read() as session:
        rows = session.execute(
            select(MessageSession.name, MessageApplication.name, MeasurementSeries.last_text, MeasurementSeries.last_ns)
            .join(MessageSession, MessageSession.id == MeasurementSeries.session_id)
            .join(MessageApplication, MessageApplication.id == MeasurementSeries.application_id)
            .where(MeasurementSeries.field == WORD)
        ).all()
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _expected_counters(published: Published, gaps: int) -> dict[str, int]:
    fates = Counter(published.load.planned(number).fate for number in published.places)
    counts = {
        "stored": fates[Fate.MESSAGE],
        "quarantined": fates[Fate.QUARANTINE],
        "echo": fates[Fate.ECHO],
        "measurements": fates[Fate.MEASUREMENT],
        "gaps": gaps,
    }
    return {name: value for name, value in counts.items() if value}


def _expected_offsets(published: Published) -> dict[Hashable, int]:
    """Return the next offset of each partition's newest life: after its record of the greatest number."""
    following: dict[Hashable, int] = {}
    for number in sorted(published.places):
        topic, partition, offset = published.places[number]
        following[topic, partition] = offset + 1
    return following


def _offsets(database: Database) -> dict[Hashable, int]:
    with database.read() as session:
        rows = session.execute(
            select(Topic.name, TopicOffset.partition, TopicOffset.next_offset)
            .join(Topic, Topic.id == TopicOffset.topic_id)
            .order_by(TopicOffset.incarnation_id)
        )
        return {(row[0], row[1]): row[2] for row in rows}


def _searchable(database: Database, ids: set[int]) -> Iterator[Finding]:
    """Compare the messages with SQLite's index of words; on PostgreSQL the index is the engine's own affair."""
    if not database.is_sqlite:
        return
    with database.read() as session:
        indexed = set(session.scalars(text(f"SELECT id FROM {INDEX}_docsize")))  # noqa: S608 - own names
    for id_ in sorted(ids ^ indexed):
        yield Finding("search", f"message {id_} is {'not' if id_ in ids else 'still'} in the index")


def _differences(what: str, expected: Mapping[Any, object], found: Mapping[Any, object]) -> Iterator[Finding]:
    for key in sorted(expected.keys() | found.keys(), key=str):
        if expected.get(key) != found.get(key):
            yield Finding(what, f"{key}: {found.get(key)} instead of {expected.get(key)}")
