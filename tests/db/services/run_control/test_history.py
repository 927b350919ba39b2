"""What polls and commands leave in the history, in the transaction that writes the present state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from models.database import Database
from services.coordination import LeaseLostError
from services.history.queries import HistoryQueries
from services.history.types import (
    Aspect,
    Change,
    HistoryFilter,
    Source,
    Subject,
    TransitionOutcome,
    TransitionRun,
    Value,
)
from services.run_control.adapter import NodeStatus
from services.run_control.node_types import Node
from services.run_control.process_types import ProcessStatus
from services.run_control.readings import Origin, SessionReading
from services.run_control.session_types import Configuration, RunInfo, SessionSource
from tests.db.services.run_control.rows import SESSION
from tests.db.services.run_control.test_store import IDLE, NODE, PM, PROCESS, READING, ROOT, Shelf

KNOWN = Origin(frozenset({SessionSource.PROCESS_MANAGER}))
Told = tuple[Subject, str, Aspect, Value, Value]


class Memory(Shelf):
    """A store on duty, and what it remembers."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.history = HistoryQueries(database)
        self.save(READING)
        self.list(PROCESS)

    def changes(self, session: str | None = None) -> list[Change]:
        return list(reversed(self.history.changes(HistoryFilter(session=session)).changes))

    def told(self, work: Callable[[], object]) -> list[Told]:
        """Return what some work adds to the history, oldest first."""
        before = {change.id for change in self.changes()}
        work()
        new = [change for change in self.changes() if change.id not in before]
        assert all(change.at == change.noted_at == self.clock.now for change in new)
        return [(change.subject, change.name, change.aspect, change.old, change.new) for change in new]

    def runs(self) -> tuple[TransitionRun, ...]:
        return self.history.transitions(SESSION)


@pytest.fixture
def memory(database: Database) -> Memory:
    return Memory(database)


def reading(status: NodeStatus = IDLE, *others: Node, **root: object) -> SessionReading:
    node = replace(
        NODE, state=status.state, sub_state=status.sub_state, in_error=status.in_error, included=status.included
    )
    return replace(READING, root=replace(ROOT, status=status, **root), nodes=(node, *others))  # type: ignore[arg-type]


def idle(state: str, **more: object) -> NodeStatus:
    return replace(IDLE, state=state, sub_state=state, **more)  # type: ignore[arg-type]


def test_the_first_poll_tells_what_appeared(memory: Memory) -> None:
    told = [(change.subject, change.aspect, change.new) for change in memory.changes(SESSION)]
    assert told == [
        (Subject.SESSION, Aspect.APPEARED, None),
        (Subject.SESSION, Aspect.HOLDER, "alice"),
        (Subject.NODE, Aspect.APPEARED, "configured"),
        (Subject.PROCESS, Aspect.APPEARED, "RUNNING"),
    ]


def test_nothing_new_leaves_nothing(memory: Memory) -> None:
    assert memory.told(lambda: memory.save(READING)) == []
    assert memory.told(lambda: memory.list(PROCESS)) == []
    assert memory.told(lambda: memory.note(PM)) == []
    assert memory.runs() == ()


def test_a_node_from_state_to_state(memory: Memory) -> None:
    failed = replace(idle("ready", in_error=True, included=False), sub_state="finalising-start")
    assert memory.told(lambda: memory.save(reading(failed))) == [
        (Subject.NODE, "root-controller", Aspect.STATE, "configured", "ready"),
        (Subject.NODE, "root-controller", Aspect.SUB_STATE, None, "finalising-start"),
        (Subject.NODE, "root-controller", Aspect.IN_ERROR, False, True),
        (Subject.NODE, "root-controller", Aspect.INCLUDED, True, False),
    ]


def test_nodes_that_come_and_go(memory: Memory) -> None:
    other = replace(NODE, path="root-controller/df-01", name="df-01", depth=1)
    assert memory.told(lambda: memory.save(reading(IDLE, other))) == [
        (Subject.NODE, "root-controller/df-01", Aspect.APPEARED, None, "configured")
    ]
    # One that was not heard of has not changed.
    silent = replace(other, state=None, in_error=None, included=None, seen_at=None)
    assert memory.told(lambda: memory.save(reading(IDLE, silent))) == []
    assert memory.told(lambda: memory.save(READING)) == [
        (Subject.NODE, "root-controller/df-01", Aspect.VANISHED, "configured", None)
    ]


def test_holder_and_run(memory: Memory) -> None:
    run = RunInfo(77, "TEST", 2.5, storage_disabled=False)
    ready = replace(idle("ready"), run=run)
    told = memory.told(lambda: memory.save(reading(ready, holder="bob")))
    assert (Subject.SESSION, SESSION, Aspect.HOLDER, "alice", "bob") in told
    assert [entry for entry in told if entry[0] is Subject.RUN] == [
        (Subject.RUN, SESSION, Aspect.RUN_NUMBER, None, 77),
        (Subject.RUN, SESSION, Aspect.RUN_TYPE, None, "TEST"),
        (Subject.RUN, SESSION, Aspect.TRIGGER_RATE, None, 2.5),
        (Subject.RUN, SESSION, Aspect.STORAGE_DISABLED, None, False),
    ]
    over = memory.told(lambda: memory.save(reading(idle("configured"), holder="bob")))
    assert (Subject.RUN, SESSION, Aspect.RUN_NUMBER, 77, None) in over


def test_a_process_from_boot_to_its_end(memory: Memory) -> None:
    dead = replace(PROCESS, status=ProcessStatus.DEAD, return_code=139)
    assert memory.told(lambda: memory.list(dead)) == [(Subject.PROCESS, "df-01", Aspect.DIED, None, 139)]
    assert memory.told(lambda: memory.list(PROCESS)) == [(Subject.PROCESS, "df-01", Aspect.RESTARTED, 139, None)]
    assert memory.told(memory.list) == [
        (Subject.PROCESS, "df-01", Aspect.HOST, "localhost", None),
        (Subject.PROCESS, "df-01", Aspect.VANISHED, "RUNNING", None),
    ]
    assert memory.told(lambda: memory.list(replace(dead, uuid="u-2"))) == [
        (Subject.PROCESS, "df-01", Aspect.APPEARED, None, "DEAD"),
        (Subject.PROCESS, "df-01", Aspect.DIED, None, 139),
    ]
    assert {change.uuid for change in memory.changes() if change.subject is Subject.PROCESS} == {"u-1", "u-2"}


def test_a_process_that_moves_under_its_uuid(memory: Memory) -> None:
    moved = replace(PROCESS, hostname="np04-srv-030")
    assert memory.told(lambda: memory.list(moved)) == [
        (Subject.PROCESS, "df-01", Aspect.HOST, "localhost", "np04-srv-030")
    ]


def test_who_owns_a_session_and_what_it_was_booted_from(memory: Memory) -> None:
    told_by = Origin(frozenset({SessionSource.SESSION_MANAGER}), "ann", Configuration("f.xml", "c"))
    assert memory.told(lambda: memory.save(replace(READING, origin=told_by))) == [
        (Subject.SESSION, SESSION, Aspect.OWNER, None, "ann"),
        (Subject.SESSION, SESSION, Aspect.CONFIGURATION, None, "c"),
        (Subject.SESSION, SESSION, Aspect.CONFIGURATION_FILE, None, "f.xml"),
    ]
    # Who tells nothing takes nothing back.
    assert memory.told(lambda: memory.save(replace(READING, origin=KNOWN))) == []


def test_a_backend_that_is_lost_and_back(memory: Memory) -> None:
    name = "process_manager h:10054"
    lost = replace(PM, reachable=False, error="gone")
    assert memory.told(lambda: memory.note(lost)) == [(Subject.BACKEND, name, Aspect.REACHABLE, True, False)]
    assert memory.told(lambda: memory.note(lost)) == []
    # One that is busy is neither.
    assert memory.told(lambda: memory.note(replace(PM, reachable=None))) == []
    assert memory.told(lambda: memory.note(PM)) == [(Subject.BACKEND, name, Aspect.REACHABLE, False, True)]


def test_a_session_that_vanishes_and_comes_back(memory: Memory) -> None:
    gone = replace(READING, root=None, nodes=(), gone=True)
    assert memory.told(lambda: memory.save(gone)) == [(Subject.SESSION, SESSION, Aspect.VANISHED, "configured", None)]
    assert memory.told(lambda: memory.save(gone)) == []
    (vanished,) = memory.queries.vanished_sessions()
    assert (vanished.name, vanished.state, vanished.sources) == (SESSION, "configured", frozenset())
    back = memory.told(lambda: memory.save(replace(READING, origin=KNOWN)))
    assert (Subject.SESSION, SESSION, Aspect.APPEARED, None, None) in back
    assert memory.queries.vanished_sessions() == ()
    assert memory.queries.session(SESSION).sources == KNOWN.sources


def test_a_transition_that_was_seen_on_its_way(memory: Memory) -> None:
    memory.save(reading(replace(IDLE, sub_state="preparing-start")))
    (run,) = memory.runs()
    begun = memory.clock.now
    assert (run.transition, run.outcome, run.began_at) == ("start", TransitionOutcome.RUNNING, begun)
    memory.save(reading(replace(IDLE, sub_state="propagating-start")))
    memory.save(reading(idle("ready")))
    (run,) = memory.runs()
    assert (run.outcome, run.state_before, run.state_after) == (TransitionOutcome.SUCCEEDED, "configured", "ready")
    assert (run.duration, run.source) == (timedelta(seconds=2), Source.POLL)
    (node,) = run.nodes
    assert (node.path, node.outcome, node.ended_at) == (
        "root-controller", TransitionOutcome.SUCCEEDED, memory.clock.now,
    )  # fmt: skip


def test_a_transition_between_two_polls(memory: Memory) -> None:
    other = replace(NODE, path="root-controller/df-01", name="df-01", depth=1)
    memory.save(reading(IDLE, other))
    known = memory.clock.now
    memory.save(reading(idle("ready"), replace(other, state="ready", in_error=True)))
    (run,) = memory.runs()
    assert (run.transition, run.began_at, run.ended_at) == ("start", known, memory.clock.now)
    assert [(node.path, node.outcome) for node in run.nodes] == [
        ("root-controller", TransitionOutcome.SUCCEEDED),
        ("root-controller/df-01", TransitionOutcome.FAILED),
    ]


@pytest.mark.parametrize(
    ("state", "in_error", "transition", "outcome"),
    [
        ("ready", True, "start", TransitionOutcome.FAILED),
        ("running", False, None, TransitionOutcome.SUCCEEDED),
        ("initial", False, "scrap", TransitionOutcome.SUCCEEDED),
    ],
)
def test_what_a_change_of_state_means(
    memory: Memory, state: str, in_error: bool, transition: str | None, outcome: TransitionOutcome
) -> None:
    memory.save(reading(idle(state, in_error=in_error)))
    (run,) = memory.runs()
    assert (run.transition, run.outcome) == (transition, outcome)


def test_a_transition_that_led_nowhere_has_failed(memory: Memory) -> None:
    memory.save(reading(replace(IDLE, sub_state="preparing-start")))
    memory.save(reading(IDLE))
    assert [(run.transition, run.outcome) for run in memory.runs()] == [("start", TransitionOutcome.FAILED)]


def test_a_loop_leads_back(memory: Memory) -> None:
    memory.save(reading(idle("ready")))
    memory.save(reading(replace(idle("ready"), sub_state="propagating-change_rate")))
    memory.save(reading(idle("ready")))
    assert (memory.runs()[0].transition, memory.runs()[0].outcome) == ("change_rate", TransitionOutcome.SUCCEEDED)


@pytest.mark.parametrize("status", [idle("initial"), idle("initialising")])
def test_a_reboot_is_no_transition(memory: Memory, status: NodeStatus) -> None:
    memory.save(reading(status, address="127.0.0.1:1"))
    assert memory.runs() == ()


def test_who_lost_the_lease_writes_no_history(memory: Memory) -> None:
    stale = replace(memory.fence, number=memory.fence.number - 1)
    before = memory.changes()
    with pytest.raises(LeaseLostError):
        memory.store.save_processes(stale, (), PM)
    assert memory.changes() == before
