"""What broadcasts make of the history: better times for what polls noted, and what no poll saw. On both engines."""

from datetime import datetime, timedelta

import pytest

from models.database import Database
from models.messages import Incarnation, Message, MessageApplication, MessageSession, Topic
from services.history import transitions
from services.history.broadcasts import Announcements, BroadcastReader
from services.history.queries import HistoryQueries
from services.history.record import Changes
from services.history.types import Aspect, Change, HistoryFilter, Source, Subject, TransitionOutcome, TransitionRun
from services.messages.types import Kind, Severity
from services.run_control.fsm import transition_of
from tests.db.services.run_control.rows import NOW, SESSION, SteppingClock, node_row, session_row

ROOT, SEGMENT = "root-controller", "df-controller"
PATH = f"{ROOT}/{SEGMENT}"
OPERATIONAL = "FSM_STATUS_UPDATE"
# As a controller of G1 announces a transition (contract 16.2).
CONF = (
    ("initial", "preparing-conf"),
    ("preparing-conf", "conf-ready"),
    ("conf-ready", "propagating-conf"),
    ("propagating-conf", "conf-propagated"),
    ("conf-propagated", "executing-conf"),
    ("executing-conf", "conf-terminated"),
    ("initial", "configured"),
    ("conf-terminated", "finalising-conf"),
    ("finalising-conf", "configured"),
)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Stage:
    """A session with two controllers, messages as the consumer stores them, and who reads them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        self.clock.advance(100)
        self.history = HistoryQueries(database)
        announcements = Announcements(int(Kind.CONTROLLER), int(Severity.INFO))
        self.reader = BroadcastReader(database, self.clock, announcements, transition_of)
        self.sent = 0
        with database.write() as tx:
            tx.add_all([session_row(state="initial"), node_row(ROOT, 0), node_row(PATH, 1)])
            tx.add_all([Incarnation(id=1, cluster_id="c", first_seen_at=NOW), Topic(id=1, name="control.s.n")])
            tx.add_all([MessageSession(id=1, name=SESSION), MessageSession(id=2, name="other")])
            tx.add_all([MessageApplication(id=1, name=ROOT), MessageApplication(id=2, name=SEGMENT)])

    def send(
        self, seconds: float, text: str, node: str = ROOT, *, name: str = OPERATIONAL, session: int = 1, kind: int = 0
    ) -> None:
        """Store a broadcast."""
        self.sent += 1
        row = Message(
            incarnation_id=1, topic_id=1, partition=0, offset=self.sent,
            time_ns=int(at(seconds).timestamp() * 1_000_000) * 1000, received_ns=0, kind=kind, severity=2,
            session_id=session, application_id=1 if node == ROOT else 2, name=name, text=text, detail=None,
        )  # fmt: skip
        with self.database.write() as tx:
            tx.add(row)

    def announce_conf(self, node: str, begin: float, end: float) -> None:
        for number, (before, to) in enumerate(CONF):
            seconds = begin + (end - begin) * number / (len(CONF) - 1)
            self.send(seconds, f"Changing operational_state from {before} to {to}", node)

    def poll_notes(self, seconds: float, aspect: Aspect, old: str | bool | None, new: str | bool | None) -> None:
        changes = Changes(at(seconds))
        changes.note(Subject.NODE, ROOT, aspect, old=old, new=new, session=SESSION, since=at(seconds - 1))
        with self.database.write() as tx:
            changes.write(tx)

    def changes(self, *aspects: Aspect) -> list[Change]:
        wanted = HistoryFilter(aspects=frozenset(aspects))
        return list(reversed(self.history.changes(wanted).changes))

    def runs(self) -> tuple[TransitionRun, ...]:
        return self.history.transitions(SESSION)


@pytest.fixture
def stage(database: Database) -> Stage:
    made = Stage(database)
    made.send(-5, "Changing operational_state from running to ready")
    assert made.reader.turn() == 0
    return made


def test_it_begins_with_what_comes_next_and_reads_everything_once(stage: Stage) -> None:
    assert stage.reader.turn() == 0
    stage.send(1, "Changing operational_state from initial to configured")
    assert stage.reader.turn() == 1
    assert stage.reader.turn() == 0
    assert len(stage.changes()) == 1


def test_a_poll_that_noted_it_gets_the_better_time(stage: Stage) -> None:
    stage.poll_notes(3, Aspect.STATE, "initial", "configured")
    (noted,) = stage.changes()
    stage.send(1.25, "Changing operational_state from initial to configured")
    stage.reader.turn()
    (change,) = stage.changes()
    assert (change.id, change.at, change.noted_at, change.source) == (noted.id, at(1.25), at(3), Source.BROADCAST)
    assert (change.old, change.new) == ("initial", "configured")


def test_a_poll_does_not_repeat_what_a_broadcast_told(stage: Stage) -> None:
    stage.send(1, "Changing operational_state from initial to configured")
    stage.reader.turn()
    stage.poll_notes(1.5, Aspect.STATE, "initial", "configured")
    (change,) = stage.changes()
    assert (change.name, change.at, change.source) == (ROOT, at(1), Source.BROADCAST)
    # Back and forth again without any broadcast.
    stage.poll_notes(60, Aspect.STATE, "configured", "initial")
    stage.poll_notes(120, Aspect.STATE, "initial", "configured")
    assert [found.source for found in stage.changes()] == [Source.BROADCAST, Source.POLL, Source.POLL]


def test_a_poll_that_saw_something_else_is_believed(stage: Stage) -> None:
    stage.send(1, "Changing operational_state from initial to configured")
    stage.reader.turn()
    stage.poll_notes(1.5, Aspect.STATE, "initial", "ready")
    assert [change.new for change in stage.changes()] == ["configured", "ready"]


def test_sub_states_are_told_in_full(stage: Stage) -> None:
    stage.announce_conf(SEGMENT, 1, 9)
    stage.reader.turn()
    told = [(change.aspect, change.old, change.new) for change in stage.changes()]
    assert told[0] == (Aspect.SUB_STATE, None, "preparing-conf")
    assert told[6] == (Aspect.STATE, "initial", "configured")
    assert told[8] == (Aspect.SUB_STATE, "finalising-conf", None)
    assert {change.name for change in stage.changes()} == {PATH}


@pytest.mark.parametrize(
    ("text", "aspect", "old", "new"),
    [
        ("Changing error_state from False to True", Aspect.IN_ERROR, False, True),
        ("Changing inclusion_state from True to False", Aspect.INCLUDED, True, False),
    ],
)
def test_errors_and_inclusion(stage: Stage, text: str, aspect: Aspect, old: bool, new: bool) -> None:
    stage.send(1, text, SEGMENT, name="STATUS_UPDATE")
    stage.reader.turn()
    (change,) = stage.changes()
    assert (change.name, change.aspect, change.old, change.new) == (PATH, aspect, old, new)


def test_what_is_not_understood_is_left_alone(stage: Stage) -> None:
    stage.send(1, "ready", name="SERVER_READY")
    stage.send(1, "Changing operational_state from initial to configured", kind=int(Kind.ERS))
    stage.send(1, "Changing error_state from 0 to 1", name="STATUS_UPDATE")
    stage.send(1, "Changing lanes from left to right")
    stage.send(1, "Changing operational_state from initial to configured", session=2)
    stage.reader.turn()
    assert stage.changes() == []


def test_each_controllers_own_times_on_the_board(stage: Stage) -> None:
    with stage.database.write() as tx:
        transitions.begin(tx, SESSION, "conf", at=at(0), state="initial", source=Source.COMMAND, command_id=None)
    stage.announce_conf(ROOT, 0.5, 9)
    stage.announce_conf(SEGMENT, 2, 7)
    stage.reader.turn()
    (run,) = stage.runs()
    assert {node.path: (node.began_at, node.ended_at) for node in run.nodes} == {
        ROOT: (at(0.5), at(9)),
        PATH: (at(2), at(7)),
    }
    assert {node.source for node in run.nodes} == {Source.BROADCAST}


def test_a_transition_that_only_broadcasts_told_of(stage: Stage) -> None:
    stage.announce_conf(ROOT, 1, 9)
    stage.reader.turn()
    (run,) = stage.runs()
    assert (run.transition, run.began_at, run.source, run.state_before) == ("conf", at(1), Source.BROADCAST, "initial")
    assert run.outcome is TransitionOutcome.RUNNING
    with stage.database.write() as tx:
        opened = transitions.open_run(tx, SESSION)
        assert opened is not None
        transitions.end(tx, opened, at=at(10), outcome=TransitionOutcome.SUCCEEDED, state="configured")
    (run,) = stage.runs()
    # The poll said how it ended, the root when.
    assert (run.outcome, run.ended_at) == (TransitionOutcome.SUCCEEDED, at(9))


def test_a_transition_that_the_poll_noticed_gets_the_roots_times(stage: Stage) -> None:
    with stage.database.write() as tx:
        run = transitions.begin(tx, SESSION, "conf", at=at(0), state="initial", source=Source.POLL)
        transitions.end(tx, run, at=at(10), outcome=TransitionOutcome.SUCCEEDED, state="configured")
    stage.announce_conf(ROOT, 3, 8)
    stage.reader.turn()
    (found,) = stage.runs()
    assert (found.began_at, found.ended_at) == (at(3), at(8))


def test_a_segments_broadcast_begins_no_transition_of_the_session(stage: Stage) -> None:
    stage.announce_conf(SEGMENT, 1, 9)
    stage.reader.turn()
    assert stage.runs() == ()


def test_two_readers_take_everything_in_once(stage: Stage) -> None:
    announcements = Announcements(int(Kind.CONTROLLER), int(Severity.INFO))
    other = BroadcastReader(stage.database, stage.clock, announcements, transition_of)
    stage.send(1, "Changing operational_state from initial to configured")
    with stage.database.read() as tx:
        batch = other._batch(tx, 1)
    assert stage.reader.turn() == 1
    # The other had read the same and comes too late.
    other._take_in(1, batch)
    assert len(stage.changes()) == 1
