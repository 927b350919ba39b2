"""The watch raises, repeats, clears and ends alarms from the tables of other areas, on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from models.audit import AuditRecord
from models.coordination import Worker
from models.database import Database
from models.messages import Incarnation, Message, MessageApplication, MessageSession, Topic
from models.run_control import Backend, DaqSession, Node, Process
from services.accounts.types import Identity, Role
from services.alarms.queries import AlarmQueries
from services.alarms.service import AlarmService
from services.alarms.types import AlarmKind, AlarmState, Guidance, Priority
from services.alarms.worker import AlarmWatch
from services.audit.trail import AuditTrail
from services.errors import InvalidInputError, NotFoundError, NotPermittedError
from services.messages.types import Severity
from services.revisions import LiveTopic, current

ALICE = Identity("alice", Role.OPERATOR, "127.0.0.1")
VIEWER = Identity("victor", Role.VIEWER)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Site:
    """What other areas would have written."""

    def __init__(self, database: Database, clock: Time) -> None:
        self._database = database
        self._clock = clock

    def session(self, name: str = "local") -> None:
        with self._database.write() as tx:
            tx.add(DaqSession(name=name, transitions=[], possible=[], present=True))

    def process(self, uuid: str, return_code: int | None, status: str = "DEAD", name: str = "df-01") -> None:
        with self._database.write() as tx:
            tx.merge(
                Process(
                    uuid=uuid,
                    name=name,
                    session="local",
                    user="alice",
                    hostname="np04-srv-021",
                    status_code=status,
                    return_code=return_code,
                    first_seen_at=self._clock(),
                    seen_at=self._clock(),
                )
            )

    def node(self, path: str, *, in_error: bool, included: bool = True) -> None:
        with self._database.write() as tx:
            name = path.rpartition("/")[2]
            tx.merge(
                Node(
                    session="local",
                    path=path,
                    name=name,
                    position=0,
                    depth=path.count("/"),
                    kind="controller",
                    in_error=in_error,
                    included=included,
                )
            )

    def backend(self, kind: str, *, reachable: bool, since: datetime) -> None:
        with self._database.write() as tx:
            address = "np04-srv-021:5500"
            tx.merge(Backend(kind=kind, address=address, reachable=reachable, since=since, tried_at=self._clock()))

    def worker(self, state: str, since: datetime) -> None:
        with self._database.write() as tx:
            now = self._clock()
            tx.merge(Worker(name="messages", collector="np04:12", state=state, since=since, reported_at=now))

    def messages(self, *severities: Severity, name: str = "appfwk::Fault", text: str = "it <b>broke") -> None:
        with self._database.write() as tx:
            if tx.get(Incarnation, 1) is None:
                tx.add(Incarnation(id=1, cluster_id="cluster", first_seen_at=self._clock()))
            for kind, value in ((MessageSession, "local"), (MessageApplication, "df-01"), (Topic, "erskafka")):
                if tx.query(kind).filter_by(name=value).first() is None:
                    tx.add(kind(name=value))
            tx.flush()
            offset = tx.query(Message).count()
            for number, severity in enumerate(severities):
                tx.add(
                    Message(
                        incarnation_id=1,
                        topic_id=1,
                        partition=0,
                        offset=offset + number,
                        time_ns=0,
                        received_ns=int(self._clock().timestamp() * 1e9),
                        kind=2,
                        severity=severity.value,
                        session_id=1,
                        application_id=1,
                        name=name,
                        text=text,
                    )
                )


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def site(database: Database, clock: Time) -> Site:
    found = Site(database, clock)
    found.session()
    return found


@pytest.fixture
def watch(database: Database, clock: Time) -> AlarmWatch:
    return AlarmWatch(database, clock)


@pytest.fixture
def queries(database: Database, clock: Time) -> AlarmQueries:
    return AlarmQueries(database, clock)


@pytest.fixture
def service(database: Database, clock: Time) -> AlarmService:
    return AlarmService(database, AuditTrail(database, clock), clock)


def test_a_dead_process_is_one_alarm_and_its_node_none_of_its_own(
    site: Site, watch: AlarmWatch, queries: AlarmQueries
) -> None:
    site.process("u-1", 137)
    site.process("u-2", 0, name="ended-well")
    site.process("u-3", None, name="nobody-knows")
    site.node("root/df-01", in_error=True)
    watch.turn()
    watch.turn()
    unknown, dead = queries.open()
    assert (dead.kind, dead.subject, dead.priority, dead.state) == (
        AlarmKind.PROCESS,
        "df-01",
        Priority.MEDIUM,
        AlarmState.ACTIVE,
    )
    assert "137" in dead.text
    assert "unknown" in unknown.text


def test_of_nodes_in_error_the_deepest_is_named_and_excluded_ones_are_not(
    site: Site, watch: AlarmWatch, queries: AlarmQueries
) -> None:
    site.node("root", in_error=True)
    site.node("root/df", in_error=True)
    site.node("root/df/df-02", in_error=True)
    site.node("root/ru", in_error=True, included=False)
    watch.turn()
    assert [alarm.subject for alarm in queries.open()] == ["df-02"]


def test_an_address_is_lost_after_more_than_one_missed_poll(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, clock: Time
) -> None:
    site.backend("kafka", reachable=False, since=clock())
    watch.turn()
    assert queries.open() == ()
    clock.forward(seconds=4)
    watch.turn()
    (lost,) = queries.open()
    assert (lost.priority, lost.subject) == (Priority.HIGH, "np04-srv-021:5500")


def test_workers_at_fault_and_collectors_that_fell_silent_raise_alarms(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, clock: Time
) -> None:
    site.worker("degraded", clock())
    clock.forward(seconds=4)
    watch.turn()
    assert "degraded" in queries.open()[0].text
    clock.forward(seconds=20)
    watch.turn()
    (alarm,) = queries.open()
    assert "not been heard of" in alarm.text


def test_an_alarm_ends_when_it_is_gone_and_acknowledged_in_either_order(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, service: AlarmService
) -> None:
    site.process("u-1", 1)
    site.process("u-2", 1)
    watch.turn()
    first, second = sorted(queries.open(), key=lambda alarm: alarm.id)
    assert service.acknowledge(ALICE, [first.id]) == 1
    assert service.acknowledge(ALICE, [first.id]) == 0
    for uuid in ("u-1", "u-2"):
        site.process(uuid, None, "RUNNING")
    watch.turn()
    (left,) = queries.open()
    assert (left.id, left.state) == (second.id, AlarmState.GONE)
    service.acknowledge(ALICE, [second.id])
    assert queries.open() == ()
    assert {alarm.acknowledged_by for alarm in queries.ended()} == {"alice"}


def test_what_comes_back_before_it_was_acknowledged_is_the_same_alarm(
    site: Site, watch: AlarmWatch, queries: AlarmQueries
) -> None:
    for code, status in ((1, "DEAD"), (None, "RUNNING"), (1, "DEAD")):
        site.process("u-1", code, status)
        watch.turn()
    (alarm,) = queries.open()
    assert (alarm.occurrences, alarm.state) == (2, AlarmState.ACTIVE)


def test_messages_raise_one_alarm_of_a_kind_and_history_none(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, service: AlarmService
) -> None:
    site.messages(Severity.FATAL)
    watch.turn()
    assert queries.open() == ()
    site.messages(Severity.ERROR, Severity.WARNING, Severity.ERROR)
    watch.turn()
    site.messages(Severity.FATAL)
    watch.turn()
    (alarm,) = queries.open()
    assert (alarm.occurrences, alarm.priority, alarm.message_id) == (3, Priority.HIGH, 5)
    assert alarm.text == "appfwk::Fault: it <b>broke"
    service.acknowledge(ALICE, [alarm.id])
    assert queries.open() == ()
    site.messages(Severity.ERROR)
    watch.turn()
    assert queries.counts().total == 1
    assert queries.open()[0].id != alarm.id


def test_a_quiet_turn_writes_nothing(site: Site, watch: AlarmWatch, database: Database) -> None:
    site.process("u-1", 1)
    watch.turn()
    with database.read() as tx:
        before = current(tx)[LiveTopic.ALARMS]
    watch.turn()
    with database.read() as tx:
        assert current(tx)[LiveTopic.ALARMS] == before


def test_of_two_collectors_one_watches(
    site: Site, watch: AlarmWatch, database: Database, clock: Time, queries: AlarmQueries
) -> None:
    standby = AlarmWatch(database, clock)
    watch.turn()
    site.process("u-1", 1)
    standby.turn()
    assert queries.open() == ()
    assert standby.health().details["holds_lease"] == "no"
    watch.turn()
    assert len(queries.open()) == 1


def test_a_shelved_alarm_is_not_counted_until_its_time_is_over(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, service: AlarmService, clock: Time
) -> None:
    site.process("u-1", 1)
    watch.turn()
    (alarm,) = queries.open()
    service.shelve(ALICE, [alarm.key], 15, "known, spare part ordered")
    counts = queries.counts()
    assert (counts.total, counts.shelved) == (0, 1)
    shelf = queries.open()[0].shelf
    assert shelf is not None
    assert (shelf.by, shelf.reason) == ("alice", "known, spare part ordered")
    clock.forward(minutes=16)
    watch.turn()
    assert queries.counts().total == 1
    service.shelve(ALICE, [alarm.key], 15, "again")
    assert service.unshelve(ALICE, [alarm.key]) == 1
    assert queries.counts().total == 1


def test_rates_count_alarms_by_ten_minutes(site: Site, watch: AlarmWatch, queries: AlarmQueries, clock: Time) -> None:
    site.process("u-1", 1)
    watch.turn()
    clock.forward(minutes=10)
    site.process("u-2", 1)
    site.process("u-3", 1)
    watch.turn()
    rates = queries.rates(hours=1)
    assert [rate.raised for rate in rates[-2:]] == [1, 2]
    assert len(rates) == 7
    assert sum(rate.raised for rate in rates) == 3


def test_guidance_of_the_subject_wins_over_the_kind_and_the_built_in(
    database: Database, queries: AlarmQueries, service: AlarmService
) -> None:
    assert "died" in queries.guidance(AlarmKind.PROCESS, "df-01").meaning
    service.write_guidance(ALICE, AlarmKind.PROCESS, "", Guidance("any process", "look", "on call"))
    service.write_guidance(ALICE, AlarmKind.PROCESS, "df-01", Guidance("this one", "restart", "dataflow"))
    assert queries.guidance(AlarmKind.PROCESS, "df-01").contact == "dataflow"
    assert queries.guidance(AlarmKind.PROCESS, "df-02").meaning == "any process"
    with database.read() as tx:
        assert tx.query(AuditRecord).filter_by(action="alarm.guidance").count() == 2


def test_who_may_not_is_refused_and_it_is_written_down(
    site: Site, watch: AlarmWatch, queries: AlarmQueries, service: AlarmService, database: Database
) -> None:
    site.process("u-1", 1)
    watch.turn()
    (alarm,) = queries.open()
    with pytest.raises(NotPermittedError):
        service.acknowledge(VIEWER, [alarm.id])
    with pytest.raises(NotPermittedError):
        service.shelve(VIEWER, [alarm.key], 15, "no")
    with pytest.raises(NotPermittedError):
        service.write_guidance(VIEWER, AlarmKind.PROCESS, "", Guidance("a", "b"))
    assert queries.counts().total == 1
    with database.read() as tx:
        assert tx.query(AuditRecord).filter_by(kind="refusal", user_name="victor").count() == 3


@pytest.mark.parametrize(("minutes", "reason"), [(0, "why"), (24 * 60 + 1, "why"), (15, " "), (15, "x" * 2_001)])
def test_wrong_shelving_is_refused(service: AlarmService, minutes: int, reason: str) -> None:
    with pytest.raises(InvalidInputError):
        service.shelve(ALICE, ["process:u-1"], minutes, reason)


def test_nothing_chosen_is_said(service: AlarmService) -> None:
    with pytest.raises(NotFoundError):
        service.acknowledge(ALICE, [])


def test_a_lost_database_is_told_and_mended(
    watch: AlarmWatch, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("services.alarms.worker.changes", gone)
        watch.turn()
        assert watch.health().state == "degraded"
        assert "the disk is full" in (watch.health().last_error or "")
    watch.turn()
    assert watch.health().state == "ok"
