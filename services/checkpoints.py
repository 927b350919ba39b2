"""Keep SQLite's write-ahead log short, in a thread of its own.

Left to SQLite, the commit that finds the log long pays for all before it: a batch of messages or somebody's command
then waits for the disk.
"""

from sqlalchemy.exc import SQLAlchemyError

from models.database import Database, cause_of
from services.clock import Clock
from services.loop import LoopWorker

# A log that is longer is worked on again soon; one that is shorter can wait.
LONG_PAGES = 1_000
# Beyond this (64 MiB) writers are made to begin at its front again: a flood leaves no moment in which they would.
LONGEST_PAGES = 16_000
PAUSE_S = 1.0
PAUSE_IN_FLOOD_S = 0.1
RETRY_S = 1.0


class Checkpoints(LoopWorker):
    """Carries the write-ahead log into the database again and again; for SQLite only.

    Details of its health: ``pages`` in the log and ``left`` of them, each 4 KiB.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        super().__init__("checkpoint", clock)
        self._database = database

    def turn(self) -> float:
        """Make one checkpoint. Returns seconds to pause before the next."""
        try:
            log = self._database.checkpoint()
            if log.pages > LONGEST_PAGES:
                log = self._database.checkpoint(restart=True)
        except SQLAlchemyError as error:
            self._board.erred(f"The write-ahead log could not be carried into the database: {cause_of(error)}.")
            return RETRY_S
        self._board.turned("ok", {"pages": log.pages, "left": log.left})
        return PAUSE_IN_FLOOD_S if log.left > LONG_PAGES else PAUSE_S
