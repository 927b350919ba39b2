"""Messages as rows of the database: the statements that read them, and what becomes of the rows.

Statements of tables, not of models, and built once: of what every open feed asks at each tick, building and the model's
part cost more than running it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.messages import Message, MessageApplication, MessageSession, Topic
from services.messages.filters import condition
from services.messages.ids import among, given
from services.messages.names import Names
from services.messages.types import NOTHING, Kind, MessageFilter, MessageView, Severity
from services.messages.upsert import table_of

_KINDS = {kind.value: kind for kind in Kind}
_SEVERITIES = {severity.value: severity for severity in Severity}
MESSAGE = table_of(Message).c


def newest_id(session: Session) -> int:
    """Return the id of the newest message, 0 if there is none."""
    return session.scalar(_NEWEST_ID) or 0


def messages_between(
    session: Session, names: Names, wanted: MessageFilter, after: int, newest: int, *, limit: int
) -> tuple[MessageView, ...]:
    """Return what fits a filter, muted or not, above one id until another, newest first; of too many the oldest.

    Without their details: a list shows none.
    """
    statement = _stretch(replace(wanted, muted=NOTHING), session.get_bind().dialect.name)
    rows = session.execute(statement, {"after": after, "newest": newest, "rows": limit}).all()
    return _views(session, names, rows[::-1])


def messages_of(session: Session, names: Names, ids: Sequence[int], *, details: bool) -> tuple[MessageView, ...]:
    """Return the messages of some ids, newest first; their details only if wanted."""
    if not ids:
        return ()
    dialect = session.get_bind().dialect.name
    return _views(session, names, session.execute(_among(dialect, details=details), given(ids, dialect)).all())


def messages_where(session: Session, names: Names, where: ColumnElement[bool]) -> tuple[MessageView, ...]:
    """Return the messages that fit a condition, newest first."""
    return _views(session, names, session.execute(_VIEW.where(where).order_by(MESSAGE.id.desc())).all())


def _views(session: Session, names: Names, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[MessageView, ...]:
    sessions = names.by_id(session, MessageSession, (row[_SESSION] for row in rows))
    applications = names.by_id(session, MessageApplication, (row[_APPLICATION] for row in rows))
    topics = names.by_id(session, Topic, (row[_TOPIC] for row in rows))
    # In the order of `MessageView`; by name costs more than the query.
    return tuple(
        MessageView(
            id_,
            _KINDS[kind],
            _SEVERITIES[severity],
            sessions[session_id],
            applications[application_id],
            name,
            text,
            time_ns,
            topics[topic_id],
            *rest,
        )
        for id_, kind, severity, session_id, application_id, name, text, time_ns, topic_id, *rest in rows
    )


# What a `MessageView` is made of but for its details, in its order; ids in the places of names.
_BRIEF_COLUMNS = (
    MESSAGE.id,
    MESSAGE.kind,
    MESSAGE.severity,
    MESSAGE.session_id,
    MESSAGE.application_id,
    MESSAGE.name,
    MESSAGE.text,
    MESSAGE.time_ns,
    MESSAGE.topic_id,
    MESSAGE.partition,
    MESSAGE.offset,
)
_SESSION, _APPLICATION, _TOPIC = (
    [column.name for column in _BRIEF_COLUMNS].index(name) for name in ("session_id", "application_id", "topic_id")
)
_BRIEF: Select[Any] = select(*_BRIEF_COLUMNS)
_VIEW = _BRIEF.add_columns(MESSAGE.detail)
_NEWEST_ID = select(func.max(MESSAGE.id))


@lru_cache
def _among(dialect: str, *, details: bool) -> Select[Any]:
    return (_VIEW if details else _BRIEF).where(among(dialect)).order_by(MESSAGE.id.desc())


@lru_cache(maxsize=256)
def _stretch(wanted: MessageFilter, dialect: str) -> Select[Any]:
    """Return the statement of what came after one id until another, oldest first: the same few at every tick."""
    after, newest = (bindparam(name, type_=BigInteger) for name in ("after", "newest"))
    fitting = condition(wanted.as_expression(), dialect)
    stretch = _BRIEF.where(MESSAGE.id > after, MESSAGE.id <= newest, fitting).order_by(MESSAGE.id)
    return stretch.limit(bindparam("rows", type_=Integer))
