"""How much of the full-text index to ask for next: little for a common word, and soon all of it for a rare one."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Protocol

from models.search import BLOCK_IDS
from services.messages.search import blocks_of
from services.messages.statements import Bounds, Seen
from services.messages.time_limit import TimeLimit

# A quarter more than what fills the page on the average: words do not lie evenly.
MORE = 1.25
# SQLite's index is asked for no more rows than so many at a time, and so many altogether.
INDEX_STEP = 4_000
INDEX_MOST = 16_000
# PostgreSQL's is asked for no more ids than so many times those that it was asked for before. From so many blocks on it
# is quicker to look at all that is left.
BLOCKS_GROWTH = 32
BLOCKS_MOST = 64

# What fits, in the order of reading, and what is not looked at yet, None if nothing is left.
Step = tuple[list[int], Bounds | None]


class Ask(Protocol):
    """Asks the index for its first rows within bounds, at most so many, and only in some blocks if any are given."""

    def __call__(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        """Return what it names; PostgreSQL's leaves out what does not fit."""


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
        yield named.fitting, left


def block_by_block(ask: Ask, rest: Bounds, wanted: int, time_limit: TimeLimit) -> Iterator[Step]:
    """Look at as many blocks as probably have so many that fit, until there are; where reading begins is known.

    PostgreSQL's index knows no order: all that it names is looked at before the first is known.
    """
    looked_at = number = 0
    left: Bounds | None = rest
    while left is not None and not time_limit.is_over:
        ids = min(enough(wanted - number, number, looked_at), looked_at * BLOCKS_GROWTH) or BLOCK_IDS // 2
        stretch, beyond = _to_end_of_block(left, ids)
        blocks = _blocks(stretch)
        if not 0 < len(blocks) <= BLOCKS_MOST:
            stretch, beyond, blocks = left, None, ()
        fitting = ask(stretch, wanted - number, blocks=blocks).fitting
        looked_at += 0 if beyond is None else abs((beyond.begin or 0) - (left.begin or 0))
        left = beyond
        number += len(fitting)
        yield fitting, left


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


def _blocks(bounds: Bounds) -> Sequence[int]:
    """Return the blocks in which ids of these bounds are; none if nobody knows where they end."""
    return () if bounds.before is None else blocks_of((bounds.after or 0) + 1, bounds.before - 1)
