"""The simulator as a program: its file, its orders, its end."""

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from simulator.checks import SimulatorError
from simulator.cli import cli, read_generations
from simulator.installation import Installation
from tests.kafka import REPOSITORY
from tests.simulated import connected, g1, payload, said
from tests.waiting import wait_until
from wire import WireMessage

SESSION = "local-1x1-config"


@dataclass(frozen=True)
class Served:
    """A running ``serve``: its process, its directory and what it wrote."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    addresses: Mapping[str, Any]

    def order(self, *arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [arguments[0], "--directory", str(self.directory), *arguments[1:]], input=stdin)

    def processes(self) -> dict[str, WireMessage]:
        with connected(self.addresses["process_manager"], "ProcessManager") as manager:
            values = payload(manager.call("ps", g1("ProcessQuery", names=[".*"]))).values
        return {value.process_description.metadata.name: value for value in values}

    def root(self) -> str:
        body = {"uid_regex": "root-controller_control", "data_type": "RunControlMessage"}
        answer = requests.post(f"http://{self.addresses['connectivity']}/getconnection/{SESSION}", json=body, timeout=5)
        return str(answer.json()[0]["uri"]).removeprefix("grpc://")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "simulator", "serve", "--directory", str(tmp_path), "--sessions", SESSION]
    process = subprocess.Popen([*command, "--speed", "inf", "--chatter", "0"], cwd=REPOSITORY)
    try:
        path = tmp_path / "simulator.json"
        wait_until(lambda: path.exists() or process.poll() is not None, 20, "simulator.json")
        yield Served(process, tmp_path, json.loads(path.read_text()))
    finally:
        process.kill()
        process.wait(10)


def test_file_is_private_and_tells_all_addresses(served: Served) -> None:
    path = served.directory / "simulator.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    expected = {"process_manager", "connectivity", "control", "token", "kafka", "sessions", "generations", "pid"}
    expected |= {"session_manager", "run_control"}
    assert set(served.addresses) == expected
    assert served.addresses["sessions"] == [SESSION]
    assert len(served.processes()) == 14


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_within_two_seconds(served: Served, number: signal.Signals) -> None:
    started = time.monotonic()
    served.process.send_signal(number)
    assert served.process.wait(5) == 0
    assert time.monotonic() - started < 2
    assert not (served.directory / "simulator.json").exists()


def test_stops_in_the_middle_of_a_transition(served: Served) -> None:
    assert served.order("slow", SESSION, "conf", "60").exit_code == 0
    with connected(served.root(), "Controller") as root:
        root.call("take_control")
        with pytest.raises(Exception, match="DEADLINE_EXCEEDED"):
            root.call("execute_fsm_command", g1("FSMCommand", command_name="conf"), timeout_s=0.5)
        served.process.terminate()
        assert served.process.wait(2) == 0


def test_orders_of_the_command_line(served: Served) -> None:
    assert served.order("kill", SESSION, "df-01", "--exit-code", "139").output == "done: kill\n"
    assert served.processes()["df-01"].return_code == 139
    assert served.order("steal", SESSION, "mallory").exit_code == 0
    with connected(served.root(), "Controller") as root:
        assert said(root.call("who_is_in_charge")) == "mallory"
        assert served.order("controller-down", SESSION, "mlt").exit_code == 1
        assert served.order("controller-down", SESSION, "trg-controller").exit_code == 0
        assert root.children_status()["trg-controller"].state == "unknown"
    assert served.order("fail", SESSION, "conf", "ru-01").exit_code == 0
    assert served.order("publish-raw", "any.topic", stdin=b"\x00\xff").exit_code == 0
    assert served.order("flood", "10", "--severity", "error").exit_code == 0
    assert served.order("die-after-boot", SESSION, "mlt", "60", "--exit-code", "139").exit_code == 0
    assert served.order("silence", SESSION, "df-01").exit_code == 0
    assert served.order("wedge", SESSION, "df-controller").exit_code == 0
    assert served.order("empty-connectivity").exit_code == 0
    refused = served.order("stall-kafka")
    assert (refused.exit_code, "no Kafka" in refused.output) == (1, True)
    assert served.order("kafka-down").exit_code == 1
    assert served.order("restart-process-manager").exit_code == 0
    assert served.processes() == {}
    assert served.order("reset").exit_code == 0
    assert {value.status_code for value in served.processes().values()} == {0}


def test_scenarios_and_page_of_the_command_line(served: Served, tmp_path: Path) -> None:
    listed = served.order("play", "--list").output
    assert "stolen-control" in listed
    own = tmp_path / "mine.yaml"
    own.write_text("title: T\nteaches: t\nsteps:\n  - order: kill\n    with: {name: mlt, exit_code: 9}\n")
    assert served.order("play", str(own)).output == "done: play\n"
    wait_until(lambda: served.processes()["mlt"].return_code == 9, 10, "the kill")
    assert served.order("play", "slow-conf", "--session", SESSION, "--speed", "10").exit_code == 0
    assert served.order("play", "--stop").exit_code == 0
    address = served.order("page").output.strip()
    assert address == f"http://{served.addresses['control']}/#{served.addresses['token']}"
    assert requests.get(address, timeout=5).headers["Content-Type"].startswith("text/html")
    assert served.order("exclude", SESSION, "df-controller").exit_code == 0
    assert served.order("include", SESSION, "df-controller").exit_code == 0
    assert served.order("to-error", SESSION, "df-controller").exit_code == 0
    assert served.order("issue", SESSION, "df-01", "words", "--severity", "fatal").exit_code == 0
    assert served.order("empty-connectivity", "--end").exit_code == 0


def test_a_scenario_with_mistakes_says_where_they_are(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("title: T\nteaches: t\nsteps:\n  - say: a\n  - order: kil\n")
    result = CliRunner().invoke(cli, ["play", str(bad)])
    assert result.exit_code == 1
    assert f"{bad}: line 5, step 2: There is no order 'kil'" in result.output
    missing = CliRunner().invoke(cli, ["play", "nonsense"])
    assert "nonsense is neither a scenario (alarm-flood, " in missing.output
    assert CliRunner().invoke(cli, ["play"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("kill", "nowhere", "df-01"), "nowhere has no process 'df-01'"),
        (("fail", SESSION, "go", "df-01"), "Unknown transition 'go'"),
        (("fail", SESSION, "conf", "df-controller"), "has no application 'df-controller'"),
        (("slow", "nowhere", "conf", "1"), "Unknown session 'nowhere'"),
    ],
)
def test_refused_orders_say_why(served: Served, arguments: tuple[str, ...], reason: str) -> None:
    result = served.order(*arguments)
    assert result.exit_code == 1
    assert reason in result.output


def test_orders_need_the_token(served: Served) -> None:
    url = f"http://{served.addresses['control']}"
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.post(f"{url}/reset", json={}, headers=headers, timeout=5)
        assert answer.status_code == 401
    right = {"Authorization": f"Bearer {served.addresses['token']}"}
    assert requests.post(f"{url}/nonsense", json={}, headers=right, timeout=5).status_code == 404
    assert requests.post(f"{url}/kill", json={"session": 1}, headers=right, timeout=5).status_code == 400


def test_order_without_a_simulator_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["reset", "--directory", str(tmp_path)])
    assert result.exit_code == 1
    assert "No simulator runs" in result.output


def test_unknown_session_is_refused_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator", "serve", "--directory", str(tmp_path), "--sessions", "nonsense"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "Unknown session 'nonsense'" in done.stderr


def test_generations_of_the_command_line() -> None:
    sessions = ["cosmics", "local-1x1-config"]
    assert read_generations([], sessions) == ({"cosmics": "G1", "local-1x1-config": "G1"}, "G1")
    given = ["g3", "local-1x1-config=G1", "process-manager=G2"]
    assert read_generations(given, sessions) == ({"cosmics": "G3", "local-1x1-config": "G1"}, "G2")
    with pytest.raises(SimulatorError, match="'nowhere'"):
        read_generations(["nowhere=G3"], sessions)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"process_manager_generation": "G9"}, "Unknown generation 'G9'"),
        ({"generations": {"nowhere": "G3"}}, "'nowhere', which is not among the sessions"),
        ({"sessions": [f"cosmics:{SESSION}"]}, "in G1 the session has the name of its configuration"),
        ({"sessions": ["generated-2001"]}, "Unknown session"),
    ],
)
def test_installation_that_cannot_be(options: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(SimulatorError, match=reason):
        Installation(**options)
