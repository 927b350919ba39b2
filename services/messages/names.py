"""Names of topics, sessions and applications and their ids, remembered: neither ever changes.

To join three tables of names to each page costs the databases more than the page.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, select
from sqlalchemy.orm import Session

from models.messages import MessageApplication, MessageSession, Topic
from services.messages.dimensions import NameTable
from services.messages.upsert import table_of


class Names:
    """What one process has met so far (tables ``topic``, ``message_session``, ``message_application``).

    There are no more than `services.messages.dimensions` allows.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        tables: tuple[NameTable, ...] = (Topic, MessageSession, MessageApplication)
        self._names: dict[NameTable, dict[int, str]] = {table: {} for table in tables}
        self._ids: dict[NameTable, dict[str, int]] = {table: {} for table in tables}

    def by_id(self, session: Session, table: NameTable, ids: Iterable[int]) -> Mapping[int, str]:
        """Return names by id, those of ``ids`` and perhaps more."""
        known = self._names[table]
        missing = set(ids).difference(known)
        if missing:
            self._read(session, table, table_of(table).c.id, sorted(missing))
        return known

    def ids(self, session: Session, table: NameTable, names: Iterable[str]) -> tuple[int, ...]:
        """Return the ids of names, sorted; what no message has named has none."""
        known, wanted = self._ids[table], set(names)
        missing = wanted.difference(known)
        if missing:
            self._read(session, table, table_of(table).c.name, sorted(missing))
        return tuple(sorted(known[name] for name in wanted if name in known))

    def _read(
        self, session: Session, table: NameTable, by: Column[int] | Column[str], wanted: list[int] | list[str]
    ) -> None:
        columns = table_of(table).c
        for id_, name in session.execute(select(columns.id, columns.name).where(by.in_(wanted))):
            self._names[table][id_] = name
            self._ids[table][name] = id_
