"""How much of the full-text index to ask for next: little for a common word, and soon all of it for a rare one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Protocol

from sqlalchemy.orm import Session

from models.search import BLOCK_IDS, SECTION_IDS
from services.messages.search import ALL_INDEXES, Search, blocks_of, index_numbers
from services.messages.selection import Rest
from services.messages.statements import Bounds, Seen
from services.messages.time_limit import TimeLimit

# A quarter more than what fills the page on the average: words do not lie evenly.
MORE = 1.25
# SQLite's index is asked for no more rows than so many at a time, and so many altogether.
INDEX_STEP = 4_000
INDEX_MOST = 16_000
# So many ids at least tell how common words are on PostgreSQL.
SAMPLE_IDS = BLOCK_IDS // 2
# To find its way among the messages of a block takes PostgreSQL's as long as it takes to look at so many that it names.
ROWS_A_BLOCK = 130
# So many could be looked at in the time that it takes to plan with one index and begin to use it.
ROWS_AN_INDEX = 60
BLOCKS_A_SECTION = SECTION_IDS // BLOCK_IDS
# About so many are looked at by one statement, so that none takes long where many have the words and few of them fit.
ROWS_AT_ONCE = 50_000
# A connection remembers so long, and of so many searches, how far it had to look: few of the messages stored in that
# time can have words that so few had before.
REMEMBER_S = 5.0
REMEMBER_MOST = 64
# Several times as many as can be stored in that time.
NEWER_MOST = SECTION_IDS // 2


@dataclass(frozen=True, slots=True)
class Step:
    """What fits, in the order of reading, and what is not looked at yet, None if nothing is left.

    ``in_sections``: whole sections were looked at, as few have the words.
    """

    fitting: list[int]
    left: Bounds | None
    in_sections: bool = False


class Ask(Protocol):
    """Asks the index for its first rows within bounds, at most so many, and only in some blocks if any are given.

    PostgreSQL is asked for blocks of one section only, and asks no index that has nothing within the bounds.
    """

    def __call__(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        """Return what it names; PostgreSQL's leaves out what does not fit."""


class Sample(Protocol):
    """Asks PostgreSQL's index for all rows in some blocks of one section."""

    def __call__(self, bounds: Bounds, *, blocks: Sequence[int]) -> Seen:
        """Return how many it names, and those of them that fit."""


def row_by_row(ask: Ask, rest: Bounds, wanted: int, time_limit: TimeLimit) -> Iterator[Step]:
    """Look at as many rows that SQLite's index names as probably have so many that fit, until there are."""
    looked_at = number = 0
    left: Bounds | None = rest
    while left is not None and looked_at < INDEX_MOST and not time_limit.is_over:
        step = min(enough(wanted - number, number, looked_at), INDEX_STEP, INDEX_MOST - looked_at)
        named = ask(left, step)
        left = left.beyond(named.last) if named.rows == step else None
        looked_at += step
        number += len(named.fitting)
        yield Step(named.fitting, left)


def block_by_block(ask: Ask, sample: Sample, rest: Bounds, wanted: int, time_limit: TimeLimit) -> Iterator[Step]:
    """Look at as much as probably has so many that fit, until there are; where reading begins is known.

    PostgreSQL's indexes know no order: all that one names is looked at before the first is known. How many that are,
    and how many of them fit, the first block tells; then it is some blocks, some sections, or everything at once,
    whatever costs least.
    """
    left: Bounds | None = rest
    number = rows = looked_at = 0
    while left is not None and looked_at < SAMPLE_IDS and not time_limit.is_over:
        stretch, left = _to_end_of_block(left, SAMPLE_IDS - looked_at)
        seen = sample(stretch, blocks=_blocks(stretch))
        number, rows, looked_at = number + len(seen.fitting), rows + seen.rows, looked_at + _number_of_ids(stretch)
        yield Step(seen.fitting, left)
    cost = _Cost.of(rest, rows / max(looked_at, 1) * BLOCK_IDS)
    while left is not None and not time_limit.is_over:
        ids = min(enough(wanted - number, number, looked_at), cost.most_ids)
        stretch, beyond, blocks = cost.cheapest(left, ids)
        fitting = ask(stretch, wanted - number, blocks=blocks).fitting
        number, looked_at, left = number + len(fitting), looked_at + _number_of_ids(stretch), beyond
        yield Step(fitting, left, in_sections=not blocks)


@dataclass(frozen=True, slots=True)
class _Cost:
    """What PostgreSQL's ways cost, in rows that could be looked at in that time.

    ``of_all``: how many blocks there are, None if nobody knows; ``rows_a_block``: how many of each have the words.
    """

    of_all: float | None
    rows_a_block: float

    @classmethod
    def of(cls, rest: Bounds, rows_a_block: float) -> "_Cost":
        return cls(None if rest.before is None else rest.before / BLOCK_IDS, rows_a_block)

    @property
    def most_ids(self) -> int:
        return int(ROWS_AT_ONCE / max(self.rows_a_block, 1) * BLOCK_IDS)

    def cheapest(self, left: Bounds, ids: int) -> tuple[Bounds, Bounds | None, Sequence[int]]:
        """Return a stretch of so many ids, what is left, and the blocks to ask for; none: all of its sections."""
        if self.of_all is None:
            # Where nobody knows how many blocks are left, nobody knows what they would cost.
            return left, None, ()
        blocks = min(ceil(ids / BLOCK_IDS), len(_blocks(left)))
        sections = ceil(blocks / BLOCKS_A_SECTION)
        # An index names what its other sections have as well.
        rows_an_index = self.rows_a_block * max(self.of_all / len(ALL_INDEXES), BLOCKS_A_SECTION)
        by_blocks = blocks * (ROWS_A_BLOCK + self.rows_a_block)
        by_sections = sections * (ROWS_AN_INDEX + rows_an_index)
        at_once = len(ALL_INDEXES) * ROWS_AN_INDEX + self.rows_a_block * self.of_all
        if at_once <= min(by_blocks, by_sections):
            return left, None, ()
        if by_sections < by_blocks:
            return *_to_end_of_section(left, ids), ()
        stretch, beyond = _to_end_of_block(left, ids)
        return stretch, beyond, _blocks(stretch)


def enough(wanted: int, fitting: int, looked_at: int) -> int:
    """Return how many to look at next to find so many, when among those looked at so many fitted."""
    rate = max(fitting, 1) / looked_at if looked_at else 1.0
    return ceil(wanted / rate * MORE)


def _to_end_of_block(bounds: Bounds, ids: int) -> tuple[Bounds, Bounds | None]:
    """Return so many ids at least, up to the end of a block but within one section, and what is left."""
    begin = bounds.begin or 0
    if bounds.ascending:
        in_section = SECTION_IDS - 1 - begin % SECTION_IDS or SECTION_IDS
    else:
        in_section = begin % SECTION_IDS or SECTION_IDS
    return _to_end_of(BLOCK_IDS, bounds, min(ids, in_section))


def _to_end_of_section(bounds: Bounds, ids: int) -> tuple[Bounds, Bounds | None]:
    """Return so many ids at least, up to the end of a section, and what is left."""
    return _to_end_of(SECTION_IDS, bounds, ids)


def _to_end_of(unit: int, bounds: Bounds, ids: int) -> tuple[Bounds, Bounds | None]:
    begin = bounds.begin or 0
    last = begin + ids if bounds.ascending else max(begin - ids, 0)
    first_of_unit = last - last % unit
    return bounds.split(first_of_unit + unit - 1 - begin if bounds.ascending else begin - first_of_unit)


def _number_of_ids(bounds: Bounds) -> int:
    return 0 if bounds.before is None else bounds.before - (bounds.after or 0) - 1


def _blocks(bounds: Bounds) -> Sequence[int]:
    """Return the blocks in which ids of these bounds are; none if nobody knows where they end."""
    return () if bounds.before is None else blocks_of((bounds.after or 0) + 1, bounds.before - 1)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a page of the newest messages reached: down to the id ``lowest``, 0 if to the end.

    ``asked`` is what the index was asked for, ``newest`` was the newest of all messages then.
    """

    asked: Search
    lowest: int
    newest: int

    @property
    def index_numbers(self) -> Sequence[int]:
        """Which of PostgreSQL's indexes have what the page shows now."""
        return index_numbers(self.lowest, self.newest + NEWER_MOST) if self.lowest else ALL_INDEXES


class RareWords:
    """Searches for words that few messages have, as one connection to PostgreSQL has met them of late."""

    def __init__(self) -> None:
        """Nothing was met yet."""
        self._met: dict[tuple[Search, Rest, int], tuple[float, Reach]] = {}

    @classmethod
    def of(cls, session: Session) -> "RareWords":
        """Return what the session's connection has met."""
        found: RareWords = session.connection().info.setdefault(cls, cls())
        return found

    def met(self, sought: Search, rest: Rest, limit: int) -> Reach | None:
        """Return how far a page of so many reached; None if it is not known that few have the words."""
        since, reach = self._met.get((sought, rest, limit), (-REMEMBER_S, None))
        return reach if monotonic() - since < REMEMBER_S else None

    def meet(self, sought: Search, rest: Rest, limit: int, reach: Reach) -> None:
        """Remember how far a page reached for which whole sections were looked at."""
        if len(self._met) >= REMEMBER_MOST:
            self._met.clear()
        self._met[sought, rest, limit] = monotonic(), reach
