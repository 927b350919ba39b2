"""Ids of names that messages repeat: topics, sessions, applications.

They are looked up anew for every batch, in one statement a table, and not remembered. Rows of ``message`` have no
foreign keys (ADR 0012): what an id stands for is known here, in the transaction that stores it, even where somebody
restored an older database below a running collector.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from sqlalchemy import Select, Text, bindparam, cast, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from models.messages import MessageApplication, MessageSession, Topic
from services.messages.upsert import is_postgresql, table_of

# More sessions or applications than any DAQ has. A fault that makes up names must fill neither the database nor us.
MAX_NAMES = 20_000
# The name that all beyond share.
OTHER = "(other)"

NameTable = type[Topic] | type[MessageSession] | type[MessageApplication]


def ids(session: Session, table: NameTable, names: Iterable[str]) -> dict[str, int]:
    """Return name to id in the caller's transaction, which holds the writers' lock; what is new is added.

    New sessions and applications beyond `MAX_NAMES` get the id of `OTHER`, which is then among the names. Topics
    have no limit: Kafka's cluster has one, and records of two topics must never be taken for each other.
    """
    wanted = sorted(set(names))
    found = _select(session, table, wanted)
    new = [name for name in wanted if name not in found]
    if not new:
        return found
    beyond: list[str] = []
    if table is not Topic:
        room = max(MAX_NAMES - (session.scalar(select(func.count()).select_from(table)) or 0), 0)
        new, beyond = new[:room], new[room:]
    found |= _add(session, table, new)
    if beyond:
        other = _other(session, table)
        found |= {**dict.fromkeys(beyond, other), OTHER: other}
    return found


def is_shared(ids_of_names: Mapping[str, int], name: str) -> bool:
    """Tell whether a name got the id of `OTHER` in what `ids` returned."""
    return name != OTHER and ids_of_names[name] == ids_of_names.get(OTHER)


def _other(session: Session, table: NameTable) -> int:
    """Return the id of the shared name, which is always there when it is needed."""
    found = _select(session, table, [OTHER]) or _add(session, table, [OTHER])
    return found[OTHER]


def _add(session: Session, table: NameTable, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    session.connection().execute(insert(table_of(table)), [{"name": name} for name in names])
    return _select(session, table, names)


def _select(session: Session, table: NameTable, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    statement = _statement(table, on_postgresql=is_postgresql(session))
    return dict(session.connection().execute(statement, {"names": json.dumps(names)}).all())


@cache
def _statement(table: NameTable, *, on_postgresql: bool) -> Select[str, int]:
    """Return the look-up of many names, which are one parameter: one for each would cost more than the look-up."""
    columns = table_of(table).c
    names = bindparam("names", type_=Text)
    if on_postgresql:
        listed = select(func.jsonb_array_elements_text(cast(names, JSONB)))
    else:
        listed = select(func.json_each(names).table_valued("value").c.value)
    return select(columns.name, columns.id).where(columns.name.in_(listed))
