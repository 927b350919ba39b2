"""Many ids as one parameter of a statement: to pass each by itself costs more than the query."""

import json
from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, any_, bindparam, func, select

from models.messages import Message
from services.messages.upsert import table_of

_ID = table_of(Message).c.id


def among(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a message's id is one of those of `given`; ``dialect`` is SQLAlchemy's name of it."""
    if dialect == "postgresql":
        return any_(bindparam("ids", type_=ARRAY(BigInteger))) == _ID
    return _ID.in_(select(func.json_each(bindparam("ids", type_=Text)).table_valued("value").c.value))


def given(ids: Sequence[int], dialect: str) -> dict[str, object]:
    """Return the parameter of `among`."""
    return {"ids": list(ids) if dialect == "postgresql" else json.dumps(list(ids))}
