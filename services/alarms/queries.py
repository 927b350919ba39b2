"""What pages and the API read of alarms."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from models.alarms import Alarm, AlarmGuidance
from models.database import Database
from services.alarms.guidance import DEFAULTS
from services.alarms.rows import alarm_view, open_alarms
from services.alarms.rules import BUILT_IN, Rule, guidance_by_rule
from services.alarms.types import AlarmCounts, AlarmKind, AlarmRate, AlarmView, Guidance, Priority, RuleView
from services.clock import Clock

MOST_ENDED = 500
BUCKET = timedelta(minutes=10)


class AlarmQueries:
    """Reads of alarms, of counts and of guidance (tables ``alarm``, ``alarm_shelf``, ``alarm_guidance``)."""

    def __init__(self, database: Database, clock: Clock, rules: Sequence[Rule] = BUILT_IN) -> None:
        """Keep the collaborators, and which messages raise alarms."""
        self._database = database
        self._clock = clock
        self._rules = tuple(rules)
        self._by_rule = guidance_by_rule(rules)

    def rules(self) -> tuple[RuleView, ...]:
        """Return the rules for messages; the first that fits one counts."""
        return tuple(rule.view for rule in self._rules)

    def open(self) -> tuple[AlarmView, ...]:
        """Return the alarms that have not ended: those that wait first, by priority, the newest first."""
        with self._database.read() as session:
            found = open_alarms(session, self._clock())
        return tuple(sorted(found, key=lambda alarm: (not alarm.calls, -alarm.priority, -alarm.id)))

    def ended(self, limit: int = 100) -> tuple[AlarmView, ...]:
        """Return the alarms that ended last, the last first, at most 500."""
        statement = select(Alarm).where(Alarm.ended_at.is_not(None)).order_by(Alarm.ended_at.desc(), Alarm.id.desc())
        with self._database.read() as session:
            return tuple(alarm_view(row) for row in session.scalars(statement.limit(min(limit, MOST_ENDED))))

    def counts(self) -> AlarmCounts:
        """Return how many wait for somebody, and the rest."""
        found = self.open()
        waiting = [alarm for alarm in found if alarm.calls]
        by_priority = Counter(alarm.priority for alarm in waiting)
        return AlarmCounts(
            waiting={priority: by_priority[priority] for priority in reversed(Priority)},
            acknowledged=sum(alarm.acknowledged_at is not None and alarm.shelf is None for alarm in found),
            shelved=sum(alarm.shelf is not None for alarm in found),
            newest_id=max((alarm.id for alarm in waiting), default=0),
        )

    def rates(self, hours: int = 24) -> tuple[AlarmRate, ...]:
        """Return how many alarms were raised in each ten minutes, oldest first, empty ones included, up to now."""
        now = self._clock()
        first = _bucket(now - timedelta(hours=hours))
        with self._database.read() as session:
            raised = session.scalars(select(Alarm.raised_at).where(Alarm.raised_at >= first)).all()
        return _rates(first, now, raised)

    def guidance(self, kind: AlarmKind, subject: str, rule: str | None = None) -> Guidance:
        """Return what an alarm means and what to do.

        What people wrote for its kind and subject comes first, then what its rule says, then what people wrote for the
        kind, then what is built in.
        """
        with self._database.read() as session:
            of_subject = session.get(AlarmGuidance, (kind.value, subject))
            of_kind = session.get(AlarmGuidance, (kind.value, ""))
        of_rule = self._by_rule.get(rule) if rule is not None else None
        if of_subject is None and of_rule is not None:
            return of_rule
        row = of_subject or of_kind
        return DEFAULTS[kind] if row is None else Guidance(row.meaning, row.action, row.contact, row.changed_by)


def _bucket(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 10 * 10, second=0, microsecond=0)


def _rates(first: datetime, now: datetime, raised: Sequence[datetime]) -> tuple[AlarmRate, ...]:
    found = Counter(map(_bucket, raised))
    number = int((_bucket(now) - first) / BUCKET) + 1
    return tuple(AlarmRate(first + step * BUCKET, found[first + step * BUCKET]) for step in range(number))
