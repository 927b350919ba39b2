"""Revisions: one counter per topic, so that a page learns cheaply that something it shows has changed."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.coordination import Revision


class LiveTopic(StrEnum):
    """What a page can follow. The value is the key in the answer of ``/live``."""

    SESSIONS = "sessions"
    PROCESSES = "processes"
    TREE = "tree"
    COMMANDS = "commands"
    BACKENDS = "backends"
    MESSAGES = "messages"
    MUTES = "mutes"
    STATUS = "status"
    ALARMS = "alarms"
    CONTROL = "control"


class OvertakenError(Exception):
    """Somebody has changed what a unit of work started from. It must write nothing."""


def require_unchanged(session: Session, topic: LiveTopic, since: int) -> None:
    """Check that nobody has raised the counter of a topic since it was ``since``; nobody will until the commit.

    Call it after all writes and before `bump`: on PostgreSQL the row stays locked until the commit.

    Raises:
        OvertakenError: Somebody has.
    """
    counted = session.scalar(select(Revision.value).where(Revision.topic == topic.value).with_for_update())
    if (counted or 0) != since:
        raise OvertakenError


def bump(session: Session, now: datetime, *topics: LiveTopic) -> None:
    """Raise the counters of ``topics`` in the caller's transaction.

    Call it last in a unit of work: on PostgreSQL the row stays locked until the commit.
    """
    for topic in sorted(topics):
        row = session.get(Revision, topic.value, with_for_update=True) or _begin(session, topic, now)
        row.value += 1
        row.changed_at = now


def _begin(session: Session, topic: LiveTopic, now: datetime) -> Revision:
    """Insert a topic's counter at 0 and lock it. Somebody else may do so in the same moment: then theirs counts."""
    with suppress(IntegrityError), session.begin_nested():
        session.add(Revision(topic=topic.value, value=0, changed_at=now))
    return session.get_one(Revision, topic.value, with_for_update=True, populate_existing=True)


def current(session: Session) -> Mapping[LiveTopic, int]:
    """Return every topic's counter; 0 where nothing has happened yet."""
    found = {row.topic: row.value for row in session.scalars(select(Revision))}
    return {topic: found.get(topic.value, 0) for topic in LiveTopic}
