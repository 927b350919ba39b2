"""Ids of names that messages repeat: topics, sessions, applications."""

from collections.abc import Iterable

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.messages import MessageApplication, MessageSession, Topic
from services.messages.upsert import table_of

NameTable = type[Topic] | type[MessageSession] | type[MessageApplication]


class Dimensions:
    """Name to id, remembered.

    What a transaction finds or adds counts only after `keep`: an id of a transaction that was rolled back is worth
    nothing. Callers hold the writers' lock (`writers_turn`), so nobody adds the same name at the same time.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[tuple[str, str], int] = {}
        self._fresh: dict[tuple[str, str], int] = {}

    def ids(self, session: Session, table: NameTable, names: Iterable[str]) -> dict[str, int]:
        """Return name to id in the caller's transaction; what is new is added."""
        found: dict[str, int] = {}
        missing: list[str] = []
        for name in set(names):
            known = self._known.get((table.__tablename__, name))
            if known is None:
                missing.append(name)
            else:
                found[name] = known
        if missing:
            found.update(self._look_up(session, table, sorted(missing)))
        return found

    def keep(self) -> None:
        """The transaction was committed: what it found and added is known from now on."""
        self._known.update(self._fresh)
        self._fresh.clear()

    def forget(self) -> None:
        """The transaction was rolled back: what it found and added does not count."""
        self._fresh.clear()

    def forget_all(self) -> None:
        """Something may be wrong with the database: look everything up again."""
        self._known.clear()
        self._fresh.clear()

    def _look_up(self, session: Session, table: NameTable, names: list[str]) -> dict[str, int]:
        found = _select(session, table, names)
        new = [{"name": name} for name in names if name not in found]
        if new:
            session.connection().execute(insert(table_of(table)), new)
            found = _select(session, table, names)
        self._fresh.update({(table.__tablename__, name): id_ for name, id_ in found.items()})
        return found


def _select(session: Session, table: NameTable, names: list[str]) -> dict[str, int]:
    rows = session.execute(select(table.name, table.id).where(table.name.in_(names)))
    return {row.name: row.id for row in rows}
