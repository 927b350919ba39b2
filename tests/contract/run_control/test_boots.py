"""Boots from the service to the process manager and back: judged by what lives some time afterwards (22.24)."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from models.database import Database
from services.run_control.boot_watch import BootWatch, judged
from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.config import RunControlConfig
from services.run_control.execution import Order
from services.run_control.process_types import Process
from services.run_control.session_execution import execute_on_session
from simulator.installation import Installation
from simulator.layouts import CONFIGURATION_FILE
from tests.contract.run_control.conftest import ALICE, SESSION, Console, config_for, running_console
from tests.contract.run_control.sites import G3, simulated
from tests.waiting import wait_until

CRASH = "dead, exit code 139, crashed, bad memory access (SIGSEGV)"
# Longer than any of these tests takes: what ends a watch here is never the time.
FOR_LONG_S = 600.0
DF_01 = json.dumps([{"name": "df-01", "session": SESSION, "commands": [["daq_application"]]}])


@pytest.fixture(params=["G1", "G2", "G3"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """One session and its process manager, both of one generation."""
    simulated_drunc = Installation(
        sessions=(SESSION,), generations={SESSION: request.param}, process_manager_generation=request.param
    )
    try:
        simulated_drunc.start()
        yield simulated_drunc
    finally:
        simulated_drunc.stop()


@pytest.fixture
def config(installation: Installation) -> RunControlConfig:
    # However busy the machine is: a look that came too late would be another outcome.
    return replace(config_for(installation), boot_grace_s=FOR_LONG_S, rpc_deadline_s=30.0)


@pytest.fixture
def df_01(console: Console) -> Process:
    found = wait_until(lambda: [p for p in console.queries.processes(SESSION) if p.name == "df-01"], what="df-01")
    return found[0]


def told(view: CommandView) -> dict[str, tuple[bool, str]]:
    return {node.name: (node.succeeded, node.text) for node in view.nodes}


def test_a_restarted_process_that_dies(console: Console, installation: Installation, df_01: Process) -> None:
    installation.die_after_boot(SESSION, "df-01", 0.3, 139)
    done = console.done(console.process_commands.restart(ALICE, df_01.uuid))
    assert (done.state, told(done)) == (CommandState.FAILED, {"df-01": (False, CRASH)})
    assert done.text == f"1 of 1 processes restarted. Not alive: df-01: {CRASH}."
    # The rows say the same.
    assert [p.return_code for p in console.queries.processes(SESSION) if p.name == "df-01"] == [139]


def test_one_of_two_booted_processes_dies(console: Console, installation: Installation, df_01: Process) -> None:
    console.done(console.process_commands.kill(ALICE, [df_01.uuid]))
    installation.die_after_boot(SESSION, "df-01", 0.3, 139)
    short = {"name": "short", "session": SESSION, "commands": [["echo", "done"]]}
    done = console.done(console.process_commands.boot(ALICE, json.dumps([*json.loads(DF_01), short])))
    assert done.state is CommandState.FAILED
    assert told(done) == {"df-01": (False, CRASH), "short": (True, "dead, exit code 0, ended normally")}


def test_while_a_boot_is_watched_it_is_shown_and_others_have_their_turn(console: Console, df_01: Process) -> None:
    console.done(console.process_commands.kill(ALICE, [df_01.uuid]))
    boot = console.process_commands.boot(ALICE, DF_01)
    wait_until(lambda: "Watched for 600 s." in console.queries.command(boot).text, what="its progress")
    assert console.queries.command(boot).state is CommandState.EXECUTING
    (booted,) = [process for process in console.queries.processes(SESSION) if process.name == "df-01"]
    assert booted.uuid != df_01.uuid
    # To the same process manager, and before the boot has been judged.
    killed = console.done(console.process_commands.kill(ALICE, [booted.uuid]))
    assert killed.state is CommandState.SUCCEEDED
    done = console.done(boot)
    assert (done.state, told(done)) == (CommandState.FAILED, {"df-01": (False, "not listed any more")})


def test_what_lives_through_the_watch_was_booted(
    installation: Installation, config: RunControlConfig, database: Database
) -> None:
    with running_console(replace(config, boot_grace_s=0.1), database) as console:
        assert installation.processes(SESSION)["mlt"]
        (mlt,) = wait_until(lambda: [p for p in console.queries.processes(SESSION) if p.name == "mlt"], what="mlt")
        done = console.done(console.process_commands.restart(ALICE, mlt.uuid))
    assert (done.state, told(done)) == (CommandState.SUCCEEDED, {"mlt": (True, "running")})


def test_a_collector_that_stops_has_not_seen_the_end(console: Console, df_01: Process) -> None:
    restart = console.process_commands.restart(ALICE, df_01.uuid)
    wait_until(lambda: "Watched" in console.queries.command(restart).text, what="the watch")
    console.worker.stop(10)
    view = console.queries.command(restart)
    assert view.state is CommandState.UNKNOWN
    assert "Whether they live is not known: The collector stopped." in view.text


def test_a_session_one_of_whose_processes_dies() -> None:
    """Only G3 boots sessions itself; that it says so tells nothing of its processes."""
    with simulated(G3) as site:
        service = site.adapters.run_control_service(site.installation.run_control_address or "")
        payload = {
            "file": CONFIGURATION_FILE,
            "configuration": SESSION,
            "process_manager": f"grpc://{site.installation.process_manager_address}",
        }
        started = execute_on_session(
            Order(1, "alice", "second", Action.START_SESSION, "", None, {}, payload=payload), service
        )
        booted = started.booted
        assert booted is not None
        assert booted.address == site.installation.process_manager_address
        seconds = [0.0]

        def dies(pause_s: float) -> bool:
            if seconds == [0.0]:
                site.installation.kill("second", "df-01", 139)
            seconds[0] += pause_s
            return False

        watch = BootWatch(
            2.0, lambda: site.manager.processes("alice", booted.query), lambda _: None, dies, lambda: seconds[0]
        )
        outcome = judged(started, booted, watch.watch(booted))
    assert outcome.state is CommandState.FAILED
    assert outcome.text == f"second was started. Processes listed: 14. Not alive: df-01: {CRASH}."
    assert outcome.result is not None
    assert len([node for node in outcome.result.nodes if node.succeeded]) == 13
