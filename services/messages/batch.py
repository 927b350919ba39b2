"""A batch: consecutive records of some partitions, decoded, and how far reading gets by storing them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.messages.decode import Arrival
from services.messages.decoding import DecodeError
from services.messages.types import Decoded, Measurement, Record

# Topic name and partition number.
PartitionKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading of one partition stands.

    Attributes:
        incarnation_id: The life of the cluster (or topic) that the offsets belong to.
        stored: The next offset as the database has it; None while it has none.
        following: The next offset to take from the broker.
    """

    incarnation_id: int
    stored: int | None
    following: int


@dataclass(frozen=True, slots=True)
class Advance:
    """One step of one partition: from what the database must still say (None: nothing) to the next offset."""

    incarnation_id: int
    topic: str
    partition: int
    expected: int | None
    next_offset: int


class Accepted(NamedTuple):
    """A decoded record: a tuple, as there are thousands a second."""

    incarnation_id: int
    record: Record
    message: Decoded


@dataclass(frozen=True, slots=True)
class Measured:
    """A decoded OpMon entry."""

    incarnation_id: int
    record: Record
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record for the quarantine, and why."""

    incarnation_id: int
    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction stores.

    ``echo`` records were recognised as the console's own and are only counted; ``released`` are ids of quarantined
    records that leave the quarantine because the batch has them decoded.
    """

    received_ns: int
    accepted: Sequence[Accepted] = ()
    rejected: Sequence[Rejected] = ()
    echo: int = 0
    advances: Sequence[Advance] = field(default_factory=tuple)
    measured: Sequence[Measured] = ()
    released: Sequence[int] = ()


def make_batch(
    arrivals: Iterable[Arrival],
    positions: Mapping[PartitionKey, Position],
    received_ns: int,
    is_echo: Callable[[Decoded], bool],
) -> Batch:
    """Sort records by what is in them and say how far each partition gets.

    Records of partitions that are not (or no longer) ours, and those before a partition's position, are left out:
    they were stored before, or are somebody else's to store.
    """
    accepted: list[Accepted] = []
    measured: list[Measured] = []
    rejected: list[Rejected] = []
    echo = 0
    following: dict[PartitionKey, int] = {}
    for record, found in arrivals:
        key = (record.topic, record.partition)
        position = positions.get(key)
        if position is None or record.offset < following.get(key, position.following):
            continue
        following[key] = record.offset + 1
        if isinstance(found, DecodeError):
            rejected.append(Rejected(position.incarnation_id, record, found.reason))
        elif isinstance(found, Measurement):
            measured.append(Measured(position.incarnation_id, record, found))
        elif is_echo(found):
            echo += 1
        else:
            accepted.append(Accepted(position.incarnation_id, record, found))
    advances = [
        Advance(positions[key].incarnation_id, *key, expected=positions[key].stored, next_offset=next_offset)
        for key, next_offset in following.items()
    ]
    return Batch(received_ns, accepted, rejected, echo, advances, measured)
