"""Many ids as one parameter of a statement: to pass each by itself costs more than the query."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, any_, bindparam, cast, func, select

from models.messages import Message
from services.messages.upsert import table_of

_ID = table_of(Message).c.id


def among(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a message's id is one of those of `given`; ``dialect`` is SQLAlchemy's name of it."""
    ids = bindparam("ids", type_=Text)
    if dialect == "postgresql":
        return any_(cast(ids, ARRAY(BigInteger))) == _ID
    return _ID.in_(select(func.json_each(ids).table_valued("value").c.value))


def given(ids: Sequence[int], dialect: str) -> dict[str, str]:
    """Return the parameter of `among`: as text, which drivers pass on as it is, and do not take apart."""
    listed = ",".join(map(str, ids))
    return {"ids": f"{{{listed}}}" if dialect == "postgresql" else f"[{listed}]"}
