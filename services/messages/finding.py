"""From a selection to the ids of one page of messages: by indexes, by words, or through a bounded stretch of ids."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from math import ceil
from typing import Any

from sqlalchemy import Executable, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message, MessageRollup
from models.search import BLOCK_IDS, SECTION_IDS
from services.messages import rollups, statements
from services.messages.pace import RareWords, Reach, block_by_block, enough, row_by_row
from services.messages.search import Search, Within
from services.messages.selection import Selection
from services.messages.statements import Bounds, Seen, Shape
from services.messages.time_limit import TimeLimit
from services.messages.upsert import is_postgresql

# One statement looks at so many ids of a search, so that none takes long.
CHUNK_IDS = 20_000
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
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of a page, and whether there may be more; ``scanned_to`` and ``timed_out`` as in `MessagePage`."""

    ids: list[int]
    has_more: bool
    scanned_to: int | None = None
    timed_out: bool = False


def find_ids(
    session: Session, selection: Selection, bounds: Bounds, limit: int, *, scan_ids: int, time_limit: TimeLimit
) -> Found:
    """Return the ids of one page; a search that no index helps looks at ``scan_ids`` ids at most."""
    if not selection.branches:
        return Found([], has_more=False)
    if selection.since_ns is not None:
        narrowed = narrow(session, bounds, selection.since_ns, selection.until_ns)
        if narrowed is None:
            return Found([], has_more=False)
        bounds = narrowed
    if selection.search is not None:
        return _look_up(session, selection, selection.search, bounds, limit, time_limit=time_limit)
    if selection.rest:
        return _scan(session, selection, bounds, limit, scan_ids=scan_ids, time_limit=time_limit)
    ids = _run(session, selection, bounds, limit + 1)
    return Found(ids[:limit], has_more=len(ids) > limit)


def _look_up(
    session: Session, selection: Selection, sought: Search, bounds: Bounds, limit: int, *, time_limit: TimeLimit
) -> Found:
    rare = RareWords.of(session) if is_postgresql(session) else None
    # Where reading ends somewhere there may be little to look at.
    is_open = bounds.after is None and not bounds.ascending
    if rare is not None and is_open and (reach := rare.met(sought, selection.rest, limit)) is not None:
        ids = _within_reach(session, selection, reach, bounds, limit)
        if len(ids) > limit or not reach.lowest:
            return Found(ids[:limit], has_more=len(ids) > limit)
    several = sought.indexed if len(sought.indexed) > 1 else ()
    first = _near(session, selection, bounds, NEAR_ROWS, several, at_once=False)
    found, rest = _look_on(session, selection, bounds, first, limit)
    if rest is None or len(found) > limit:
        return Found(found[:limit], has_more=len(found) > limit)
    asked = _rarest(sought, first.having) if several else sought
    ask = partial(_named, session, selection, asked)
    wanted, reached = limit + 1 - len(found), rest.begin
    if rare is None:
        steps = row_by_row(ask, rest, wanted, time_limit)
    else:
        steps = block_by_block(ask, partial(_sampled, session, selection, asked), rest, wanted, time_limit)
    try:
        for step in steps:
            found += step.fitting
            if len(found) > limit or step.left is None:
                if rare is not None and is_open and bounds.before is None and step.in_sections:
                    rare.meet(sought, selection.rest, limit, _reach(session, asked, found, limit))
                return Found(found[:limit], has_more=len(found) > limit)
            reached = step.left.begin
    except DBAPIError as error:
        if not time_limit.has_stopped(error):
            raise
        return Found(found, has_more=True, scanned_to=reached, timed_out=True)
    return Found(found, has_more=True, scanned_to=reached, timed_out=time_limit.is_over)


def _reach(session: Session, asked: Search, found: Sequence[int], limit: int) -> Reach:
    """Return how far the newest page reached; its messages may all be older than the newest of all."""
    newest = session.scalar(select(func.max(Message.id))) or 0
    lowest = found[limit] // SECTION_IDS * SECTION_IDS if len(found) > limit else 0
    return Reach(asked, lowest, newest)


def _within_reach(session: Session, selection: Selection, reach: Reach, bounds: Bounds, limit: int) -> list[int]:
    """Look again as far as the newest page reached; nowhere, if another is wanted that may be beyond."""
    if reach.lowest and bounds.before is not None:
        return []
    reached = replace(bounds, after=reach.lowest - 1 if reach.lowest else None)
    return _named(session, selection, reach.asked, reached, limit + 1, numbers=reach.index_numbers).fitting


def _look_on(
    session: Session, selection: Selection, bounds: Bounds, first: Seen, limit: int
) -> tuple[list[int], Bounds | None]:
    """Look at so many more rows as they lie as probably fill the page, if among the first few enough fit.

    Return the ids that fit, perhaps more than ``limit``, and what was not looked at; None: nothing is left.
    """
    found, looked_at = list(first.fitting), NEAR_ROWS
    if first.rows < NEAR_ROWS:
        return found, None
    ids_a_row = (abs(first.first - first.last) + 1) / NEAR_ROWS
    rest: Bounds | None = bounds.beyond(first.last)
    while rest is not None and len(found) <= limit and looked_at < NEAR_MOST and len(found) >= looked_at // NEAR_FEW:
        step = min(enough(limit + 1 - len(found), len(found), looked_at), NEAR_MOST - looked_at)
        stretch, rest_of_all = rest.split(ceil(step * ids_a_row))
        near = _near(session, selection, stretch, step, (), at_once=True)
        found += near.fitting
        looked_at += step
        rest = rest.beyond(near.last) if near.rows == step else rest_of_all
    return found, rest


def _near(
    session: Session, selection: Selection, bounds: Bounds, step: int, words: tuple[str, ...], *, at_once: bool
) -> Seen:
    """Look at the first rows whatever their text says; count those that have each of ``words``.

    ``at_once``: there are not many more than those, so that PostgreSQL may look at each as it walks along the branches.
    """
    shape = _shape(session, selection, bounds)
    parameters = shape.parameters(selection.branches, bounds, step)
    return _seen(session, shape, statements.near(shape, selection.rest, words, at_once=at_once), parameters)


def _seen(session: Session, shape: Shape, statement: Executable, parameters: dict[str, Any]) -> Seen:
    """Run one of the statements `near` and `named`."""
    found = session.execute(statement, parameters)
    if shape.is_postgresql:
        rows, least, greatest, fitting, *having = tuple(found.one())
        first, last = (least, greatest) if shape.ascending else (greatest, least)
        return Seen(rows, first or 0, last or 0, fitting or [], tuple(having))
    seen = found.all()
    if not seen:
        return Seen(0, 0, 0, [])
    ids, fits, *hits = zip(*seen, strict=True)
    return Seen(len(ids), ids[0], ids[-1], list(compress(ids, fits)), tuple(map(sum, hits)))


def _rarest(sought: Search, having: tuple[int, ...]) -> Search:
    """Leave out words that many rows near have: to put their places together costs the index more than the rest."""
    few = max(min(having), NEAR_ROWS // FEW)
    return replace(
        sought, words=tuple(word for word, count in zip(sought.indexed, having, strict=True) if count <= few)
    )


def _named(
    session: Session,
    selection: Selection,
    sought: Search,
    bounds: Bounds,
    step: int,
    *,
    blocks: Sequence[int] = (),
    numbers: Sequence[int] | None = None,
) -> Seen:
    """Look at the first rows that the full-text index names, on PostgreSQL only at those that fit.

    PostgreSQL may be told in which blocks, and in which of its indexes; otherwise these are those of the bounds.
    """
    shape = _shape(session, selection, bounds)
    parameters: dict[str, Any] = {"rows": step} | bounds.parameters()
    within = Within()
    if shape.is_postgresql:
        numbers = bounds.index_numbers if numbers is None else numbers
        within = Within(len(numbers), in_blocks=bool(blocks))
        parameters |= within.parameters(numbers, blocks)
    return _seen(session, shape, statements.named(shape, selection.rest, sought, within), parameters)


def _sampled(session: Session, selection: Selection, sought: Search, bounds: Bounds, *, blocks: Sequence[int]) -> Seen:
    """Look at all rows that PostgreSQL's index names in some blocks of one section."""
    shape = _shape(session, selection, bounds)
    place = Within.parameters(bounds.index_numbers, blocks)
    parameters: dict[str, Any] = {"rows": ALL} | place | bounds.parameters()
    return _seen(session, shape, statements.sampled(shape, selection.rest, sought), parameters)


def _scan(
    session: Session, selection: Selection, bounds: Bounds, limit: int, *, scan_ids: int, time_limit: TimeLimit
) -> Found:
    lowest, highest = _extent(session, bounds)
    found: list[int] = []
    scanned_to: int | None = None
    for low, high in _chunks(lowest, highest, scan_ids, ascending=bounds.ascending):
        if scanned_to is not None and time_limit.is_over:
            return Found(found, has_more=True, scanned_to=scanned_to, timed_out=True)
        chunk = Bounds(after=low - 1, before=high + 1, ascending=bounds.ascending)
        try:
            found += _run(session, selection, chunk, limit + 1 - len(found))
        except DBAPIError as error:
            # Without any progress there is nothing to go on from: that is for the caller to say.
            if scanned_to is None or not time_limit.has_stopped(error):
                raise
            return Found(found, has_more=True, scanned_to=scanned_to, timed_out=True)
        if len(found) > limit:
            return Found(found[:limit], has_more=True)
        scanned_to = high if bounds.ascending else low
    if highest - lowest < scan_ids:
        return Found(found, has_more=False)
    return Found(found, has_more=True, scanned_to=scanned_to)


def narrow(session: Session, bounds: Bounds, since_ns: int, until_ns: int | None) -> Bounds | None:
    """Return the ids that a stretch of time can have, from the roll-ups; None if there are none at all.

    Old roll-ups are removed before young ones. So if one is left that begins at or before the stretch, none of the
    stretch is missing; otherwise the bounds stay as they are.
    """
    width_s = rollups.RESOLUTIONS_S[-1]
    all_sessions = (MessageRollup.resolution_s == width_s, MessageRollup.session_id == rollups.ALL_SESSIONS)
    first_s = since_ns // _NS // width_s * width_s
    inside = [*all_sessions, MessageRollup.bucket_s >= first_s]
    if until_ns is not None:
        inside.append(MessageRollup.bucket_s * _NS < until_ns)
    oldest = session.scalar(select(func.min(MessageRollup.bucket_s)).where(*all_sessions))
    if oldest is None or oldest > first_s:
        return bounds
    least, greatest = session.execute(
        select(func.min(MessageRollup.min_id), func.max(MessageRollup.max_id)).where(*inside)
    ).one()
    if least is None:
        return None
    after = least - 1 if bounds.after is None else max(bounds.after, least - 1)
    before = greatest + 1 if bounds.before is None else min(bounds.before, greatest + 1)
    return Bounds(after, before, ascending=bounds.ascending)


def _extent(session: Session, bounds: Bounds) -> tuple[int, int]:
    """Return the least and the greatest id there can be within the bounds."""
    least = session.scalar(select(func.min(Message.id))) or 1
    greatest = session.scalar(select(func.max(Message.id))) or 0
    lowest = least if bounds.after is None else max(least, bounds.after + 1)
    highest = greatest if bounds.before is None else min(greatest, bounds.before - 1)
    return lowest, highest


def _chunks(lowest: int, highest: int, scan_ids: int, *, ascending: bool) -> list[tuple[int, int]]:
    """Return first and last id of each stretch to look at, in the order of looking."""
    if ascending:
        end = min(highest, lowest + scan_ids - 1)
        return [(low, min(low + CHUNK_IDS - 1, end)) for low in range(lowest, end + 1, CHUNK_IDS)]
    end = max(lowest, highest - scan_ids + 1)
    return [(max(high - CHUNK_IDS + 1, end), high) for high in range(highest, end - 1, -CHUNK_IDS)]


def _run(session: Session, selection: Selection, bounds: Bounds, limit: int) -> list[int]:
    shape = _shape(session, selection, bounds)
    statement = statements.first_ids(shape, selection.rest)
    return list(session.scalars(statement, shape.parameters(selection.branches, bounds, limit)).all())


def _shape(session: Session, selection: Selection, bounds: Bounds) -> Shape:
    return Shape.of(selection.branches, bounds, session.get_bind().dialect.name)
