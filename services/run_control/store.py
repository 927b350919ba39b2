"""Writes what polls found, each in one short fenced transaction; revisions rise only when a page would change."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.database import Database
from models.run_control import Backend, DaqSession
from services.clock import Clock
from services.coordination import Fence, Leases
from services.history.record import Changes
from services.revisions import LiveTopic, bump, current, require_unchanged
from services.run_control.backend_types import BackendKind
from services.run_control.process_types import Process
from services.run_control.readings import BackendReading, SessionReading, SiteReading
from services.run_control.saving import forget_controllers, save_backends, save_configurations
from services.run_control.saving_processes import save_processes, touch_processes
from services.run_control.saving_sessions import addresses_left, save_session

# Writes rows, notes what changed, and returns the topics whose pages would change.
Work = Callable[[Session, Changes], set[LiveTopic]]


class RunControlStore:
    """The tables ``daq_session``, ``process``, ``node`` and ``backend``, as the poller writes them."""

    def __init__(self, database: Database, leases: Leases, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._leases = leases
        self._clock = clock

    def present_sessions(self) -> tuple[str, ...]:
        """Return the names of the sessions that were there when they were last looked for."""
        with self._database.read() as tx:
            return tuple(tx.scalars(select(DaqSession.name).where(DaqSession.present).order_by(DaqSession.name)))

    def revision_of_processes(self) -> int:
        """Return the revision of the process table."""
        with self._database.read() as tx:
            return current(tx)[LiveTopic.PROCESSES]

    def save_processes(
        self, fence: Fence, processes: tuple[Process, ...], backend: BackendReading, since: int | None = None
    ) -> bool:
        """Make the process table what the process manager lists; return whether anything changed.

        Those that vanished are removed. ``since`` is the revision of before the process manager was asked, None if
        nobody else can have written.

        Raises:
            LeaseLostError: Somebody else polls now.
            OvertakenError: A command has written since what became of its processes: the list is of before that.
        """

        def work(tx: Session, changes: Changes) -> set[LiveTopic]:
            changed = save_processes(tx, processes, changes) | save_backends(tx, [backend], changes)
            if since is not None:
                require_unchanged(tx, LiveTopic.PROCESSES, since)
            return changed

        return self._write(fence, work)

    def save_seen(self, fence: Fence, backend: BackendReading) -> None:
        """Note that the process manager listed the same as last time.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        self._write(fence, lambda tx, changes: touch_processes(tx, changes.at) | save_backends(tx, [backend], changes))

    def save_backend(self, fence: Fence, backend: BackendReading) -> bool:
        """Note how one address answered; return whether anything changed.

        Raises:
            LeaseLostError: Somebody else polls now.
        """
        return self._write(fence, lambda tx, changes: save_backends(tx, [backend], changes))

    def save_site(self, fence: Fence, reading: SiteReading) -> bool:
        """Write what the site's services told; return whether anything changed.

        Raises:
            LeaseLostError: Somebody else polls now.
        """

        def work(tx: Session, changes: Changes) -> set[LiveTopic]:
            return save_configurations(tx, reading.configurations) | save_backends(tx, reading.backends, changes)

        return self._write(fence, work)

    def save_session(self, fence: Fence, reading: SessionReading) -> bool:
        """Write what a poll found of a session; what it did not find stays as it was. Return whether it is news.

        Raises:
            LeaseLostError: Somebody else polls now.
        """

        def work(tx: Session, changes: Changes) -> set[LiveTopic]:
            left = addresses_left(tx, reading)
            found = save_session(tx, reading, changes) | save_backends(tx, reading.backends, changes, reading.name)
            return found | forget_controllers(tx, left)

        return self._write(fence, work)

    def remove_controllers(self, fence: Fence, tried_before: datetime) -> None:
        """Forget addresses of controllers that nobody has asked since ``tried_before``: each boot brings new ones.

        Raises:
            LeaseLostError: Somebody else polls now.
        """

        def work(tx: Session, _changes: Changes) -> set[LiveTopic]:
            old = delete(Backend).where(Backend.kind == BackendKind.CONTROLLER.value, Backend.tried_at < tried_before)
            removed = tx.scalars(old.returning(Backend.address)).all()
            return {LiveTopic.BACKENDS} if removed else set()

        self._write(fence, work)

    def _write(self, fence: Fence, work: Work) -> bool:
        try:
            return self._write_once(fence, work)
        except IntegrityError:
            # Two polls made the same new row, of a backend or a revision: now it is there.
            return self._write_once(fence, work)

    def _write_once(self, fence: Fence, work: Work) -> bool:
        with self._leases.fenced(fence) as tx:
            changes = Changes(self._clock())
            changed = work(tx, changes)
            changes.write(tx)
            bump(tx, changes.at, *changed)
        return bool(changed)
