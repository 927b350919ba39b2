"""What polls write, and when a page is told, on both engines."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from models.coordination import Lease
from models.database import Database
from services.coordination import Fence, LeaseLostError, Leases
from services.history.record import Changes
from services.revisions import LiveTopic, OvertakenError, bump, current
from services.run_control.adapter import NodeStatus
from services.run_control.backend_types import BackendKind
from services.run_control.node_types import Node, NodeKind
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.queries import RunControlQueries
from services.run_control.readings import BackendReading, RootReading, SessionReading
from services.run_control.saving_processes import save_asked_processes
from services.run_control.store import RunControlStore
from tests.db.services.run_control.rows import ADDRESS, NOW, SESSION, TRANSITIONS, SteppingClock, session_row

IDLE = NodeStatus("root-controller", "configured", "configured", in_error=False, included=True)
ROOT = RootReading("root-controller", ADDRESS, "G1", IDLE, "alice", TRANSITIONS, ("start",))
NODE = Node(
    "root-controller",
    "root-controller",
    NodeKind.CONTROLLER,
    0,
    state="configured",
    sub_state="configured",
    in_error=False,
    included=True,
    seen_at=NOW,
)
READING = SessionReading(SESSION, NOW, root=ROOT, nodes=(NODE,))
PM = BackendReading(BackendKind.PROCESS_MANAGER, "h:10054", NOW, reachable=True, generation="G1", latency_ms=3.0)
PROCESS = Process("u-1", "df-01", SESSION, "dunedaq", "localhost", ProcessStatus.RUNNING, tree_id="1.2.3")


class Shelf:
    """A store on duty."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        leases = Leases(database)
        self.store = RunControlStore(database, leases, self.clock)
        self.queries = RunControlQueries(database, self.clock)
        fence = leases.acquire("run_control", "me", timedelta(seconds=60))
        assert fence is not None
        self.fence: Fence = fence

    def save(self, reading: SessionReading) -> set[LiveTopic]:
        return self._bumped(lambda: self.store.save_session(self.fence, replace(reading, at=self.clock.now)))

    def list(self, *processes: Process) -> set[LiveTopic]:
        return self._bumped(lambda: self.store.save_processes(self.fence, processes, replace(PM, at=self.clock.now)))

    def note(self, backend: BackendReading) -> set[LiveTopic]:
        return self._bumped(lambda: self.store.save_backend(self.fence, replace(backend, at=self.clock.now)))

    def _bumped(self, work: Callable[[], bool]) -> set[LiveTopic]:
        before = self._revisions()
        self.clock.advance(1)
        changed = work()
        bumped = {topic for topic, value in self._revisions().items() if value != before[topic]}
        assert changed == bool(bumped)
        return bumped

    def _revisions(self) -> dict[LiveTopic, int]:
        with self.database.read() as tx:
            return dict(current(tx))


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


def test_the_first_reading_tells_everybody(shelf: Shelf) -> None:
    assert shelf.save(READING) == {LiveTopic.SESSIONS, LiveTopic.TREE}
    session = shelf.queries.session(SESSION)
    assert (session.state, session.holder, session.possible) == ("configured", "alice", ("start",))
    assert session.polled_at == session.state_since == session.holder_since == shelf.clock.now
    assert shelf.store.present_sessions() == (SESSION,)


def test_the_same_again_tells_nobody_but_grows_no_older(shelf: Shelf) -> None:
    shelf.save(READING)
    since = shelf.queries.session(SESSION).state_since
    assert shelf.save(replace(READING, nodes=(replace(NODE, seen_at=NOW + timedelta(seconds=9)),))) == set()
    session = shelf.queries.session(SESSION)
    assert (session.polled_at, session.state_since) == (shelf.clock.now, since)
    assert shelf.queries.tree(SESSION)[0].seen_at == shelf.clock.now


def test_a_new_holder_tells_the_sessions_only(shelf: Shelf) -> None:
    shelf.save(READING)
    assert shelf.save(replace(READING, root=replace(ROOT, holder="bob"))) == {LiveTopic.SESSIONS}
    session = shelf.queries.session(SESSION)
    assert (session.holder, session.holder_since) == ("bob", shelf.clock.now)


def test_a_nodes_error_tells_tree_and_counts(shelf: Shelf) -> None:
    shelf.save(READING)
    assert shelf.save(replace(READING, nodes=(replace(NODE, in_error=True),))) == {
        LiveTopic.SESSIONS,
        LiveTopic.TREE,
    }
    assert shelf.queries.session(SESSION).nodes_in_error == 1


def test_a_node_not_heard_of_keeps_its_state_and_age(shelf: Shelf) -> None:
    shelf.save(READING)
    seen = shelf.queries.tree(SESSION)[0].seen_at
    shelf.save(replace(READING, nodes=(replace(NODE, state=None, seen_at=None),)))
    (node,) = shelf.queries.tree(SESSION)
    assert (node.state, node.seen_at) == ("configured", seen)


def test_a_part_that_changes_hands_says_since_when(shelf: Shelf) -> None:
    part = replace(NODE, path="root-controller/df", name="df", depth=1, holder="alice", detector="conn apa1")
    shelf.save(replace(READING, nodes=(NODE, part)))
    began = shelf.clock.now
    assert shelf.save(replace(READING, nodes=(NODE, part))) == set()
    root, kept = shelf.queries.tree(SESSION)
    assert (root.holder, root.holder_since) == (None, None)
    assert (kept.holder, kept.holder_since, kept.detector) == ("alice", began, "conn apa1")
    shelf.save(replace(READING, nodes=(NODE, replace(part, holder="mallory"))))
    taken = shelf.queries.tree(SESSION)[1]
    assert (taken.holder, taken.holder_since) == ("mallory", shelf.clock.now)


def test_nodes_that_vanish_are_removed(shelf: Shelf) -> None:
    shelf.save(replace(READING, nodes=(NODE, replace(NODE, path="root-controller/x", name="x", depth=1))))
    assert shelf.save(READING) == {LiveTopic.SESSIONS, LiveTopic.TREE}
    assert [node.name for node in shelf.queries.tree(SESSION)] == ["root-controller"]


def test_an_error_keeps_the_last_state(shelf: Shelf) -> None:
    shelf.save(READING)
    before = shelf.queries.session(SESSION)
    lost = SessionReading(SESSION, NOW, error="h:1 does not answer.")
    assert shelf.save(lost) == {LiveTopic.SESSIONS}
    since = shelf.clock.now
    assert shelf.save(lost) == set()
    session = shelf.queries.session(SESSION)
    assert (session.error, session.error_since) == ("h:1 does not answer.", since)
    assert (session.state, session.polled_at, session.nodes_total) == ("configured", before.polled_at, 1)
    shelf.save(READING)
    assert shelf.queries.session(SESSION).error_since is None


def test_a_session_that_is_gone(shelf: Shelf) -> None:
    shelf.save(READING)
    shelf.save(SessionReading(SESSION, NOW, error="not booted", gone=True))
    assert shelf.queries.sessions() == ()
    assert shelf.queries.tree(SESSION) == ()
    assert shelf.save(READING) == {LiveTopic.SESSIONS, LiveTopic.TREE}
    assert shelf.queries.session(SESSION).name == SESSION


def test_what_was_read_before_a_command_ended_is_not_written(shelf: Shelf, database: Database) -> None:
    with database.write() as tx:
        tx.add(session_row(state="ready", polled_at=NOW + timedelta(seconds=10)))
    assert shelf.save(READING) == set()
    assert shelf.queries.session(SESSION).state == "ready"


@pytest.mark.parametrize(("state", "number"), [("ready", 5), ("configured", None), ("initial", None)])
def test_a_run_ends_with_its_state(shelf: Shelf, database: Database, state: str, number: int | None) -> None:
    with database.write() as tx:
        tx.add(session_row(state="running", run_number=5, run_started_at=NOW))
    shelf.save(replace(READING, root=replace(ROOT, status=replace(IDLE, state=state))))
    assert shelf.queries.session(SESSION).run.number == number


def test_a_session_booted_anew_has_no_known_run(shelf: Shelf, database: Database) -> None:
    with database.write() as tx:
        tx.add(session_row(state="running", run_number=5, run_started_at=NOW))
    running = replace(ROOT, status=replace(IDLE, state="running"), address="127.0.0.1:1")
    shelf.save(replace(READING, root=running))
    assert shelf.queries.session(SESSION).run.number is None


def test_processes_come_die_rise_and_go(shelf: Shelf) -> None:
    everything = {LiveTopic.PROCESSES, LiveTopic.SESSIONS}
    assert shelf.list(PROCESS) == everything | {LiveTopic.BACKENDS}
    first_seen = shelf.clock.now
    assert shelf.list(PROCESS) == set()
    dead = replace(PROCESS, status=ProcessStatus.DEAD, return_code=-9)
    assert shelf.list(dead) == everything
    died = shelf.clock.now
    assert shelf.list(dead) == set()
    (found,) = shelf.queries.processes()
    assert (found.status, found.return_code, found.ended_at) == (ProcessStatus.DEAD, -9, died)
    assert found.first_seen_at == first_seen
    # A restart keeps the UUID.
    shelf.list(PROCESS)
    assert shelf.queries.processes()[0].ended_at is None
    assert shelf.list() == everything
    assert shelf.queries.processes() == ()


def test_backends_tell_when_they_go_and_come(shelf: Shelf) -> None:
    assert shelf.note(PM) == {LiveTopic.BACKENDS}
    up_since = shelf.clock.now
    assert shelf.note(replace(PM, latency_ms=4.0)) == set()
    assert shelf.note(replace(PM, reachable=None, error="busy")) == {LiveTopic.BACKENDS}
    (backend,) = shelf.queries.backends()
    assert (backend.reachable, backend.since, backend.error) == (True, up_since, "busy")
    answered = backend.answered_at
    assert shelf.note(replace(PM, reachable=False, error="h:10054 is gone")) == {LiveTopic.BACKENDS}
    (backend,) = shelf.queries.backends()
    assert (backend.reachable, backend.since, backend.answered_at) == (False, shelf.clock.now, answered)
    assert backend.tried_at == shelf.clock.now
    assert shelf.note(PM) == {LiveTopic.BACKENDS}
    (backend,) = shelf.queries.backends()
    # The last error stays, with its time.
    assert (backend.reachable, backend.error) == (True, "h:10054 is gone")


def test_old_controllers_are_forgotten_services_are_not(shelf: Shelf) -> None:
    shelf.note(PM)
    shelf.note(BackendReading(BackendKind.CONTROLLER, ADDRESS, NOW, reachable=False, error="gone"))
    shelf.store.remove_controllers(shelf.fence, shelf.clock.now + timedelta(seconds=1))
    assert [backend.kind for backend in shelf.queries.backends()] == [BackendKind.PROCESS_MANAGER]


@pytest.mark.parametrize(
    "after",
    [
        replace(READING, root=replace(ROOT, address="127.0.0.1:1")),
        SessionReading(SESSION, NOW, error="not booted", gone=True),
    ],
    ids=["booted anew", "gone"],
)
def test_a_controller_that_is_no_more_is_not_missed(shelf: Shelf, after: SessionReading) -> None:
    below = replace(NODE, path="root-controller/df-controller", name="df-controller", endpoint="grpc://127.0.0.1:7")
    silent = tuple(
        BackendReading(BackendKind.CONTROLLER, address, NOW, reachable=False, error="gone")
        for address in (ADDRESS, "127.0.0.1:7")
    )
    shelf.save(replace(READING, nodes=(NODE, below), backends=silent))
    shelf.save(replace(READING, root=None, error="does not answer", backends=silent))
    assert {backend.address for backend in shelf.queries.backends()} == {ADDRESS, "127.0.0.1:7"}
    assert LiveTopic.BACKENDS in shelf.save(replace(after, backends=silent))
    assert shelf.queries.backends() == ()


def test_a_list_of_before_a_command_is_not_written(shelf: Shelf) -> None:
    """The command has told what it did to its processes; until they are listed again nobody must see them go."""
    other = replace(PROCESS, uuid="u-2", name="df-02")
    since = shelf.store.revision_of_processes()
    assert shelf.store.save_processes(shelf.fence, (PROCESS,), PM, since)
    since = shelf.store.revision_of_processes()
    with shelf.database.write() as tx:
        changes = Changes(NOW)
        save_asked_processes(tx, [], [other], changes)
        bump(tx, NOW, LiveTopic.PROCESSES)
    with pytest.raises(OvertakenError):
        shelf.store.save_processes(shelf.fence, (PROCESS,), replace(PM, reachable=False), since)
    assert {process.name for process in shelf.queries.processes()} == {"df-01", "df-02"}
    assert [backend.reachable for backend in shelf.queries.backends()] == [True]
    assert shelf.store.save_processes(shelf.fence, (PROCESS,), PM, since + 1)
    assert {process.name for process in shelf.queries.processes()} == {"df-01"}


def test_nothing_is_written_under_an_old_fence(shelf: Shelf) -> None:
    with shelf.database.write() as tx:
        row = tx.get(Lease, "run_control")
        assert row is not None
        row.holder, row.fence = "another", 2
    with pytest.raises(LeaseLostError):
        shelf.store.save_session(shelf.fence, READING)
    with pytest.raises(LeaseLostError):
        shelf.store.save_processes(shelf.fence, (PROCESS,), PM)
    assert shelf.queries.sessions() == ()
    assert shelf.queries.processes() == ()
