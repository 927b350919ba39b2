"""One page of a search by words: among the newest messages as they lie, then by the full-text index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from math import ceil
from typing import Any

from sqlalchemy import Executable, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message
from models.search import BLOCK_IDS, SECTION_IDS
from services.messages import statements
from services.messages.pace import RareWords, Reach, Step, block_by_block, enough, row_by_row
from services.messages.search import Search, Within
from services.messages.selection import Selection
from services.messages.statements import Bounds, Found, Seen, Shape
from services.messages.time_limit import TimeLimit
from services.messages.upsert import is_postgresql

# Before the full-text index is asked, rows of the filter are looked at as they lie: a common word fills a page from
# them, and a beginning that a tenth of all messages have costs the index much more. A few rows tell whether it is one,
# and how many more it takes to fill the page, of so many at most.
NEAR_ROWS = 200
NEAR_MOST = 10_000
# Common is what one in so many rows has.
NEAR_FEW = 50
# Of several words the index is asked only for those that are rare among these few: one in so many of them has it.
FEW = 20
# More rows than there are in the first block and what is before it.
ALL = 2 * BLOCK_IDS


@dataclass(frozen=True, slots=True)
class WordSearch:
    """What a page of at most ``limit`` messages is looked for with.

    Attributes:
        session: Reads.
        selection: Has at least one branch.
        sought: What the full-text index can do for it, its ``search``.
        bounds: Only ids within.
        limit: Of the page.
        time_limit: Of ``session``.
    """

    session: Session
    selection: Selection
    sought: Search
    bounds: Bounds
    limit: int
    time_limit: TimeLimit

    def find(self) -> Found:
        """Return the page, or what of it was found before the time was over."""
        return self._as_remembered() or self._afresh()

    def _as_remembered(self) -> Found | None:
        """Look as far as the newest page reached of late, if few had the words then; None: it may reach further now."""
        if not self._is_open or not is_postgresql(self.session):
            return None
        reach = RareWords.of(self.session).met(self.sought, self.selection.rest, self.limit)
        if reach is None or (reach.lowest and self.bounds.before is not None):
            return None
        reached = replace(self.bounds, after=reach.lowest - 1 if reach.lowest else None)
        ids = self._named(reach.asked, reached, self.limit + 1, numbers=reach.index_numbers).fitting
        return self._page(ids) if len(ids) > self.limit or not reach.lowest else None

    def _afresh(self) -> Found:
        several = self.sought.indexed if len(self.sought.indexed) > 1 else ()
        first = self._near(self.bounds, NEAR_ROWS, several, at_once=False)
        found, rest = self._look_on(first)
        if rest is None or len(found) > self.limit:
            return self._page(found)
        return self._by_index(_rarest(self.sought, first.having) if several else self.sought, found, rest)

    @property
    def _is_open(self) -> bool:
        """Whether it goes down to the end: where reading ends somewhere, there may be little to look at."""
        return self.bounds.after is None and not self.bounds.ascending

    def _page(self, ids: list[int]) -> Found:
        return Found(ids[: self.limit], has_more=len(ids) > self.limit)

    def _look_on(self, first: Seen) -> tuple[list[int], Bounds | None]:
        """Look at so many more rows as they lie as probably fill the page, if among the first few enough fit.

        Return the ids that fit, perhaps more than ``limit``, and what was not looked at; None: nothing is left.
        """
        found, looked_at = list(first.fitting), NEAR_ROWS
        if first.rows < NEAR_ROWS:
            return found, None
        ids_a_row = (abs(first.first - first.last) + 1) / NEAR_ROWS
        rest: Bounds | None = self.bounds.beyond(first.last)
        while rest is not None and len(found) <= self.limit and _goes_on(len(found), looked_at):
            step = min(enough(self.limit + 1 - len(found), len(found), looked_at), NEAR_MOST - looked_at)
            stretch, rest_of_all = rest.split(ceil(step * ids_a_row))
            near = self._near(stretch, step, (), at_once=True)
            found += near.fitting
            looked_at += step
            rest = rest.beyond(near.last) if near.rows == step else rest_of_all
        return found, rest

    def _by_index(self, asked: Search, found: list[int], rest: Bounds) -> Found:
        """Add to what was found what the index names in the rest."""
        reached = rest.begin
        try:
            for step in self._steps(asked, rest, self.limit + 1 - len(found)):
                found += step.fitting
                if len(found) > self.limit or step.left is None:
                    if step.in_sections and self._is_open and self.bounds.before is None:
                        self._remember(asked, found)
                    return self._page(found)
                reached = step.left.begin
        except DBAPIError as error:
            if not self.time_limit.has_stopped(error):
                raise
            return Found(found, has_more=True, scanned_to=reached, timed_out=True)
        return Found(found, has_more=True, scanned_to=reached, timed_out=self.time_limit.is_over)

    def _steps(self, asked: Search, rest: Bounds, wanted: int) -> Iterator[Step]:
        ask = partial(self._named, asked)
        if is_postgresql(self.session):
            return block_by_block(ask, partial(self._sampled, asked), rest, wanted, self.time_limit)
        return row_by_row(ask, rest, wanted, self.time_limit)

    def _remember(self, asked: Search, found: Sequence[int]) -> None:
        """Remember how far the newest page reached; its messages may all be older than the newest of all."""
        newest = self.session.scalar(select(func.max(Message.id))) or 0
        lowest = found[self.limit] // SECTION_IDS * SECTION_IDS if len(found) > self.limit else 0
        reach = Reach(asked, lowest, newest)
        RareWords.of(self.session).meet(self.sought, self.selection.rest, self.limit, reach)

    def _near(self, bounds: Bounds, step: int, words: tuple[str, ...], *, at_once: bool) -> Seen:
        """Look at the first rows whatever their text says; count those that have each of ``words``.

        ``at_once``: there are not many more than those, so that PostgreSQL may look at each as it walks along the
        branches.
        """
        shape = self._shape(bounds)
        parameters = shape.parameters(self.selection.branches, bounds, step)
        return self._seen(shape, statements.near(shape, self.selection.rest, words, at_once=at_once), parameters)

    def _named(
        self,
        asked: Search,
        bounds: Bounds,
        step: int,
        *,
        blocks: Sequence[int] = (),
        numbers: Sequence[int] | None = None,
    ) -> Seen:
        """Look at the first rows that the full-text index names, on PostgreSQL only at those that fit.

        PostgreSQL may be told in which blocks, and in which of its indexes; otherwise these are those of the bounds.
        """
        shape = self._shape(bounds)
        parameters: dict[str, Any] = {"rows": step} | bounds.parameters()
        within = Within()
        if shape.is_postgresql:
            numbers = bounds.index_numbers if numbers is None else numbers
            within = Within(len(numbers), in_blocks=bool(blocks))
            parameters |= within.parameters(numbers, blocks)
        return self._seen(shape, statements.named(shape, self.selection.rest, asked, within), parameters)

    def _sampled(self, asked: Search, bounds: Bounds, *, blocks: Sequence[int]) -> Seen:
        """Look at all rows that PostgreSQL's index names in some blocks of one section."""
        shape = self._shape(bounds)
        place = Within.parameters(bounds.index_numbers, blocks)
        parameters: dict[str, Any] = {"rows": ALL} | place | bounds.parameters()
        return self._seen(shape, statements.sampled(shape, self.selection.rest, asked), parameters)

    def _seen(self, shape: Shape, statement: Executable, parameters: dict[str, Any]) -> Seen:
        """Run one of the statements `near`, `named` and `sampled`."""
        found = self.session.execute(statement, parameters)
        if shape.is_postgresql:
            rows, least, greatest, fitting, *having = tuple(found.one())
            first, last = (least, greatest) if shape.ascending else (greatest, least)
            return Seen(rows, first or 0, last or 0, fitting or [], tuple(having))
        seen = found.all()
        if not seen:
            return Seen(0, 0, 0, [])
        ids, fits, *hits = zip(*seen, strict=True)
        return Seen(len(ids), ids[0], ids[-1], list(compress(ids, fits)), tuple(map(sum, hits)))

    def _shape(self, bounds: Bounds) -> Shape:
        return Shape.of(self.selection.branches, bounds, self.session.get_bind().dialect.name)


def _goes_on(fitting: int, looked_at: int) -> bool:
    """Tell whether to look at more rows as they lie: so many fitted of those looked at."""
    return looked_at < NEAR_MOST and fitting >= looked_at // NEAR_FEW


def _rarest(sought: Search, having: tuple[int, ...]) -> Search:
    """Leave out words that many rows near have: to put their places together costs the index more than the rest."""
    few = max(min(having), NEAR_ROWS // FEW)
    return replace(
        sought, words=tuple(word for word, count in zip(sought.indexed, having, strict=True) if count <= few)
    )
