"""Whatever the pace, what the index names is met once and in order, and as soon as there is enough no more is asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search import BLOCK_IDS
from services.messages import pace
from services.messages.pace import Ask, Step, block_by_block, enough, row_by_row
from services.messages.statements import Bounds, Seen
from services.messages.time_limit import TimeLimit

NEWEST = 200 * BLOCK_IDS
Walk = Callable[[Ask, Bounds, int, TimeLimit], Iterator[Step]]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time limit that is over after some looks at it."""

    looks: list[bool] = field(default_factory=list)
    most: int = 1_000

    @property
    def is_over(self) -> bool:
        self.looks.append(True)
        return len(self.looks) > self.most


@dataclass(frozen=True, slots=True)
class Index:
    """Names some ids; ``asked`` is what it was asked for."""

    ids: frozenset[int]
    asked: list[tuple[Bounds, int, Sequence[int]]] = field(default_factory=list)

    def __call__(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        self.asked.append((bounds, step, blocks))
        named = [id_ for id_ in self.within(bounds) if not blocks or id_ // BLOCK_IDS in blocks][:step]
        return Seen(len(named), named[0] if named else 0, named[-1] if named else 0, named)

    def within(self, bounds: Bounds) -> list[int]:
        after, before = bounds.after or 0, NEWEST if bounds.before is None else bounds.before
        return sorted((id_ for id_ in self.ids if after < id_ < before), reverse=not bounds.ascending)


def steps(walk: Walk, index: Index, rest: Bounds, wanted: int) -> list[Step]:
    """Walk as a page does: until there are enough."""
    done: list[Step] = []
    for step in walk(index, rest, wanted, cast("TimeLimit", Clock())):
        done.append(step)
        if sum(len(fitting) for fitting, _ in done) >= wanted:
            break
    return done


IDS = st.frozensets(st.integers(1, NEWEST - 1), max_size=60)
# Where reading begins is known, as some rows were looked at before; where it ends need not be.
RESTS = st.one_of(
    st.builds(Bounds, st.none() | st.integers(0, NEWEST), st.integers(1, NEWEST), st.just(value=False)),
    st.builds(Bounds, st.integers(0, NEWEST), st.none() | st.integers(1, NEWEST), st.just(value=True)),
)


@pytest.mark.parametrize("walk", [row_by_row, block_by_block])
@given(ids=IDS, rest=RESTS, wanted=st.integers(1, 70), cuts=st.tuples(st.integers(1, 40), st.integers(1, 80)))
def test_what_is_named_is_met_once_and_in_order(
    walk: Walk,
    ids: frozenset[int],
    rest: Bounds,
    wanted: int,
    cuts: tuple[int, int],
) -> None:
    index = Index(ids)
    growth, most = cuts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "BLOCKS_GROWTH", growth)
        patch.setattr(pace, "BLOCKS_MOST", most)
        patch.setattr(pace, "INDEX_STEP", 7)
        done = steps(walk, index, rest, wanted)
    met = [id_ for fitting, _ in done for id_ in fitting]
    assert met == index.within(rest)[: max(wanted, len(met))]
    if len(met) < wanted:
        assert done[-1][1] is None
    assert all(len(blocks) <= most for _, _, blocks in index.asked)


def test_a_common_word_is_looked_for_in_the_newest_blocks_alone() -> None:
    index = Index(frozenset(range(1, NEWEST, 100)))
    ((fitting, _),) = steps(block_by_block, index, Bounds(None, NEWEST, ascending=False), 201)
    assert len(fitting) == 201
    assert [blocks for _, _, blocks in index.asked] == [range(199, 200)]


def test_so_many_blocks_are_asked_for_as_fill_the_page() -> None:
    """One in 5 000 has the word: that many in a block, and 201 in 1.3 million."""
    index = Index(frozenset(range(1, NEWEST, 5_000)))
    steps(block_by_block, index, Bounds(None, NEWEST, ascending=False), 201)
    (_, _, first), (_, _, second) = index.asked
    assert len(first) == 1
    assert 15 <= len(second) <= 20
    assert max(second) < min(first)


def test_where_almost_nobody_has_the_word_all_is_soon_looked_at() -> None:
    index = Index(frozenset({5}))
    done = steps(block_by_block, index, Bounds(None, NEWEST, ascending=False), 201)
    assert [len(blocks) for _, _, blocks in index.asked] == [1, pace.BLOCKS_GROWTH, 0]
    assert done[-1] == ([5], None)


@pytest.mark.parametrize("walk", [row_by_row, block_by_block])
def test_when_the_time_is_up_the_index_is_not_asked_any_more(
    walk: Walk,
) -> None:
    index = Index(frozenset(range(1, NEWEST, BLOCK_IDS // 2)))
    rest = Bounds(None, NEWEST, ascending=False)
    done = list(walk(index, rest, 20, cast("TimeLimit", Clock(most=1))))
    assert len(done) == len(index.asked) == 1
    assert list(walk(index, rest, 20, cast("TimeLimit", Clock(most=0)))) == []


def test_enough_is_a_little_more_than_what_fills_the_page_on_the_average() -> None:
    assert enough(200, 0, 0) == 250
    assert enough(200, 10, 1_000) == 25_000
    assert enough(200, 0, 1_000) == 250_000
