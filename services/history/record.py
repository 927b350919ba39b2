"""Records changes in the transaction that makes them; whoever writes the present state writes the history with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.history import HistoryEntry
from services.history.types import Aspect, Source, Subject, Value

NAME_WIDTH: Final = 1024
# Clocks of drunc's hosts and ours may differ so much.
CLOCKS_DIFFER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Noted:
    subject: Subject
    name: str
    aspect: Aspect
    old: Value
    new: Value
    session: str | None
    uuid: str | None
    since: datetime | None


class Changes:
    """The changes of one unit of work; `write` stores them in its transaction."""

    def __init__(self, at: datetime, source: Source = Source.POLL, command_id: int | None = None) -> None:
        """Begin without any; all have the same time and source."""
        self.at = at
        self._source = source
        self._command_id = command_id
        self._noted: list[_Noted] = []

    def __bool__(self) -> bool:
        """Tell whether anything was noted."""
        return bool(self._noted)

    def note(
        self,
        subject: Subject,
        name: str,
        aspect: Aspect,
        *,
        old: Value = None,
        new: Value = None,
        session: str | None = None,
        uuid: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """Note one change. ``since`` is when ``old`` was last seen: a broadcast may have told of it meanwhile."""
        self._noted.append(_Noted(subject, name[:NAME_WIDTH], aspect, old, new, session, uuid, since))

    def compare(
        self,
        subject: Subject,
        name: str,
        old: Mapping[Aspect, Value],
        new: Mapping[Aspect, Value],
        *,
        session: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """Note every aspect that differs."""
        for aspect, value in new.items():
            if old[aspect] != value:
                self.note(subject, name, aspect, old=old[aspect], new=value, session=session, since=since)

    def write(self, tx: Session) -> None:
        """Store what was noted, but for what a broadcast has told already."""
        told = _told_by_broadcasts(tx, self._noted)
        rows = [self._row(noted) for noted in self._noted if (noted.session, noted.name, noted.aspect) not in told]
        if rows:
            tx.execute(insert(HistoryEntry), rows)

    def _row(self, noted: _Noted) -> dict[str, Any]:
        return {
            "at": self.at,
            "noted_at": self.at,
            "source": self._source.value,
            "session": noted.session,
            "subject": noted.subject.value,
            "name": noted.name,
            "aspect": noted.aspect.value,
            "old": noted.old,
            "new": noted.new,
            "uuid": noted.uuid,
            "command_id": self._command_id,
        }


def _told_by_broadcasts(tx: Session, noted: Iterable[_Noted]) -> set[tuple[str | None, str, Aspect]]:
    """Return which node changes broadcasts have told since the last poll: the last one must tell the same."""
    nodes = {
        (change.session, change.name, change.aspect): change
        for change in noted
        if change.subject is Subject.NODE and change.since is not None
    }
    if not nodes:
        return set()
    earliest = min(change.since for change in nodes.values() if change.since) - CLOCKS_DIFFER
    statement = (
        select(HistoryEntry)
        .where(
            HistoryEntry.session.in_({change.session for change in nodes.values()}),
            HistoryEntry.at >= earliest,
            HistoryEntry.subject == Subject.NODE.value,
            HistoryEntry.source == Source.BROADCAST.value,
        )
        .order_by(HistoryEntry.at, HistoryEntry.id)
    )
    last = {(row.session, row.name, Aspect(row.aspect)): row.new for row in tx.scalars(statement)}
    return {key for key, change in nodes.items() if key in last and last[key] == change.new}
