"""From a selection to the ids of one page of messages: by indexes, by words, or through a bounded stretch of ids."""

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.messages import Message, MessageRollup
from services.messages import rollups, statements
from services.messages.selection import Selection
from services.messages.statements import Bounds, Found, Shape
from services.messages.time_limit import TimeLimit
from services.messages.word_search import WordSearch

# One statement looks at so many ids of a search, so that none takes long.
CHUNK_IDS = 20_000
_NS = 1_000_000_000


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
        return WordSearch(session, selection, selection.search, bounds, limit, time_limit).find()
    if selection.rest:
        return _scan(session, selection, bounds, limit, scan_ids=scan_ids, time_limit=time_limit)
    ids = _run(session, selection, bounds, limit + 1)
    return Found(ids[:limit], has_more=len(ids) > limit)


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
    shape = Shape.of(selection.branches, bounds, session.get_bind().dialect.name)
    statement = statements.first_ids(shape, selection.rest)
    return list(session.scalars(statement, shape.parameters(selection.branches, bounds, limit)).all())
