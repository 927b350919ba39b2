"""Whatever the records, wherever a transaction breaks off, whoever goes on: in the end the database says the same."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models.database import Database
from models.messages import Message
from services.messages.batch import PartitionKey, Position, make_batch
from services.messages.decode import decode_all
from services.messages.echo import own_echo
from services.messages.ledger import OffsetLedger
from services.messages.store import MessageStore, OffsetConflictError
from services.messages.types import Record
from tests.crash.fuse import Fuse, PowerCutError
from tests.crash.load import SERVICE_USER, Load
from tests.crash.verdict import Place, Published, findings, followed
from tests.db.services.messages.builders import NOW, NOW_NS
from tests.postgres import empty

# Hundreds of small databases: seconds on a quiet machine.
pytestmark = pytest.mark.timeout(300)

CLUSTER = "cluster"
IS_ECHO = own_echo(SERVICE_USER)


def lost_connection() -> OperationalError:
    return OperationalError("a statement", {}, ConnectionError("the server closed the connection"))


@dataclass(frozen=True, slots=True)
class Trouble:
    """One turn: which of two programs takes it, and the boundary at which it breaks off (None: it does not).

    Either the program ends there, or it sees an error of the database and goes on.
    """

    program: int = 0
    boundary: int | None = None
    is_end: bool = True


@dataclass(frozen=True, slots=True)
class Topics:
    """What a broker has: records in the order of publishing."""

    records: Sequence[Record]
    published: Published

    @classmethod
    def holding(cls, numbers: Sequence[int]) -> "Topics":
        """Take records of the numbered load, in the order of their numbers."""
        load = Load(NOW_NS)
        following: dict[PartitionKey, int] = defaultdict(int)
        places: dict[int, Place] = {}
        records: list[Record] = []
        for planned in map(load.planned, sorted(numbers)):
            key = (planned.topic, planned.partition)
            places[planned.number] = (*key, following[key])
            records.append(Record(*key, following[key], NOW_NS // 1_000_000, None, planned.value))
            following[key] += 1
        return cls(records, Published(load, places))


@dataclass(slots=True)
class Program:
    """A consumer without Kafka: as `services.messages.consumer`, it goes on from the offsets in the database."""

    database: Database
    topics: Topics
    batch_records: int
    store: MessageStore = field(init=False)
    positions: dict[PartitionKey, Position] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MessageStore(self.database, lambda: NOW)

    def turn(self) -> bool:
        """Store one batch; return whether there was any."""
        self.positions = self.positions or self._start()
        positions = self.positions
        new = [one for one in self.topics.records if one.offset >= positions[one.topic, one.partition].following]
        batch = make_batch(decode_all(new[: self.batch_records], NOW_NS), positions, NOW_NS, IS_ECHO)
        if not batch.advances:
            return False
        try:
            self.store.write(batch)
        except OffsetConflictError:
            self.positions = {}
            return True
        for step in batch.advances:
            key = (step.topic, step.partition)
            positions[key] = replace(positions[key], stored=step.next_offset, following=step.next_offset)
        return True

    def _start(self) -> dict[PartitionKey, Position]:
        ledger = OffsetLedger(self.database, lambda: NOW)
        ledger.open_cluster(CLUSTER)
        ends: dict[PartitionKey, int] = {}
        for record in self.topics.records:
            ends[record.topic, record.partition] = record.offset + 1
        lives = ledger.lives(CLUSTER, dict.fromkeys(topic for topic, _ in ends))
        return {key: ledger.start(CLUSTER, key, lives[key[0]], (0, end)) for key, end in ends.items()}


class Follower:
    """Looks for new ids, as pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen: list[int] = []

    def look(self) -> None:
        newest = self.seen[-1] if self.seen else 0
        with self._database.read() as session:
            self.seen += session.scalars(select(Message.id).where(Message.id > newest).order_by(Message.id))


MakeDatabase = Callable[[], Database]


@pytest.fixture
def fresh(database: Database, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Gives an empty database at head each time it is asked; the one before is closed."""
    given: list[Database] = []

    def make() -> Database:
        if not database.is_sqlite:
            empty(database)
            return database
        for before in given:
            before.close()
        path = tmp_path / f"{len(given)}.db"
        shutil.copy(template, path)
        given.append(Database(f"sqlite:///{path}"))
        return given[-1]

    template = tmp_path / "console.db"
    database.close()
    yield make
    for last in given[-1:]:
        last.close()


def play(database: Database, topics: Topics, batch_records: int, troubles: Sequence[Trouble]) -> int:
    """Read all topics under troubles, compare, and return how many boundaries there were."""
    fuse = Fuse(database)
    programs = [Program(database, topics, batch_records) for _ in range(2)]
    follower = Follower(database)
    for trouble in troubles:
        fuse.arm(trouble.boundary, PowerCutError if trouble.is_end else lost_connection)
        try:
            programs[trouble.program].turn()
        except PowerCutError:
            programs[trouble.program] = Program(database, topics, batch_records)
        except OperationalError:
            pass
        fuse.arm(None, PowerCutError)
        follower.look()
    for program in programs:
        while program.turn():
            follower.look()
    follower.look()
    told = [*findings(database, topics.published), *followed(database, follower.seen)]
    assert told == []
    return fuse.reached


troubles = st.builds(
    Trouble,
    program=st.integers(0, 1),
    boundary=st.none() | st.integers(0, 60),
    is_end=st.booleans(),
)


def test_any_records_and_any_crashes_end_in_the_same_database(database: Database, fresh: MakeDatabase) -> None:
    @settings(max_examples=40 if database.is_sqlite else 10, deadline=None)
    @given(
        st.sets(st.integers(0, 5_000), min_size=1, max_size=60),
        st.integers(1, 25),
        st.lists(troubles, max_size=12),
    )
    def holds(numbers: set[int], batch_records: int, some: list[Trouble]) -> None:
        play(fresh(), Topics.holding(sorted(numbers)), batch_records, some)

    holds()


@pytest.mark.parametrize("is_end", [True, False], ids=["the program ends", "the connection is lost"])
def test_every_boundary_of_a_batch_of_all_kinds(database: Database, fresh: MakeDatabase, *, is_end: bool) -> None:
    """The second batch: its offsets, names and series are partly there already and partly new."""
    topics = Topics.holding(range(40))
    undisturbed = play(fresh(), topics, 20, [Trouble()])
    first = play(fresh(), Topics.holding(range(20)), 20, [Trouble()])
    for boundary in range(undisturbed - first + 1):
        play(fresh(), topics, 20, [Trouble(), Trouble(boundary=boundary, is_end=is_end)])
