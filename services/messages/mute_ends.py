"""End mutes when their time is up, so that lists that are open show again what was hidden."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database, cause_of
from models.messages import MessageMute
from services.clock import Clock
from services.loop import LoopWorker
from services.revisions import LiveTopic, bump

# Mutes are made in other processes, and clocks are set: so often it looks for the next end, by one row of an index.
LOOK_EVERY_S = 1.0
RETRY_S = 5.0


class MuteEnds(LoopWorker):
    """Notes that a mute has ended at the moment its time is up: the turn before pauses until then, not longer.

    Several may run: a mute is ended once, and pages hear of it once. Details of its health: mutes ``ended`` since the
    start of this process.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        super().__init__("mutes", clock)
        self._database = database
        self._clock = clock
        self._ended = 0

    def turn(self) -> float:
        """End the mutes whose time is up. Returns seconds to pause: until the next end, a second at most."""
        try:
            now, until = self._clock(), self._next_end()
            if until is not None and until <= now:
                self._ended += self._end(now)
                until = self._next_end()
        except SQLAlchemyError as error:
            self._board.erred(f"Mutes could not be ended: {cause_of(error)}.")
            return RETRY_S
        self._board.turned("ok", {"ended": self._ended})
        return LOOK_EVERY_S if until is None else min(LOOK_EVERY_S, max(0.0, (until - now).total_seconds()))

    def _next_end(self) -> datetime | None:
        with self._database.read() as session:
            return session.scalar(select(func.min(MessageMute.until)).where(_LASTS))

    def _end(self, now: datetime) -> int:
        with self._database.write() as session:
            statement = update(MessageMute).where(_LASTS, MessageMute.until <= now).values(ended_at=MessageMute.until)
            ended = session.connection().execute(statement).rowcount
            # Another collector may have been a little faster.
            if ended:
                bump(session, now, LiveTopic.MUTES)
        return ended


_LASTS: ColumnElement[bool] = MessageMute.ended_at.is_(None)
