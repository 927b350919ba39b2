"""How much of the full-text index to ask for next: little for a common word, and soon all of it for a rare one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Protocol

from sqlalchemy.orm import Session

from models.search import BLOCK_IDS
from services.messages.search import Search, blocks_of
from services.messages.selection import Rest
from services.messages.statements import Bounds, Seen
from services.messages.time_limit import TimeLimit

# A quarter more than what fills the page on the average: words do not lie evenly.
MORE = 1.25
# SQLite's index is asked for no more rows than so many at a time, and so many altogether.
INDEX_STEP = 4_000
INDEX_MOST = 16_000
# To find its way among the messages of a block takes PostgreSQL's as long as it takes to look at so many that it names.
ROWS_A_BLOCK = 130
# About so many are looked at by one statement, so that none takes long where many have the words and few of them fit.
ROWS_AT_ONCE = 50_000
# A connection remembers so long, and of so many searches, that looking at all at once was best: few of the messages
# stored in that time can have words that so few had before.
REMEMBER_S = 10.0
REMEMBER_MOST = 64


@dataclass(frozen=True, slots=True)
class Step:
    """What fits, in the order of reading, and what is not looked at yet, None if nothing is left.

    ``is_rare``: so few have the words that all of them were looked at at once.
    """

    fitting: list[int]
    left: Bounds | None
    is_rare: bool = False


class Ask(Protocol):
    """Asks the index for its first rows within bounds, at most so many, and only in some blocks if any are given."""

    def __call__(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        """Return what it names; PostgreSQL's leaves out what does not fit."""


class Sample(Protocol):
    """Asks PostgreSQL's index for all rows in some blocks."""

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
    """Look at as many blocks as probably have so many that fit, until there are; where reading begins is known.

    PostgreSQL's index knows no order: all that it names is looked at before the first is known. How many that are, and
    how many of them fit, the first block tells.
    """
    left: Bounds | None
    stretch, left = _to_end_of_block(rest, BLOCK_IDS // 2)
    if not (blocks := _blocks(stretch)):
        yield Step(ask(rest, wanted).fitting, None)
        return
    if time_limit.is_over:
        return
    seen = sample(stretch, blocks=blocks)
    number, looked_at = len(seen.fitting), _number_of_ids(stretch)
    rows_a_block = seen.rows / max(looked_at, 1) * BLOCK_IDS
    yield Step(seen.fitting, left)
    while left is not None and not time_limit.is_over:
        ids = min(enough(wanted - number, number, looked_at), int(ROWS_AT_ONCE / max(rows_a_block, 1) * BLOCK_IDS))
        stretch, beyond = _to_end_of_block(left, ids)
        blocks = _blocks(stretch)
        is_rare = rest.before is not None and _is_quicker_at_once(len(blocks), rest.before // BLOCK_IDS, rows_a_block)
        if is_rare or rest.before is None:
            # Where nobody knows how many blocks are left, nobody knows what they would cost.
            stretch, beyond, blocks = left, None, ()
        fitting = ask(stretch, wanted - number, blocks=blocks).fitting
        number, looked_at, left = number + len(fitting), looked_at + _number_of_ids(stretch), beyond
        yield Step(fitting, left, is_rare)


def _is_quicker_at_once(blocks: int, of_all: int, rows_a_block: float) -> bool:
    """Tell whether to look at all that the index names costs no more than to ask it for some blocks of all."""
    return rows_a_block * (of_all - blocks) <= ROWS_A_BLOCK * blocks


def enough(wanted: int, fitting: int, looked_at: int) -> int:
    """Return how many to look at next to find so many, when among those looked at so many fitted."""
    rate = max(fitting, 1) / looked_at if looked_at else 1.0
    return ceil(wanted / rate * MORE)


def _to_end_of_block(bounds: Bounds, ids: int) -> tuple[Bounds, Bounds | None]:
    """Return so many ids at least, up to the end of a block, and what is left."""
    begin = bounds.begin or 0
    last = begin + ids if bounds.ascending else max(begin - ids, 0)
    first_of_block = last - last % BLOCK_IDS
    return bounds.split(first_of_block + BLOCK_IDS - 1 - begin if bounds.ascending else begin - first_of_block)


def _number_of_ids(bounds: Bounds) -> int:
    return 0 if bounds.before is None else bounds.before - (bounds.after or 0) - 1


def _blocks(bounds: Bounds) -> Sequence[int]:
    """Return the blocks in which ids of these bounds are; none if nobody knows where they end."""
    return () if bounds.before is None else blocks_of((bounds.after or 0) + 1, bounds.before - 1)


class RareWords:
    """Searches for words that few messages have, as one connection to PostgreSQL has met them of late."""

    def __init__(self) -> None:
        """Nothing was met yet."""
        self._met: dict[tuple[Search, Rest, int], tuple[float, Search]] = {}

    @classmethod
    def of(cls, session: Session) -> "RareWords":
        """Return what the session's connection has met."""
        found: RareWords = session.connection().info.setdefault(cls, cls())
        return found

    def met(self, sought: Search, rest: Rest, limit: int) -> Search | None:
        """Return what to ask the index for; None if it is not known that few have the words, for so many wanted."""
        since, asked = self._met.get((sought, rest, limit), (-REMEMBER_S, sought))
        return asked if monotonic() - since < REMEMBER_S else None

    def meet(self, sought: Search, rest: Rest, limit: int, asked: Search) -> None:
        """Remember what the index was asked for."""
        if len(self._met) >= REMEMBER_MOST:
            self._met.clear()
        self._met[sought, rest, limit] = monotonic(), asked
