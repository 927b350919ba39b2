"""Messages raise alarms by the site's rules, on both engines: the first that fits, alone or as a burst."""

from datetime import UTC, datetime, timedelta

import pytest

from models.database import Database
from services.accounts.types import Identity, Role
from services.alarms import messages as alarm_messages
from services.alarms.queries import AlarmQueries
from services.alarms.rules import MessageCondition, Rule, read_rules
from services.alarms.service import AlarmService
from services.alarms.types import AlarmKind, AlarmView, Guidance, Priority
from services.alarms.worker import AlarmWatch
from services.audit.trail import AuditTrail
from services.messages.batch import PartitionKey
from services.messages.filter_text import parse
from services.messages.filters import condition, fits
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.types import Decoded, Kind, MessageFilter, Severity
from tests.db.services.messages.builders import batch, new_incarnation

ALICE = Identity("alice", Role.OPERATOR, "127.0.0.1")
START = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)


def condition_of(text: str) -> MessageCondition:
    expression = parse(text)
    return lambda dialect: condition(expression, dialect)


def rules(*texts: str) -> tuple[Rule, ...]:
    return read_rules("rules:\n" + "".join(texts), condition_of)


def rule(filter_text: str, name: str = "of the site", **fields: object) -> str:
    told = {"priority": "medium", **fields}
    lines = [f"- name: {name}", f"  filter: '{filter_text}'", *(f"  {field}: {value}" for field, value in told.items())]
    return "".join(f"{line}\n" for line in lines)


def said(
    text: str = "no data",
    severity: Severity = Severity.WARNING,
    *,
    application: str = "df-01",
    session: str = "np04",
    kind: Kind = Kind.ERS,
    name: str = "daq::Late",
    seconds: float = 0,
) -> Decoded:
    time_ns = int((START + timedelta(seconds=seconds)).timestamp() * 1e9)
    return Decoded(kind, severity, session, application, name, text, time_ns)


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Feed:
    """Stores messages as they would arrive, at a clock's time."""

    def __init__(self, database: Database, clock: Time) -> None:
        self._store = MessageStore(database, clock)
        self._incarnation_id = new_incarnation(database)
        self._clock = clock
        self._offsets: dict[PartitionKey, int] = {}

    def add(self, *given: Decoded, topic: str = "monitoring.ers_stream") -> None:
        offset = self._offsets.get((topic, 0))
        self._store.write(
            batch(
                self._incarnation_id,
                given,
                topic=topic,
                start=offset or 0,
                expected=offset,
                received_ns=int(self._clock.now.timestamp() * 1e9),
            )
        )
        self._offsets[topic, 0] = (offset or 0) + len(given)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def feed(database: Database, clock: Time) -> Feed:
    return Feed(database, clock)


def watching(database: Database, clock: Time, *given: Rule) -> AlarmWatch:
    """A watch that has seen what was there before."""
    watch = AlarmWatch(database, clock, given)
    watch.turn()
    return watch


def alarms(database: Database, clock: Time) -> dict[str, AlarmView]:
    """The alarms that have not ended, by what they are about."""
    return {alarm.subject: alarm for alarm in AlarmQueries(database, clock).open()}


FILTERS = (
    "severity=ERROR,FATAL",
    "kind=controller",
    "session=np02",
    "application=df-01,mlt",
    "topic=control.np04.root",
    'words="beam tr"',
    'text~"EAM"',
    'text="No data"',
    "time>=2026-11-20T03:12:45Z",
    "time<2026-11-20T03:12:45Z",
    'not (session=np04 or words="beam")',
    "all",
    "none",
)


@pytest.mark.parametrize("text", FILTERS)
def test_a_rule_fits_what_the_same_filter_shows(database: Database, clock: Time, feed: Feed, text: str) -> None:
    watch = watching(database, clock, *rules(rule(text)))
    feed.add(
        said("No data", Severity.ERROR, application="df-01"),
        said("Beam trip at 3", Severity.INFO, application="df-02"),
        said("sunbeam", Severity.FATAL, application="mlt", session="np02"),
        said("no data", Severity.DEBUG, application="ru-01", seconds=2),
    )
    feed.add(said("ready", Severity.LOG, application="root", kind=Kind.CONTROLLER), topic="control.np04.root")
    watch.turn()
    shown = MessageQueries(database, clock).page(MessageFilter()).items
    assert set(alarms(database, clock)) == {item.application for item in shown if fits(parse(text), item)}
    assert watch.health().state == "ok"


def test_the_first_rule_that_fits_counts(database: Database, clock: Time, feed: Feed) -> None:
    given = rules(
        rule('words="beam trip"', "Trips", priority="none"),
        rule("severity=FATAL", "Quiet", priority="low"),
        rule("severity=WARNING,FATAL", "Loud", priority="high"),
    )
    watch = watching(database, clock, *given)
    feed.add(
        said("beam trip", Severity.FATAL, application="a"),
        said("it broke", Severity.FATAL, application="b"),
        said("it may break", Severity.WARNING, application="c"),
        said("it is well", Severity.ERROR, application="d"),
    )
    watch.turn()
    found = alarms(database, clock)
    assert {name: (alarm.rule, alarm.priority) for name, alarm in found.items()} == {
        "b": ("Quiet", Priority.LOW),
        "c": ("Loud", Priority.HIGH),
    }


def test_each_rule_has_alarms_of_its_own(database: Database, clock: Time, feed: Feed) -> None:
    watch = watching(database, clock, *rules(rule('words="one"', "One"), rule('words="two"', "Two")))
    feed.add(said("one"), said("two"), said("one"))
    watch.turn()
    found = AlarmQueries(database, clock).open()
    assert sorted((alarm.rule, alarm.occurrences) for alarm in found) == [("One", 2), ("Two", 1)]


def test_a_burst_takes_enough_messages_of_one_application_and_name(database: Database, clock: Time, feed: Feed) -> None:
    watch = watching(database, clock, *rules(rule('words="late"', at_least=3, within_s=10)))
    feed.add(said("late"), said("late"), said("late", application="mlt"), said("late", name="daq::Other"))
    watch.turn()
    assert alarms(database, clock) == {}
    clock.now += timedelta(seconds=9)
    feed.add(said("late"), said("something else"))
    watch.turn()
    (alarm,) = alarms(database, clock).values()
    assert (alarm.subject, alarm.occurrences, alarm.priority) == ("df-01", 3, Priority.MEDIUM)
    feed.add(said("late"))
    watch.turn()
    assert alarms(database, clock)["df-01"].occurrences == 4


def test_what_came_too_long_ago_is_no_part_of_a_burst(database: Database, clock: Time, feed: Feed) -> None:
    watch = watching(database, clock, *rules(rule('words="late"', at_least=3, within_s=10)))
    for _ in range(5):
        feed.add(said("late"))
        watch.turn()
        clock.now += timedelta(seconds=6)
    assert alarms(database, clock) == {}


def test_a_burst_that_began_before_the_last_turn_or_collector_counts(
    database: Database, clock: Time, feed: Feed
) -> None:
    given = rules(rule('words="late"', at_least=4, within_s=60))
    first = watching(database, clock, *given)
    feed.add(*[said("late")] * 3)
    first.turn()
    # What gives its lease up.
    first.start()
    first.stop(5)
    clock.now += timedelta(seconds=30)
    feed.add(said("late"))
    AlarmWatch(database, clock, given).turn()
    assert alarms(database, clock)["df-01"].occurrences == 4


def test_a_burst_is_looked_for_among_the_last_messages_only(
    database: Database, clock: Time, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarm_messages, "IDS_BACK", 3)
    watch = watching(database, clock, *rules(rule('words="late"', at_least=3, within_s=10)))
    feed.add(said("late"), said("late"), said("noise"), said("noise"), said("noise"))
    watch.turn()
    feed.add(said("late"))
    watch.turn()
    assert alarms(database, clock) == {}


def test_built_in_rules_make_one_alarm_of_both_severities(database: Database, clock: Time, feed: Feed) -> None:
    watch = AlarmWatch(database, clock)
    watch.turn()
    feed.add(said("it broke", Severity.FATAL), said("it hurts", Severity.ERROR), said("it may", Severity.WARNING))
    watch.turn()
    (alarm,) = AlarmQueries(database, clock).open()
    assert (alarm.rule, alarm.occurrences, alarm.priority) == (None, 2, Priority.HIGH)
    assert alarm.text == "daq::Late: it hurts"


def test_names_as_long_as_a_key_share_an_alarm(database: Database, clock: Time, feed: Feed) -> None:
    watch = AlarmWatch(database, clock)
    watch.turn()
    feed.add(*(said("it broke", Severity.ERROR, name="x" * 600 + end) for end in ("a", "b")))
    watch.turn()
    assert watch.health().state == "ok"
    assert alarms(database, clock)["df-01"].occurrences == 2


def test_the_guidance_of_a_rule_goes_before_that_of_the_kind(database: Database, clock: Time) -> None:
    given = rules(rule("severity=WARNING", action="Look.", contact="Readout"))
    queries = AlarmQueries(database, clock, given)
    service = AlarmService(database, AuditTrail(database, clock), clock)
    assert queries.guidance(AlarmKind.MESSAGE, "df-01", "of the site") == Guidance("", "Look.", "Readout")
    assert "reported" in queries.guidance(AlarmKind.MESSAGE, "df-01").meaning
    assert "reported" in queries.guidance(AlarmKind.MESSAGE, "df-01", "gone from the file").meaning
    service.write_guidance(ALICE, AlarmKind.MESSAGE, "", Guidance("any message", ""))
    assert queries.guidance(AlarmKind.MESSAGE, "df-01", "of the site").action == "Look."
    assert queries.guidance(AlarmKind.MESSAGE, "df-01", "gone from the file").meaning == "any message"
    service.write_guidance(ALICE, AlarmKind.MESSAGE, "df-01", Guidance("this one", ""))
    assert queries.guidance(AlarmKind.MESSAGE, "df-01", "of the site").meaning == "this one"
