"""Where reading stands: incarnations, offsets and gaps in the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import Gap, Incarnation, Topic, TopicLife, TopicOffset
from services.clock import Clock
from services.messages import dimensions, offsets
from services.messages.batch import Advance, PartitionKey, Position
from services.messages.store import OffsetConflictError, count
from services.messages.upsert import writers_turn

# Stands for a topic that has no row yet; ids begin at 1.
NO_TOPIC = 0


@dataclass(frozen=True, slots=True)
class Life:
    """The present life of a topic.

    Attributes:
        incarnation_id: The row of table ``incarnation`` that it is.
        offsets: The next offset of each partition that was read in it.
        kafka_id: The id that Kafka gave the topic; None while that is not known, and on brokers without ids.
    """

    incarnation_id: int
    offsets: Mapping[int, int] = field(default_factory=dict)
    kafka_id: str | None = None


class OffsetLedger:
    """Answers where to start, and writes down what will never be read (tables ``incarnation``, ``gap``)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock

    def open_cluster(self, cluster_id: str) -> None:
        """Make the cluster known. For one never seen, every partition of others gets a gap: reading ended there."""
        with self._database.write() as session:
            writers_turn(session)
            known = session.scalar(select(Incarnation.id).where(Incarnation.cluster_id == cluster_id))
            if known is None:
                reason = f"Kafka was made anew as cluster {cluster_id}."
                self._end(session, session.scalars(select(Incarnation.id)).all(), None, reason)
                session.add(Incarnation(cluster_id=cluster_id, first_seen_at=self._clock()))

    def lives(self, cluster_id: str, topics: Mapping[str, str | None]) -> dict[str, Life]:
        """Return the present life of each topic of a cluster that `open_cluster` made known.

        ``topics`` says which id Kafka gave each, None on brokers without ids. A life that was without id takes it; an
        id that is not the life's means that the topic was made anew: it begins a new life.
        """
        with self._database.read() as session:
            found = _lives(session, cluster_id, topics)
        strangers = {topic: id_ for topic, id_ in topics.items() if id_ is not None and found[topic].kafka_id != id_}
        if strangers:
            found |= self._recognise(cluster_id, strangers)
        return found

    def _recognise(self, cluster_id: str, strangers: Mapping[str, str]) -> dict[str, Life]:
        with self._database.write() as session:
            writers_turn(session)
            topic_ids = dimensions.ids(session, Topic, strangers)
            # Read again, as another collector may have recognised them meanwhile.
            for topic, life in _lives(session, cluster_id, strangers).items():
                if life.kafka_id is None:
                    _name(session, life.incarnation_id, topic_ids[topic], strangers[topic])
                elif life.kafka_id != strangers[topic]:
                    reason = f"topic {topic} was made anew."
                    kafka_id = strangers[topic]
                    self._begin_life(session, cluster_id, topic_ids[topic], life, kafka_id=kafka_id, reason=reason)
            session.flush()
            return _lives(session, cluster_id, strangers)

    def start(self, cluster_id: str, key: PartitionKey, life: Life, watermarks: tuple[int, int]) -> Position:
        """Return where to start reading a partition, given what the broker still has of it.

        What the broker has thrown away unread becomes a gap. A stored offset that the broker has not reached means
        that the topic was made anew, or that the broker lost its end: the topic begins a new life.

        Raises:
            OffsetConflictError: Somebody else moved the offset meanwhile.
        """
        low, high = watermarks
        stored = life.offsets.get(key[1])
        if stored is None:
            return Position(life.incarnation_id, None, low)
        if stored > high:
            return Position(self._begin_anew(cluster_id, key[0], life), None, low)
        if stored < low:
            self._skip(key, life, stored, low)
            return Position(life.incarnation_id, low, low)
        return Position(life.incarnation_id, stored, stored)

    def _skip(self, key: PartitionKey, life: Life, stored: int, low: int) -> None:
        reason = f"Kafka threw away {low - stored} records before they were read (offsets {stored} to {low - 1})."
        with self._database.write() as session:
            writers_turn(session)
            topic_id = session.scalars(select(Topic.id).where(Topic.name == key[0])).one()
            advance = Advance(life.incarnation_id, *key, expected=stored, next_offset=low)
            if not offsets.move(session, [advance], {key[0]: topic_id}, self._clock()):
                raise OffsetConflictError(f"{key[0]}[{key[1]}]: the next offset is not {stored} any more")
            self._add_gap(session, (life.incarnation_id, topic_id, key[1]), stored, low, reason)

    def _begin_anew(self, cluster_id: str, topic: str, life: Life) -> int:
        """Return the id of the topic's next life; it is the present one if somebody else was faster."""
        with self._database.write() as session:
            writers_turn(session)
            topic_id = dimensions.ids(session, Topic, [topic])[topic]
            present = _lives(session, cluster_id, {topic: life.kafka_id})[topic]
            if present.incarnation_id != life.incarnation_id:
                return present.incarnation_id
            # The same id is the same topic, so its newest records are what is missing.
            reason = (
                f"topic {topic} was made anew." if life.kafka_id is None else f"Kafka lost the end of topic {topic}."
            )
            return self._begin_life(session, cluster_id, topic_id, present, kafka_id=life.kafka_id, reason=reason)

    def _begin_life(
        self, session: Session, cluster_id: str, topic_id: int, before: Life, *, kafka_id: str | None, reason: str
    ) -> int:
        self._end(session, [before.incarnation_id], topic_id, reason)
        prefix = _life_prefix(cluster_id, topic_id)
        number = sum(name.startswith(prefix) for name in _incarnations(session, cluster_id)) + 2
        anew = Incarnation(cluster_id=f"{prefix}{number}", first_seen_at=self._clock())
        session.add(anew)
        session.flush()
        if kafka_id is not None:
            _name(session, anew.id, topic_id, kafka_id)
        return anew.id

    def _end(self, session: Session, incarnation_ids: Iterable[int], topic_id: int | None, reason: str) -> None:
        """Write for each partition of some incarnations (and one topic) that reading ended, unless that stands."""
        offsets = select(TopicOffset).where(TopicOffset.incarnation_id.in_(set(incarnation_ids)))
        if topic_id is not None:
            offsets = offsets.where(TopicOffset.topic_id == topic_id)
        ended = {
            (gap.incarnation_id, gap.topic_id, gap.partition, gap.first_offset)
            for gap in session.scalars(select(Gap).where(Gap.next_offset.is_(None)))
        }
        for row in session.scalars(offsets):
            partition = (row.incarnation_id, row.topic_id, row.partition)
            if (*partition, row.next_offset) not in ended:
                told = f"Reading ended at offset {row.next_offset}: {reason}"
                self._add_gap(session, partition, row.next_offset, None, told)

    def _add_gap(
        self, session: Session, partition: tuple[int, int, int], first: int, following: int | None, reason: str
    ) -> None:
        incarnation_id, topic_id, number = partition
        session.add(
            Gap(
                at=self._clock(),
                incarnation_id=incarnation_id,
                topic_id=topic_id,
                partition=number,
                first_offset=first,
                next_offset=following,
                reason=reason,
            )
        )
        count(session, {"gaps": 1})


def _life_prefix(cluster_id: str, topic_id: int) -> str:
    return f"{cluster_id}#{topic_id}."


def _incarnations(session: Session, cluster_id: str) -> dict[str, int]:
    """Return all lives of a cluster and of its topics, name to id."""
    rows = session.scalars(
        select(Incarnation).where(
            or_(
                Incarnation.cluster_id == cluster_id,
                Incarnation.cluster_id.startswith(f"{cluster_id}#", autoescape=True),
            )
        )
    )
    return {row.cluster_id: row.id for row in rows}


def _name(session: Session, incarnation_id: int, topic_id: int, kafka_id: str) -> None:
    session.add(TopicLife(incarnation_id=incarnation_id, topic_id=topic_id, kafka_id=kafka_id))


def _lives(session: Session, cluster_id: str, topics: Mapping[str, str | None]) -> dict[str, Life]:
    """Return each topic's life: the newest with the given id, or else the newest of all."""
    topic_ids = {row.name: row.id for row in session.scalars(select(Topic).where(Topic.name.in_(topics)))}
    incarnations = _incarnations(session, cluster_id)
    named = select(TopicLife).where(
        TopicLife.topic_id.in_(topic_ids.values()), TopicLife.incarnation_id.in_(incarnations.values())
    )
    names = {(row.incarnation_id, row.topic_id): row.kafka_id for row in session.scalars(named)}
    present: dict[str, tuple[int, int]] = {}
    for topic, kafka_id in topics.items():
        topic_id = topic_ids.get(topic, NO_TOPIC)
        prefix = _life_prefix(cluster_id, topic_id)
        every = [incarnations[cluster_id], *(id_ for name, id_ in incarnations.items() if name.startswith(prefix))]
        same = [id_ for id_ in every if kafka_id is not None and names.get((id_, topic_id)) == kafka_id]
        present[topic] = (max(same or every), topic_id)
    offsets = _offsets(session, {incarnation_id for incarnation_id, _ in present.values()})
    return {topic: Life(life[0], offsets.get(life, {}), names.get(life)) for topic, life in present.items()}


def _offsets(session: Session, incarnation_ids: Iterable[int]) -> dict[tuple[int, int], dict[int, int]]:
    """Return the next offset of each partition, by incarnation and topic."""
    found: dict[tuple[int, int], dict[int, int]] = {}
    for row in session.scalars(select(TopicOffset).where(TopicOffset.incarnation_id.in_(incarnation_ids))):
        found.setdefault((row.incarnation_id, row.topic_id), {})[row.partition] = row.next_offset
    return found
