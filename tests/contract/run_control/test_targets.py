"""Parts of the tree, sequences and processes where drunc is of a newer generation than G1."""

import json
from collections.abc import Iterator

import pytest

from services.accounts.types import Identity, Role
from services.run_control.command_types import CommandState
from services.run_control.node_types import Target
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, SESSION, Console
from tests.waiting import wait_until

ADMINISTRATOR = Identity("alice", Role.ADMINISTRATOR)
DF_01 = Target("root-controller/df-controller/df-01")
EXPERT = json.dumps(
    {"id": "x", "data": {"modules": [{"data": {}, "match": ""}]}, "entry_state": "ANY", "exit_state": "ANY"}
)


@pytest.fixture(params=["G2", "G3"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    simulated = Installation(
        sessions=(SESSION,), generations={SESSION: request.param}, process_manager_generation=request.param
    )
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


def test_one_application_is_excluded_and_the_rest_goes_on(console: Console) -> None:
    console.take_control()
    wait_until(lambda: "df-01" in console.nodes(), what="the tree")
    excluded = console.done(console.node_commands.exclude(ALICE, SESSION, DF_01))
    assert (excluded.state, excluded.target) == (CommandState.SUCCEEDED, DF_01.path)
    wait_until(lambda: console.nodes()["df-01"].included is False, what="the excluded application")
    assert console.nodes()["df-controller"].included
    done = console.done(console.sequences.execute(ALICE, SESSION, _start_run(console), {"run_number": 5}))
    assert done.state is CommandState.SUCCEEDED
    assert console.session().state == "running"
    wait_until(lambda: console.nodes()["dfo-01"].state == "running", what="its neighbour")
    assert console.nodes()["df-01"].state == "initial"


def _start_run(console: Console) -> str:
    # The shells and servers do not agree on the hyphen.
    return next(known.name for known in console.session().sequences if known.name.startswith("start"))


def test_an_expert_command_reaches_one_application(console: Console) -> None:
    console.take_control()
    wait_until(lambda: "df-01" in console.nodes(), what="the tree")
    done = console.done(console.node_commands.expert_command(ADMINISTRATOR, SESSION, EXPERT, DF_01))
    assert done.state is CommandState.SUCCEEDED
    assert "df-01" in {node.name for node in done.nodes}


def test_processes(console: Console) -> None:
    wait_until(lambda: console.queries.processes(SESSION), what="the processes")
    (victim,) = (process for process in console.queries.processes(SESSION) if process.name == "mlt")
    assert console.done(console.process_commands.restart(ALICE, victim.uuid)).state is CommandState.SUCCEEDED
    assert console.done(console.process_commands.kill(ALICE, [victim.uuid])).state is CommandState.SUCCEEDED
    assert victim.uuid not in {process.uuid for process in console.queries.processes(SESSION)}
