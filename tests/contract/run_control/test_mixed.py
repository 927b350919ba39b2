"""The worker where process manager and session are of different generations."""

from collections.abc import Iterator

import pytest

from services.run_control.adapter import Adapters
from services.run_control.backend_types import BackendKind
from services.run_control.channels import Channels
from services.run_control.command_types import CommandState
from services.run_control.detection import DetectingAdapters
from services.run_control.node_types import NodeKind
from services.run_control.support import Deadlines
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION, Console
from tests.waiting import wait_until


@pytest.fixture(params=[("G2", "G3"), ("G3", "G2")], ids="-".join)
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    manager, session = request.param
    simulated = Installation(sessions=(SESSION,), generations={SESSION: session}, process_manager_generation=manager)
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def adapters() -> Iterator[Adapters]:
    made = DetectingAdapters(Channels(), Deadlines(5, 30))
    yield made
    made.close()


def test_each_address_shows_its_own_generation(console: Console, installation: Installation) -> None:
    session = installation.generations[SESSION]
    assert console.session().generation == session

    def shown() -> set[tuple[BackendKind, str | None]]:
        kinds = {BackendKind.PROCESS_MANAGER, BackendKind.CONTROLLER}
        return {(found.kind, found.generation) for found in console.queries.backends() if found.kind in kinds}

    expected = {
        (BackendKind.PROCESS_MANAGER, installation.process_manager_generation),
        (BackendKind.CONTROLLER, session),
    }
    wait_until(lambda: shown() == expected, 15, "both generations")


def status_requests(installation: Installation) -> dict[str, int]:
    """Return how often each controller of the session was asked for its status."""
    counted = installation.traffic.snapshot()
    parts = {name: tuple(name.split("/")) for name in counted}
    return {parts[name][1]: counted[name].count for name in counted if parts[name][::2] == (SESSION, "status")}


def test_the_tree_comes_from_one_controller(console: Console, installation: Installation) -> None:
    wait_until(lambda: len(console.nodes()) == 13, 15, "the whole tree")
    nodes = console.nodes()
    assert nodes["df-controller"].kind is NodeKind.CONTROLLER
    assert nodes["df-01"].kind is NodeKind.APPLICATION
    assert all(node.seen_at is not None and node.state == "initial" for node in nodes.values())
    before = status_requests(installation)
    wait_until(lambda: status_requests(installation)["root-controller"] >= before["root-controller"] + 5, 15, "5 polls")
    more = {name: count - before[name] for name, count in status_requests(installation).items()}
    # Each of the others is asked by the one above it, never by the console as well; one request may be on its way.
    assert all(more[name] <= more["root-controller"] + 1 for name in more), more


def test_commands_reach_the_whole_tree(console: Console) -> None:
    assert console.take_control().state is CommandState.SUCCEEDED
    console.until("control", lambda summary: summary.holder == "alice")
    command = console.execute("conf")
    assert command.state is CommandState.SUCCEEDED, command.text
    assert len(command.nodes) == 13
    console.until("the state", lambda summary: summary.state == "configured")


def test_a_run_that_another_started_is_known_in_g3(
    console: Console, installation: Installation, adapters: Adapters
) -> None:
    root = adapters.controller(installation.controller_address(SESSION))
    root.take_control("bob")
    transitions = {found.name: found for found in root.transitions("bob")}
    root.execute("bob", transitions["conf"], {})
    root.execute("bob", transitions["start"], {"run_number": 4711, "run_type": "PROD", "trigger_rate": 2.0})
    summary = console.until("the state", lambda found: found.state == "ready")
    if root.generation == "G2":
        assert summary.run.number is None
        return
    summary = console.until("the run", lambda found: found.run.number == 4711)
    assert (summary.run.type, summary.run.trigger_rate_hz) == ("PROD", 2.0)
    assert summary.run.started_at is not None
    for name in ("drain_dataflow", "stop_trigger_sources", "stop"):
        root.execute("bob", transitions[name], {})
    console.until("the end of the run", lambda found: found.state == "configured" and found.run.number is None)
