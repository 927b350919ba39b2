"""Mutes: who may make and end them, what they may hide, how long, and that it is all in the audit."""

from datetime import datetime, timedelta

import pytest

from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import InvalidInputError, NotFoundError, NotPermittedError, RefusedError
from services.messages import counting as counting_module
from services.messages import mutes as mutes_module
from services.messages.filters import all_of, fits
from services.messages.mute_types import Count, Hiding
from services.messages.mutes import MuteService
from services.messages.queries import MessageQueries
from services.messages.types import (
    EVERYTHING,
    NOTHING,
    Contains,
    Expression,
    MessageFilter,
    Name,
    NameIn,
    Severity,
)
from services.revisions import LiveTopic, current
from tests.db.services.messages.builders import NOW, NOW_NS, message, store_all
from tests.db.services.messages.statements import noted

OPERATOR = Identity("olga", Role.OPERATOR, "10.0.0.7")
VIEWER = Identity("vera", Role.VIEWER)
HOUR = timedelta(hours=1)
MLT = NameIn(Name.APPLICATION, frozenset({"mlt"}))
NOISE = all_of(MLT, Contains('late "again"'))


class Hands:
    """A clock that tests set, and seconds that grow with it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - NOW).total_seconds()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def mutes(database: Database, clock: Hands) -> MuteService:
    return MuteService(database, AuditTrail(database, clock), clock, clock.seconds)


def mute(mutes: MuteService, what: Expression = NOISE, up_to: Severity = Severity.WARNING) -> int:
    return mutes.add(OPERATOR, what, up_to, HOUR, " known, see the e-log ").id


def revision(database: Database) -> int:
    with database.read() as session:
        return current(session)[LiveTopic.MUTES]


def test_a_mute_hides_what_was_said_up_to_its_severity(mutes: MuteService, database: Database) -> None:
    store_all(
        database,
        [message('LATE "again" 3', application="mlt", severity=severity) for severity in Severity]
        + [message('late "again"', application="df-01"), message("ready", application="mlt")],
    )
    mute(mutes)
    (made,) = mutes.active()
    assert (made.by, made.reason, made.at, made.until) == ("olga", "known, see the e-log", NOW, NOW + HOUR)
    assert (made.text, made.up_to) == ('application=mlt and text~"late \\"again\\""', Severity.WARNING)
    found = MessageQueries(database, lambda: NOW).page(MessageFilter(muted=mutes.muted()))
    assert [item.id for item in found.items] == [8, 7, 6, 5]
    assert found.muted == 4


def test_fatal_cannot_be_muted_by_any_way(mutes: MuteService, database: Database) -> None:
    with pytest.raises(InvalidInputError, match="FATAL is never muted"):
        mute(mutes, up_to=Severity.FATAL)
    mute(mutes, MLT, Severity.ERROR)
    store_all(database, [message(application="mlt", severity=Severity.FATAL)])
    assert not fits(mutes.muted(), MessageQueries(database, lambda: NOW).message(1))


def test_a_mute_ends_by_itself(mutes: MuteService, clock: Hands) -> None:
    mute(mutes)
    clock.now += HOUR - timedelta(seconds=1)
    assert len(mutes.active()) == 1
    clock.now += timedelta(seconds=1)
    assert (mutes.active(), mutes.muted()) == ((), NOTHING)


def test_who_has_heard_of_nothing_newer_is_told_what_was_read_before(
    mutes: MuteService, database: Database, clock: Hands
) -> None:
    assert mutes.muted(0) == NOTHING
    mute(mutes)
    assert mutes.muted(0) == NOTHING
    hidden = mutes.muted(1)
    assert hidden == mutes.muted() != NOTHING
    with noted(database) as statements:
        assert mutes.muted(1) == mutes.muted(0) == hidden
        clock.now += HOUR
        assert mutes.muted(1) == NOTHING
    assert statements == []


def test_pages_hear_that_a_mute_was_made_and_ended(mutes: MuteService, database: Database) -> None:
    assert revision(database) == 0
    mutes.end(OPERATOR, mute(mutes))
    assert revision(database) == 2


def test_a_mute_is_ended_once(mutes: MuteService) -> None:
    first, second = mute(mutes), mute(mutes, MLT)
    mutes.end(OPERATOR, first)
    assert [made.id for made in mutes.active()] == [second]
    for gone in (first, 99):
        with pytest.raises(NotFoundError, match="has ended already"):
            mutes.end(OPERATOR, gone)


def test_deeds_and_refusals_are_in_the_audit(mutes: MuteService, database: Database, clock: Hands) -> None:
    mutes.end(OPERATOR, mute(mutes))
    for refused in (lambda: mutes.end(VIEWER, 1), lambda: mutes.add(VIEWER, NOISE, Severity.INFO, HOUR, "x")):
        with pytest.raises(NotPermittedError, match="does not include"):
            refused()
    found = [
        (view.entry.kind, view.entry.action, view.entry.user_name) for view in AuditTrail(database, clock).newest()
    ]
    assert found == [
        (AuditKind.REFUSAL, "messages.mute", "vera"),
        (AuditKind.REFUSAL, "messages.unmute", "vera"),
        (AuditKind.OUTCOME, "messages.unmute", "olga"),
        (AuditKind.OUTCOME, "messages.mute", "olga"),
    ]
    first = AuditTrail(database, clock).newest()[-1].entry
    assert first.arguments == {"what": 'application=mlt and text~"late \\"again\\""', "up_to": "WARNING", "minutes": 60}
    assert (first.text, first.remote_address) == ("known, see the e-log", "10.0.0.7")


@pytest.mark.parametrize(
    ("what", "lasts", "reason", "said"),
    [
        (EVERYTHING, HOUR, "x", "nothing is said of them"),
        (NOTHING, HOUR, "x", "nothing is said of them"),
        (NOISE, HOUR, " \0", "needs a reason"),
        (NOISE, HOUR, "x" * 2_001, "longer than"),
        (NOISE, timedelta(0), "x", "7 days at most"),
        (NOISE, timedelta(days=7, seconds=1), "x", "7 days at most"),
        (Contains("x" * 2_000), HOUR, "x", "longer than"),
    ],
)
def test_what_no_mute_can_be_is_refused(
    mutes: MuteService, what: Expression, lasts: timedelta, reason: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        mutes.add(OPERATOR, what, Severity.INFO, lasts, reason)
    assert mutes.active() == ()


def test_there_are_only_so_many(mutes: MuteService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutes_module, "MOST", 2)
    last = [mute(mutes), mute(mutes)][-1]
    with pytest.raises(RefusedError, match="2 mutes already"):
        mute(mutes)
    mutes.end(OPERATOR, last)
    mute(mutes)


def test_a_text_that_no_database_takes_is_kept_as_messages_are(mutes: MuteService, database: Database) -> None:
    store_all(database, [message("a\N{SYMBOL FOR NULL}b")])
    mute(mutes, Contains("a\0b"))
    assert MessageQueries(database, lambda: NOW).page(MessageFilter(muted=mutes.muted())).muted == 1


# How much is hidden


def ago(minutes: int) -> int:
    return NOW_NS - minutes * 60 * 1_000_000_000


def test_what_would_be_hidden_is_counted_before(mutes: MuteService, database: Database) -> None:
    store_all(database, [message("late", application="mlt", time_ns=ago(minutes)) for minutes in (90, 59, 30, 1)])
    store_all(database, [message("late", application="df-01")], cluster_id="other")
    assert mutes.would_hide(MLT, Severity.INFO, HOUR) == Count(3)
    assert mutes.would_hide(MLT, Severity.DEBUG, HOUR) == Count(0)
    assert mutes.would_hide(Contains("LATE"), Severity.INFO, HOUR) == Count(4)


def test_counting_stops_early_and_says_so(
    mutes: MuteService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("late", application="mlt")] * 5)
    monkeypatch.setattr(counting_module, "MOST", 3)
    assert mutes.would_hide(MLT, Severity.INFO, HOUR) == Count(3, is_complete=False)
    monkeypatch.setattr(counting_module, "MOST", 5)
    assert mutes.would_hide(MLT, Severity.INFO, HOUR) == Count(5)
    monkeypatch.setattr(counting_module, "SCAN_IDS", 2)
    assert mutes.would_hide(MLT, Severity.INFO, HOUR) == Count(2, is_complete=False)


def test_counting_ends_when_its_time_is_up(
    mutes: MuteService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_all(database, [message("late", application="mlt"), message("early", application="df-01")])
    mute(mutes, Contains("early"))
    newest = mute(mutes, MLT)
    # One look at the clock at the beginning, one before each mute.
    times = iter([0.0, 0.0, counting_module.TIME_LIMIT_S])
    monkeypatch.setattr(counting_module, "monotonic", lambda: next(times))
    found = mutes.hiding()
    assert (found.of[0], found.count) == (newest, Count(1, is_complete=False))


def test_what_several_mutes_hide_is_counted_once_and_not_each_time(
    mutes: MuteService, database: Database, clock: Hands
) -> None:
    assert mutes.hiding() == Hiding()
    store_all(database, [message("late", application="mlt"), message("late"), message("x", time_ns=ago(16))])
    first = mute(mutes, MLT)
    assert mutes.hiding() == Hiding((first,), Count(1))
    second = mute(mutes, Contains("late"))
    assert mutes.hiding() == Hiding((second, first), Count(2))
    store_all(database, [message("late")], cluster_id="other")
    assert mutes.hiding().count == Count(2)
    clock.now += timedelta(seconds=mutes_module.KEEP_S)
    assert mutes.hiding().count == Count(3)
