"""What the history keeps of a real installation, in every generation, and with the broadcasts of G1."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from models.database import Database
from services.clock import utc_now
from services.history.broadcasts import Announcements, BroadcastReader
from services.history.keeper import HistoryKeeper
from services.history.queries import HistoryQueries
from services.history.types import Aspect, Change, HistoryFilter, Source, Subject, TransitionOutcome, TransitionRun
from services.messages.consumer import ConsumerConfig, MessageConsumer
from services.messages.types import Kind, Severity
from services.run_control.channels import Channels
from services.run_control.command_types import CommandState
from services.run_control.detection import DetectingAdapters
from services.run_control.fsm import transition_of
from services.run_control.support import Deadlines
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION, Console, config_for, running_console
from tests.kafka import running_broker
from tests.waiting import wait_until

YEAR_S = 365 * 24 * 3600


@pytest.fixture(params=["G1", "G2", "G3"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    simulated = Installation(
        sessions=(SESSION,), generations={SESSION: request.param}, process_manager_generation=request.param
    )
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def history(database: Database) -> HistoryQueries:
    return HistoryQueries(database)


def changes(history: HistoryQueries, subject: Subject, aspect: Aspect) -> tuple[Change, ...]:
    wanted = HistoryFilter(session=SESSION, subjects=frozenset({subject}), aspects=frozenset({aspect}))
    return history.changes(wanted).changes


def of_node(history: HistoryQueries, name: str, aspect: Aspect) -> Change | None:
    found = [change for change in changes(history, Subject.NODE, aspect) if change.name.endswith(name)]
    return found[0] if found else None


def ended_run(history: HistoryQueries) -> TransitionRun | None:
    runs = history.transitions(SESSION, limit=1)
    return runs[0] if runs and runs[0].ended_at is not None else None


def test_a_command_leaves_the_whole_board(console: Console, history: HistoryQueries) -> None:
    console.take_control()
    wait_until(lambda: len(console.nodes()) == 13, 15, "the tree")
    command = console.execute("conf")
    assert command.state is CommandState.SUCCEEDED, command.text
    run = ended_run(history)
    assert run is not None
    assert (run.transition, run.outcome, run.command_id) == ("conf", TransitionOutcome.SUCCEEDED, command.id)
    assert (run.state_before, run.state_after) == ("initial", "configured")
    assert {node.path for node in run.nodes} == {node.path for node in console.queries.tree(SESSION)}
    # The polls that follow add the others, and do not repeat the root.
    wait_until(lambda: of_node(history, "df-01", Aspect.STATE), 15, "the application's state")
    states = changes(history, Subject.NODE, Aspect.STATE)
    root = [change for change in states if change.name == "root-controller"]
    assert [(change.new, change.source, change.command_id) for change in root if change.new == "configured"] == [
        ("configured", Source.COMMAND, command.id)
    ]
    assert len(history.transitions(SESSION)) == 1
    assert changes(history, Subject.SESSION, Aspect.HOLDER)[0].new == "alice"


def test_what_somebody_else_does_is_noticed(
    console: Console, history: HistoryQueries, installation: Installation
) -> None:
    wait_until(lambda: len(console.nodes()) == 13, 15, "the tree")
    console.until("the state", lambda summary: summary.state == "initial")
    adapters = DetectingAdapters(Channels(), Deadlines(5, 30))
    try:
        root = adapters.controller(installation.controller_address(SESSION))
        root.take_control("bob")
        conf = next(found for found in root.transitions("bob") if found.name == "conf")
        assert root.execute("bob", conf, {}).succeeded
    finally:
        adapters.close()
    run = wait_until(lambda: ended_run(history), 15, "the transition")
    assert run is not None
    assert (run.transition, run.outcome, run.command_id) == ("conf", TransitionOutcome.SUCCEEDED, None)
    assert run.source is Source.POLL
    assert "root-controller" in {node.path for node in run.nodes}


def test_a_process_that_died(console: Console, history: HistoryQueries, installation: Installation) -> None:
    wait_until(lambda: console.queries.processes(SESSION), 15, "the processes")
    installation.kill(SESSION, "df-01", exit_code=139)
    wait_until(lambda: changes(history, Subject.PROCESS, Aspect.DIED), 15, "its death")
    (died,) = changes(history, Subject.PROCESS, Aspect.DIED)
    assert (died.name, died.new, died.source) == ("df-01", 139, Source.POLL)
    wait_until(lambda: of_node(history, "df-01", Aspect.IN_ERROR), 15, "what its controller says")


@pytest.fixture
def told_by_kafka(tmp_path: Path, database: Database) -> Iterator[Console]:
    """The same console, an installation of G1 that broadcasts, and those who take in what it says."""
    with running_broker(tmp_path) as broker:
        simulated = Installation([SESSION], broker.address, time_scale=0.3)
        consumer = MessageConsumer(ConsumerConfig(broker.address, ("^control\\..+",)), database, utc_now)
        announcements = Announcements(int(Kind.CONTROLLER), int(Severity.INFO))
        reader = BroadcastReader(database, utc_now, announcements, transition_of)
        keeper = HistoryKeeper(database, utc_now, reader, YEAR_S)
        try:
            simulated.start()
            consumer.start()
            keeper.start()
            with running_console(config_for(simulated), database) as running:
                yield running
        finally:
            keeper.stop(10)
            consumer.stop(20)
            simulated.stop()


def test_broadcasts_tell_each_controllers_own_times(told_by_kafka: Console, history: HistoryQueries) -> None:
    console = told_by_kafka
    console.take_control()
    wait_until(lambda: len(console.nodes()) == 13, 15, "the tree")
    command = console.execute("conf")
    assert command.state is CommandState.SUCCEEDED, command.text

    def told() -> TransitionRun | None:
        run = ended_run(history)
        controllers = [node for node in run.nodes if node.path.endswith("-controller")] if run else []
        # Without its own end a node ends with the command.
        own = [
            node for node in controllers if node.source is Source.BROADCAST and run and node.ended_at != run.ended_at
        ]
        return run if len(own) == 5 else None

    run = wait_until(told, 30, "five controllers' own times")
    assert run is not None
    nodes = {node.path: node for node in run.nodes}
    root, segment = nodes["root-controller"].duration, nodes["root-controller/df-controller"].duration
    assert root is not None
    assert segment is not None
    assert timedelta(0) < segment <= root
    assert {node.outcome for node in run.nodes} == {TransitionOutcome.SUCCEEDED}
    wait_until(lambda: of_node(history, "mlt", Aspect.STATE), 15, "the last poll")
    # Polls, command and broadcasts tell each change once.
    states = changes(history, Subject.NODE, Aspect.STATE)
    assert sorted(change.name for change in states) == sorted(nodes)
