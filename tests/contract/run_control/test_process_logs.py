"""Logs of processes, from the simulated process manager."""

import pytest

from services.errors import NotFoundError, NotReachableError
from services.run_control.opening import open_adapters
from services.run_control.process_logs import LogFilter, ProcessLogs, new_lines
from services.run_control.process_types import Process
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, SESSION, Console, config_for
from tests.waiting import wait_until


@pytest.fixture
def logs(installation: Installation) -> ProcessLogs:
    config = config_for(installation)
    return ProcessLogs(lambda: open_adapters(config), config.process_manager_address)


@pytest.fixture
def process(console: Console) -> Process:
    found = wait_until(lambda: [p for p in console.queries.processes(SESSION) if p.name == "df-01"], what="df-01")
    assert found
    return found[0]


def test_the_last_lines_all_or_those_that_are_wanted(logs: ProcessLogs, process: Process) -> None:
    every = logs.last_lines(ALICE, process.uuid)
    assert every[0].startswith("SSHPM: Starting process")
    assert not any(line.endswith("\n") for line in every)
    assert logs.last_lines(ALICE, process.uuid, 1) == every[-1:]
    assert every[0] in logs.last_lines(ALICE, process.uuid, wanted=LogFilter("SSHPM"))
    assert logs.last_lines(ALICE, process.uuid, wanted=LogFilter("S+HPM")) == ()
    assert every[0] in logs.last_lines(ALICE, process.uuid, wanted=LogFilter("^S+HPM: .* process", is_expression=True))


def test_following_by_reading_again(logs: ProcessLogs, process: Process, console: Console) -> None:
    before = logs.last_lines(ALICE, process.uuid, 1000)
    console.take_control()
    console.execute("conf")
    fresh = new_lines(before, logs.last_lines(ALICE, process.uuid, 1000))
    assert fresh.lines
    assert not fresh.gap
    assert before + fresh.lines == logs.last_lines(ALICE, process.uuid, len(before) + len(fresh.lines))


def test_no_such_process(logs: ProcessLogs, process: Process, console: Console) -> None:
    console.done(console.process_commands.kill(ALICE, [process.uuid]))
    with pytest.raises(NotFoundError):
        logs.last_lines(ALICE, process.uuid)


def test_nobody_answers(installation: Installation) -> None:
    config = config_for(installation)
    with pytest.raises(NotReachableError):
        ProcessLogs(lambda: open_adapters(config), "127.0.0.1:1").last_lines(ALICE, "u")
