"""Better times from broadcasts: what controllers of G1 announce the moment it happens (contract 16.2)."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import Database
from models.history import HistoryEntry, HistoryPosition, TransitionRun
from models.messages import Message, MessageApplication, MessageSession
from models.run_control import DaqSession, Node
from services.clock import Clock
from services.history import transitions
from services.history.record import CLOCKS_DIFFER
from services.history.types import Aspect, Source, Subject, Value
from services.revisions import LiveTopic, bump

READER: Final = "broadcasts"
# Broadcast types that announce changes; each is one of `Announcements.severity`.
TYPES: Final = ("FSM_STATUS_UPDATE", "STATUS_UPDATE")
BATCH: Final = 500
# A poll notes a change so much later at most: a controller does not answer while it is busy (contract 10.1).
NOTED_WITHIN = timedelta(seconds=60)

_CHANGE = re.compile(r"Changing (operational_state|error_state|inclusion_state) from (\S+) to (\S+)")
_EPOCH = datetime.fromtimestamp(0, UTC)
_FLAGS: Mapping[str, bool] = {"True": True, "False": False}


@dataclass(frozen=True, slots=True)
class Announcements:
    """What the messages of controllers are stored as, in the numbers of the messages' area.

    Attributes:
        kind: Of broadcasts of controllers.
        severity: Of those that announce changes.
    """

    kind: int
    severity: int


@dataclass(frozen=True, slots=True)
class _Broadcast:
    id: int
    session: str
    node: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Told:
    aspect: Aspect
    old: Value
    new: Value


class BroadcastReader:
    """Follows the stored messages by id and takes what they tell of nodes into the history.

    Several may run: how far they are moves in the transaction that writes the history, for one of them only.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        announcements: Announcements,
        transition_of: Callable[[str | None], str | None],
    ) -> None:
        """Keep the collaborators; ``transition_of`` names the transition that a sub-state speaks of, None if idle."""
        self._database = database
        self._clock = clock
        self._announcements = announcements
        self._transition_of = transition_of

    def turn(self) -> int:
        """Take in one batch; return how many broadcasts it had. The first turn of all begins with what comes next."""
        with self._database.read() as tx:
            position = tx.get(HistoryPosition, READER)
            found = [] if position is None else self._batch(tx, position.message_id)
        if position is None:
            self._begin()
        elif found:
            self._take_in(position.message_id, found)
        return len(found)

    def _begin(self) -> None:
        with self._database.write() as tx:
            if tx.get(HistoryPosition, READER) is None:
                newest = tx.scalar(select(func.max(Message.id))) or 0
                tx.add(HistoryPosition(reader=READER, message_id=newest))

    def _batch(self, tx: Session, after: int) -> list[_Broadcast]:
        statement = (
            select(Message.id, MessageSession.name, MessageApplication.name, Message.text, Message.time_ns)
            .join(MessageSession, MessageSession.id == Message.session_id)
            .join(MessageApplication, MessageApplication.id == Message.application_id)
            .where(
                Message.kind == self._announcements.kind,
                Message.severity == self._announcements.severity,
                Message.id > after,
                Message.name.in_(TYPES),
            )
            .order_by(Message.id)
            .limit(BATCH)
        )
        return [
            _Broadcast(id_, session, node, text, _EPOCH + timedelta(microseconds=time_ns // 1_000))
            for id_, session, node, text, time_ns in tx.execute(statement)
        ]

    def _take_in(self, after: int, found: Sequence[_Broadcast]) -> None:
        with self._database.write() as tx:
            position = tx.get(HistoryPosition, READER, with_for_update=True)
            if position is None or position.message_id != after:
                # Another collector was quicker.
                return
            position.message_id = found[-1].id
            paths = _locked_paths(tx, {broadcast.session for broadcast in found})
            now = self._clock()
            for broadcast in found:
                path = paths.get((broadcast.session, broadcast.node))
                if path is not None:
                    self._note(tx, broadcast, path, now)
            bump(tx, now, LiveTopic.SESSIONS)

    def _note(self, tx: Session, broadcast: _Broadcast, path: str, now: datetime) -> None:
        match = _CHANGE.fullmatch(broadcast.text)
        told = self._told(*match.groups()) if match else None
        if told is None:
            return
        _note_change(tx, broadcast, path, told, now)
        if told.aspect is Aspect.SUB_STATE:
            self._note_transition(tx, broadcast, path, told)

    def _told(self, what: str, old: str, new: str) -> _Told | None:
        if what != "operational_state":
            aspect = Aspect.IN_ERROR if what == "error_state" else Aspect.INCLUDED
            return _Told(aspect, _FLAGS[old], _FLAGS[new]) if old in _FLAGS and new in _FLAGS else None
        ways = [word if self._transition_of(word) else None for word in (old, new)]
        if ways == [None, None]:
            # Both kinds look alike (contract 16.2): between two states it is the state that changes.
            return _Told(Aspect.STATE, old, new)
        return _Told(Aspect.SUB_STATE, *ways)

    def _note_transition(self, tx: Session, broadcast: _Broadcast, path: str, told: _Told) -> None:
        """Take over when a node begins (its first sub-state) and ends (its last)."""
        begins, ends = told.old is None, told.new is None
        name = self._transition_of(str(told.old if ends else told.new))
        if name is None or not (begins or ends):
            return
        run = _run_of(tx, broadcast, name)
        if run is None and begins and "/" not in path:
            # The root speaks of what no command and no poll has told of yet.
            state = tx.scalar(select(DaqSession.state).where(DaqSession.name == broadcast.session))
            run = transitions.begin(tx, broadcast.session, name, at=broadcast.at, state=state, source=Source.BROADCAST)
        if run is None:
            return
        if begins:
            transitions.node_began(tx, run, path, broadcast.at)
        else:
            transitions.node_ended(tx, run, path, broadcast.at)


def _locked_paths(tx: Session, sessions: Collection[str]) -> dict[tuple[str, str], str]:
    """Lock the sessions against polls that note the same, and return their nodes' paths by session and name."""
    lock = select(DaqSession.name).where(DaqSession.name.in_(sessions)).order_by(DaqSession.name).with_for_update()
    tx.execute(lock).all()
    nodes = select(Node.session, Node.name, Node.path).where(Node.session.in_(sessions))
    return {(session, name): path for session, name, path in tx.execute(nodes)}


def _note_change(tx: Session, broadcast: _Broadcast, path: str, told: _Told, now: datetime) -> None:
    """Give the change that a poll or command noted its own time; add one that nobody noted."""
    statement = (
        select(HistoryEntry)
        .where(
            HistoryEntry.session == broadcast.session,
            HistoryEntry.at >= broadcast.at - CLOCKS_DIFFER,
            HistoryEntry.at <= broadcast.at + NOTED_WITHIN,
            HistoryEntry.subject == Subject.NODE.value,
            HistoryEntry.name == path,
            HistoryEntry.aspect == told.aspect.value,
            HistoryEntry.source != Source.BROADCAST.value,
        )
        .order_by(HistoryEntry.at, HistoryEntry.id)
    )
    noted = next((row for row in tx.scalars(statement) if row.new == told.new), None)
    if noted is not None:
        noted.at, noted.source = broadcast.at, Source.BROADCAST.value
        return
    tx.add(
        HistoryEntry(
            at=broadcast.at,
            noted_at=now,
            source=Source.BROADCAST.value,
            session=broadcast.session,
            subject=Subject.NODE.value,
            name=path,
            aspect=told.aspect.value,
            old=told.old,
            new=told.new,
        )
    )


def _run_of(tx: Session, broadcast: _Broadcast, transition: str) -> TransitionRun | None:
    """Return the run that a broadcast belongs to; one that had ended before it does not count."""
    run = transitions.run_at(tx, broadcast.session, transition, broadcast.at + CLOCKS_DIFFER)
    if run is None or (run.ended_at is not None and run.ended_at < broadcast.at - CLOCKS_DIFFER):
        return None
    return run
