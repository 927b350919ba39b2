"""What messages call for, by the rules: read by id, so that after a stop nothing is skipped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Subquery, case, func, select
from sqlalchemy.orm import Session

from models.messages import Message, MessageApplication, MessageSession
from services.alarms.conditions import TEXT_LENGTH, alarm_key, moment
from services.alarms.rules import Rule
from services.alarms.types import AlarmKind, Burst, Condition, RuleView

# Of one turn at most; what is beyond is looked at in the next.
IDS_A_TURN = 20_000
# For a burst so many messages are looked back at, at most: in a flood there are enough of them anyway.
IDS_BACK = 100_000
_NS = 1_000_000_000

# Which messages count together: of one session, application and name.
_Group = tuple[int, int, str]


def newest_message(session: Session) -> int:
    """Return the id of the newest message, 0 where there is none."""
    return session.scalar(select(func.max(Message.id))) or 0


def happened(session: Session, after_id: int, rules: Sequence[Rule]) -> tuple[list[Condition], int]:
    """Return what messages after an id call for, one condition a key, and how far they were read."""
    until = min(newest_message(session), after_id + IDS_A_TURN)
    if until <= after_id:
        return [], after_id
    hits = _hits(session, _ruled(session, after_id, until, rules), rules)
    before = _before(session, hits, until, rules)
    found: dict[str, Condition] = {}
    for row in hits:
        rule, earlier = rules[row.rule].view, before[row.rule].get(_group(row), 0)
        if rule.burst is None or row.number + earlier >= rule.burst.messages:
            condition = _condition(row, rule, earlier)
            known = found.get(condition.key)
            found[condition.key] = condition if known is None else _together(known, condition)
    return list(found.values()), until


def _ruled(session: Session, after_id: int, until_id: int, rules: Sequence[Rule]) -> Subquery:
    """Return messages with the number of the first rule that fits each, null for none."""
    dialect = session.get_bind().dialect.name
    first = case(*((rule.condition(dialect), number) for number, rule in enumerate(rules)), else_=None)
    columns = (Message.id, Message.session_id, Message.application_id, Message.name, Message.received_ns)
    return select(*columns, first.label("rule")).where(Message.id > after_id, Message.id <= until_id).subquery()


def _hits(session: Session, ruled: Subquery, rules: Sequence[Rule]) -> Sequence[Row[Any]]:
    """Return a row for each group and rule that raises alarms: how many messages, and the last one."""
    raising = [number for number, rule in enumerate(rules) if rule.view.priority is not None]
    columns = (ruled.c.session_id, ruled.c.application_id, ruled.c.name, ruled.c.rule)
    groups = (
        select(*columns, func.count().label("number"), func.max(ruled.c.id).label("last_id"))
        .where(ruled.c.rule.in_(raising))
        .group_by(*columns)
        .subquery()
    )
    statement = (
        select(groups, MessageSession.name.label("session"), MessageApplication.name.label("application"))
        .add_columns(Message.text, Message.received_ns)
        .join(Message, Message.id == groups.c.last_id)
        .join(MessageSession, MessageSession.id == groups.c.session_id)
        .join(MessageApplication, MessageApplication.id == groups.c.application_id)
        .order_by(groups.c.last_id)
    )
    return session.execute(statement).all()


def _before(
    session: Session, hits: Sequence[Row[Any]], until: int, rules: Sequence[Rule]
) -> Mapping[int, Mapping[_Group, int]]:
    """Return, for each rule that was hit, how many messages came in its seconds but are not among the hits."""
    found: dict[int, Mapping[_Group, int]] = {}
    for number in sorted({row.rule for row in hits}):
        burst, of_rule = rules[number].view.burst, [row for row in hits if row.rule == number]
        found[number] = {} if burst is None else _earlier(session, of_rule, until, rules, burst)
    return found


def _earlier(
    session: Session, hits: Sequence[Row[Any]], until: int, rules: Sequence[Rule], burst: Burst
) -> Mapping[_Group, int]:
    """Return how many messages of each group came in the seconds up to the newest hit, without the hits themselves."""
    since_ns = max(row.received_ns for row in hits) - burst.seconds * _NS
    first = _first_since(session, max(0, until - IDS_BACK), until, since_ns)
    ruled = _ruled(session, first - 1, until, rules)
    columns = (ruled.c.session_id, ruled.c.application_id, ruled.c.name)
    statement = (
        select(*columns, func.count().label("number"))
        .where(ruled.c.rule == hits[0].rule, ruled.c.received_ns >= since_ns)
        .group_by(*columns)
    )
    all_of_them = {_group(row): int(row.number) for row in session.execute(statement)}
    return {_group(row): all_of_them.get(_group(row), 0) - row.number for row in hits}


def _first_since(session: Session, low: int, high: int, since_ns: int) -> int:
    """Return the first id, from ``low`` to ``high``, that came at or after a moment: ids grow as messages come."""
    while low < high:
        middle = (low + high) // 2
        following = select(Message.received_ns).where(Message.id >= middle).order_by(Message.id).limit(1)
        if (session.scalar(following) or since_ns) < since_ns:
            low = middle + 1
        else:
            high = middle
    return low


def _group(row: Row[Any]) -> _Group:
    return row.session_id, row.application_id, row.name


def _condition(row: Row[Any], rule: RuleView, earlier: int) -> Condition:
    if rule.priority is None:
        raise ValueError(f"the rule {rule.name} raises no alarms")
    named = (rule.name,) if rule.name else ()
    return Condition(
        key=alarm_key(AlarmKind.MESSAGE, *named, row.session, row.application, row.name),
        kind=AlarmKind.MESSAGE,
        priority=rule.priority,
        session=row.session,
        subject=row.application,
        text=(f"{row.name}: {row.text}" if row.name else row.text)[:TEXT_LENGTH],
        at=moment(row.received_ns),
        happened=row.number,
        before=earlier,
        message_id=row.last_id,
        rule=rule.name or None,
    )


def _together(known: Condition, later: Condition) -> Condition:
    """Return one condition for two of the same key: of two severities, or of names as long as a key."""
    return replace(
        later, priority=max(known.priority, later.priority), happened=known.happened + later.happened, before=0
    )
