"""Messages as rows of the database: the statements that read them, and what becomes of the rows.

Statements of tables, not of models, and built once: of what every open feed asks at each tick, building and the model's
part cost more than running it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.messages import Message, MessageApplication, MessageSession, Topic
from services.messages.filters import condition
from services.messages.ids import among, given
from services.messages.types import NOTHING, Kind, MessageFilter, MessageView, Severity
from services.messages.upsert import table_of

_KINDS = {kind.value: kind for kind in Kind}
_SEVERITIES = {severity.value: severity for severity in Severity}
MESSAGE = table_of(Message).c


def newest_id(session: Session) -> int:
    """Return the id of the newest message, 0 if there is none."""
    return session.scalar(_NEWEST_ID) or 0


def messages_between(
    session: Session, wanted: MessageFilter, after: int, newest: int, limit: int
) -> tuple[MessageView, ...]:
    """Return what fits a filter, muted or not, above one id until another, newest first; of too many the oldest.

    Without their details: a list shows none.
    """
    statement = _stretch(replace(wanted, muted=NOTHING), session.get_bind().dialect.name)
    rows = session.execute(statement, {"after": after, "newest": newest, "rows": limit}).all()
    return _views(reversed(rows))


def messages_of(session: Session, ids: Sequence[int], *, details: bool) -> tuple[MessageView, ...]:
    """Return the messages of some ids, newest first; their details only if wanted."""
    dialect = session.get_bind().dialect.name
    return _views(session.execute(_among(dialect, details=details), given(ids, dialect)).all()) if ids else ()


def messages_where(session: Session, where: ColumnElement[bool]) -> tuple[MessageView, ...]:
    """Return the messages that fit a condition, newest first."""
    return _views(session.execute(_VIEW.where(where).order_by(MESSAGE.id.desc())).all())


def _views(rows: Iterable[Row[*tuple[Any, ...]]]) -> tuple[MessageView, ...]:
    # In the order of `MessageView`; by name costs more than the query.
    return tuple(MessageView(id_, _KINDS[kind], _SEVERITIES[severity], *rest) for id_, kind, severity, *rest in rows)


def _view() -> Select[Any]:
    """Return what a `MessageView` is made of but for its details, in its order; no condition yet."""
    sessions, applications, topics = (table_of(table).c for table in (MessageSession, MessageApplication, Topic))
    return (
        select(
            MESSAGE.id,
            MESSAGE.kind,
            MESSAGE.severity,
            sessions.name,
            applications.name,
            MESSAGE.name,
            MESSAGE.text,
            MESSAGE.time_ns,
            topics.name,
            MESSAGE.partition,
            MESSAGE.offset,
        )
        .join(table_of(MessageSession), sessions.id == MESSAGE.session_id)
        .join(table_of(MessageApplication), applications.id == MESSAGE.application_id)
        .join(table_of(Topic), topics.id == MESSAGE.topic_id)
    )


_BRIEF = _view()
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
