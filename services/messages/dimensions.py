"""Ids of names that messages repeat: topics, sessions, applications."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models.messages import MessageApplication, MessageSession, Topic
from services.messages.upsert import table_of

# More sessions or applications than any DAQ has. A fault that makes up names must fill neither the database nor us.
MAX_NAMES = 20_000
# The name that all beyond share.
OTHER = "(other)"

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
        """Return name to id in the caller's transaction; what is new is added.

        New sessions and applications beyond `MAX_NAMES` get the id of `OTHER`, which is then among the names. Topics
        have no limit: Kafka's cluster has one, and records of two topics must never be taken for each other.
        """
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
        new = [name for name in names if name not in found]
        beyond: list[str] = []
        if new and table is not Topic:
            room = max(MAX_NAMES - (session.scalar(select(func.count()).select_from(table)) or 0), 0)
            new, beyond = new[:room], new[room:]
        if new:
            session.connection().execute(insert(table_of(table)), [{"name": name} for name in new])
            found = _select(session, table, names)
        self._fresh.update({(table.__tablename__, name): id_ for name, id_ in found.items()})
        if not beyond:
            return found
        # Not remembered: there may be any number of them.
        other = self._other(session, table)
        return {**found, **dict.fromkeys(beyond, other), OTHER: other}

    def _other(self, session: Session, table: NameTable) -> int:
        """Return the id of the shared name, which is always there when it is needed."""
        known = self._known.get((table.__tablename__, OTHER)) or _select(session, table, [OTHER]).get(OTHER)
        if known is None:
            session.connection().execute(insert(table_of(table)), {"name": OTHER})
            known = _select(session, table, [OTHER])[OTHER]
        self._fresh[(table.__tablename__, OTHER)] = known
        return known


def is_shared(ids: Mapping[str, int], name: str) -> bool:
    """Tell whether a name got the id of `OTHER` in what `Dimensions.ids` returned."""
    return name != OTHER and ids[name] == ids.get(OTHER)


def _select(session: Session, table: NameTable, names: list[str]) -> dict[str, int]:
    rows = session.execute(select(table.name, table.id).where(table.name.in_(names)))
    return {row.name: row.id for row in rows}
