"""Writes rows that polls compare with: what all of them share, and the rows of a site's services."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import Base
from models.run_control import Backend, BootConfiguration
from services.history.record import Changes
from services.history.types import Aspect, Subject
from services.revisions import LiveTopic
from services.run_control.backend_types import BackendKind
from services.run_control.readings import BackendReading
from services.run_control.session_types import Configuration

FILE_WIDTH = 1024


def assign(row: Base, values: Mapping[str, object]) -> bool:
    """Set columns and tell whether any of them changed."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return bool(changed)


def save_configurations(tx: Session, configurations: Iterable[Configuration] | None) -> set[LiveTopic]:
    """Make the table what the session manager lists, in its order; None tells nothing."""
    if configurations is None:
        return set()
    wanted = tuple(dict.fromkeys((found.file[:FILE_WIDTH], found.id) for found in configurations))
    rows = tx.scalars(select(BootConfiguration).order_by(BootConfiguration.position)).all()
    if wanted == tuple((row.file, row.configuration_id) for row in rows):
        return set()
    tx.execute(delete(BootConfiguration))
    tx.add_all(
        BootConfiguration(file=file, configuration_id=id_, position=position)
        for position, (file, id_) in enumerate(wanted)
    )
    return {LiveTopic.SESSIONS}


def save_backends(
    tx: Session, readings: Iterable[BackendReading], changes: Changes, session: str | None = None
) -> set[LiveTopic]:
    """Write how addresses answered, those of controllers for their ``session``."""
    # Always in the same order, so that two transactions cannot wait for each other.
    ordered = sorted(readings, key=lambda reading: (reading.kind, reading.address))
    changed = [_save_backend(tx, reading, changes, session) for reading in ordered]
    return {LiveTopic.BACKENDS} if any(changed) else set()


def forget_controllers(tx: Session, addresses: Collection[str]) -> set[LiveTopic]:
    """Forget how controllers answered that are no more."""
    key = (Backend.kind == BackendKind.CONTROLLER.value, Backend.address.in_(sorted(addresses)))
    removed = tx.scalars(delete(Backend).where(*key).returning(Backend.address)).all() if addresses else ()
    return {LiveTopic.BACKENDS} if removed else set()


def _save_backend(tx: Session, reading: BackendReading, changes: Changes, session: str | None) -> bool:
    row = tx.get(Backend, (reading.kind.value, reading.address), with_for_update=True)
    created = row is None
    if row is None:
        row = Backend(
            kind=reading.kind.value, address=reading.address, reachable=bool(reading.reachable), since=reading.at
        )
        tx.add(row)
        if not row.reachable or reading.kind is not BackendKind.CONTROLLER:
            # Controllers have new addresses after each boot: that they answer there is no news.
            _note_backend(reading, None, changes, session)
    row.tried_at = reading.at
    values: dict[str, object] = {}
    if reading.reachable is not None and reading.reachable != row.reachable:
        values |= {"reachable": reading.reachable, "since": reading.at}
        _note_backend(reading, row.reachable, changes, session)
    if reading.reachable:
        row.answered_at, row.latency_ms = reading.at, reading.latency_ms
        if reading.generation is not None:
            values["generation"] = reading.generation
    if reading.error is not None:
        row.error_at = reading.at
        values["error"] = reading.error
    return assign(row, values) or created


def _note_backend(reading: BackendReading, before: bool | None, changes: Changes, session: str | None) -> None:  # noqa: FBT001 - a value, not a switch
    changes.note(
        Subject.BACKEND,
        f"{reading.kind.value} {reading.address}",
        Aspect.REACHABLE,
        old=before,
        new=bool(reading.reachable),
        session=session if reading.kind is BackendKind.CONTROLLER else None,
    )
