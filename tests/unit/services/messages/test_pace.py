"""Whatever the pace, what the index names is met once and in order, and as soon as there is enough no more is asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search import BLOCK_IDS, SECTION_IDS
from services.messages import pace
from services.messages.pace import RareWords, Reach, Step, block_by_block, enough, row_by_row
from services.messages.search import Search
from services.messages.selection import NO_REST, Rest
from services.messages.statements import Bounds, Seen
from services.messages.time_limit import TimeLimit
from services.messages.types import Contains

NEWEST = 200 * BLOCK_IDS


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
    """Names some ids, of which those fit that ``few`` divides; it keeps which blocks and bounds it was asked for."""

    ids: frozenset[int]
    few: int = 1
    asked: list[Sequence[int]] = field(default_factory=list)
    bounds: list[Bounds] = field(default_factory=list)

    def __call__(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        self.asked.append(blocks)
        self.bounds.append(bounds)
        named = self._named(bounds, blocks)[:step]
        return Seen(len(named), named[0] if named else 0, named[-1] if named else 0, self._fitting(named))

    def of_postgresql(self, bounds: Bounds, step: int, *, blocks: Sequence[int] = ()) -> Seen:
        self.asked.append(blocks)
        self.bounds.append(bounds)
        fitting = self._fitting(self._named(bounds, blocks))[:step]
        return Seen(len(fitting), 0, 0, fitting)

    def sample(self, bounds: Bounds, *, blocks: Sequence[int]) -> Seen:
        self.asked.append(blocks)
        self.bounds.append(bounds)
        named = self._named(bounds, blocks)
        return Seen(len(named), 0, 0, self._fitting(named))

    def within(self, bounds: Bounds) -> list[int]:
        """Return all that fit, in the order of reading."""
        return self._fitting(self._named(bounds, ()))

    def _named(self, bounds: Bounds, blocks: Sequence[int]) -> list[int]:
        after, before = bounds.after or 0, NEWEST if bounds.before is None else bounds.before
        named = (id_ for id_ in self.ids if after < id_ < before and (not blocks or id_ // BLOCK_IDS in blocks))
        return sorted(named, reverse=not bounds.ascending)

    def _fitting(self, named: Sequence[int]) -> list[int]:
        return [id_ for id_ in named if id_ % self.few == 0]


def by_rows(index: Index, rest: Bounds, wanted: int, looks: int = 1_000) -> Iterator[Step]:
    return row_by_row(index, rest, wanted, cast("TimeLimit", Clock(most=looks)))


def by_blocks(index: Index, rest: Bounds, wanted: int, looks: int = 1_000) -> Iterator[Step]:
    return block_by_block(index.of_postgresql, index.sample, rest, wanted, cast("TimeLimit", Clock(most=looks)))


WAYS = (by_rows, by_blocks)
Way = Callable[..., Iterator[Step]]


def steps(way: Way, index: Index, rest: Bounds, wanted: int) -> list[Step]:
    """Go on as a page does: until there are enough."""
    done: list[Step] = []
    for step in way(index, rest, wanted):
        done.append(step)
        if sum(len(step.fitting) for step in done) >= wanted:
            break
    return done


IDS = st.frozensets(st.integers(1, NEWEST - 1), max_size=60)
# Where reading begins is known, as some rows were looked at before; where it ends need not be.
RESTS = st.one_of(
    st.builds(Bounds, st.none() | st.integers(0, NEWEST), st.integers(1, NEWEST), st.just(value=False)),
    st.builds(Bounds, st.integers(0, NEWEST), st.none() | st.integers(1, NEWEST), st.just(value=True)),
)


NEWEST_FIRST = Bounds(None, NEWEST, ascending=False)


@pytest.mark.parametrize("way", WAYS)
@given(ids=IDS, rest=RESTS, wanted=st.integers(1, 70), odds=st.tuples(st.integers(1, 3), st.integers(0, 50)))
def test_what_is_named_is_met_once_and_in_order(
    way: Way, ids: frozenset[int], rest: Bounds, wanted: int, odds: tuple[int, int]
) -> None:
    few, rows_a_block = odds
    index = Index(ids, few)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "ROWS_A_BLOCK", rows_a_block)
        patch.setattr(pace, "INDEX_STEP", 7)
        done = steps(way, index, rest, wanted)
    met = [id_ for step in done for id_ in step.fitting]
    assert met == index.within(rest)[: max(wanted, len(met))]
    if len(met) < wanted:
        assert done[-1].left is None


def test_a_common_word_is_looked_for_in_the_newest_block_alone() -> None:
    index = Index(frozenset(range(1, NEWEST, 100)))
    (step,) = steps(by_blocks, index, NEWEST_FIRST, 201)
    assert len(step.fitting) >= 201
    assert index.asked == [range(199, 200)]


def test_so_many_blocks_are_asked_for_as_fill_the_page() -> None:
    """One in 1 000 has the word, so 66 in a block."""
    index = Index(frozenset(range(1, NEWEST, 1_000)))
    assert not any(step.in_sections for step in steps(by_blocks, index, NEWEST_FIRST, 201))
    first, second = index.asked
    assert (len(first), max(second), len(second)) == (1, min(first) - 1, 3)


def test_where_few_that_have_the_word_fit_more_blocks_are_asked_for() -> None:
    index = Index(frozenset(range(0, NEWEST, 1_000)), few=2_000)
    steps(by_blocks, index, NEWEST_FIRST, 201)
    assert [len(blocks) for blocks in index.asked][:2] == [1, 7]


def test_where_many_blocks_would_be_needed_whole_sections_are_asked_for() -> None:
    """One in 5 000 has the word, so that a page needs a million ids."""
    index = Index(frozenset(range(1, NEWEST, 5_000)))
    done = steps(by_blocks, index, NEWEST_FIRST, 201)
    assert [len(blocks) for blocks in index.asked] == [1, 0]
    assert [step.in_sections for step in done] == [False, True]
    assert index.bounds[-1].index_numbers == [3, 4]
    assert done[-1].left == Bounds(None, 11 * SECTION_IDS, ascending=False)


@given(rest=RESTS, ids=IDS)
def test_blocks_are_asked_for_within_one_section_only(rest: Bounds, ids: frozenset[int]) -> None:
    index = Index(ids)
    steps(by_blocks, index, rest, 70)
    for bounds, blocks in zip(index.bounds, index.asked, strict=True):
        first, last = (bounds.after or 0) + 1, (bounds.before or NEWEST) - 1
        assert not blocks or first > last or first // SECTION_IDS == last // SECTION_IDS


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("away", [0, 1, 5, BLOCK_IDS // 2, BLOCK_IDS])
def test_a_border_of_sections_nearby_does_not_make_words_look_rare(away: int, ascending: bool) -> None:
    border = 5 * SECTION_IDS
    after, before = (border - 1 - away, NEWEST) if ascending else (None, border + away)
    index = Index(frozenset(range(1, NEWEST, 700)))
    done = steps(by_blocks, index, Bounds(after, before, ascending=ascending), 201)
    assert not any(step.in_sections for step in done)
    assert all(index.asked)


@pytest.mark.parametrize("apart", [700_000, NEWEST - 6])
def test_what_few_have_is_looked_at_at_once(apart: int) -> None:
    index = Index(frozenset(range(5, NEWEST, apart)))
    done = steps(by_blocks, index, NEWEST_FIRST, 201)
    assert [len(blocks) for blocks in index.asked] == [1, 0]
    assert [step.in_sections for step in done] == [False, True]


def test_no_statement_looks_at_very_many_rows() -> None:
    """Every tenth has the word, and next to none fits."""
    index = Index(frozenset(range(0, NEWEST, 10)), few=NEWEST)
    steps(by_blocks, index, NEWEST_FIRST, 201)
    assert 2 * pace.ROWS_AT_ONCE > max(map(len, index.asked)) * BLOCK_IDS / 10 > pace.ROWS_AT_ONCE / 2
    assert [block for blocks in index.asked for block in sorted(blocks, reverse=True)] == list(range(199, -1, -1))


def test_a_stretch_of_few_blocks_is_all_that_is_looked_at() -> None:
    """As of some minutes out of two weeks."""
    index = Index(frozenset(range(0, NEWEST, 1_000)))
    done = steps(by_blocks, index, Bounds(NEWEST - 2 * BLOCK_IDS, NEWEST, ascending=False), 201)
    assert index.asked == [range(199, 200), range(198, 199)]
    assert done[-1].left is None


def test_without_a_known_end_all_is_looked_at_at_once() -> None:
    index = Index(frozenset({5, NEWEST - 5}))
    done = steps(by_blocks, index, Bounds(4, None, ascending=True), 201)
    assert [len(blocks) for blocks in index.asked] == [1, 0]
    assert [(step.fitting, step.in_sections) for step in done] == [([5], False), ([NEWEST - 5], True)]


@pytest.mark.parametrize("way", WAYS)
def test_when_the_time_is_up_the_index_is_not_asked_any_more(way: Way) -> None:
    index = Index(frozenset(range(1, NEWEST, BLOCK_IDS // 2)))
    done = list(way(index, NEWEST_FIRST, 20, looks=0))
    assert (done, index.asked) == ([], [])
    done = list(way(index, NEWEST_FIRST, 20, looks=1))
    assert len(done) == len(index.asked) == 1
    assert done[-1].left is not None


def test_rare_words_are_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pace, "monotonic", lambda: now[0])
    sought, reach = Search(("rare", "common")), Reach(Search(("rare",)), 0, 7)
    rest = Rest(parts=(Contains("x"),))
    rare = RareWords()
    assert rare.met(sought, NO_REST, 200) is None
    rare.meet(sought, NO_REST, 200, reach)
    assert rare.met(sought, NO_REST, 200) == reach
    # What is rare where many are wanted need not be for a page.
    assert rare.met(sought, NO_REST, 100) is None
    assert rare.met(sought, rest, 200) is None
    assert rare.met(reach.asked, NO_REST, 200) is None
    now[0] += pace.REMEMBER_S
    assert rare.met(sought, NO_REST, 200) is None


def test_no_more_than_some_rare_words_are_remembered() -> None:
    rare = RareWords()
    words = [Search((f"word{number}",)) for number in range(2 * pace.REMEMBER_MOST + 1)]
    for word in words:
        rare.meet(word, NO_REST, 200, Reach(word, 0, 7))
    assert [word for word in words if rare.met(word, NO_REST, 200)] == words[-1:]


def test_what_is_new_since_a_page_is_within_its_reach() -> None:
    newest = 3 * SECTION_IDS - 5
    assert Reach(Search(("rare",)), SECTION_IDS, newest).index_numbers == [1, 2, 3]
    assert Reach(Search(("rare",)), SECTION_IDS, 3 * SECTION_IDS).index_numbers == [1, 2, 3]
    assert Reach(Search(("rare",)), 0, newest).index_numbers == range(8)
    # Ids grow by far less while it is remembered.
    assert pace.NEWER_MOST / pace.REMEMBER_S > 100_000


def test_enough_is_a_little_more_than_what_fills_the_page_on_the_average() -> None:
    assert enough(200, 0, 0) == 250
    assert enough(200, 10, 1_000) == 25_000
    assert enough(200, 0, 1_000) == 250_000
