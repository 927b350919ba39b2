"""Ends, restarts and time-outs across the parts of an installation."""

import threading
import time
from contextlib import suppress
from functools import partial

import grpc
import pytest
import requests

from simulator.checks import SimulatorError
from simulator.installation import Installation
from tests.simulated import RecordingPublisher, blamed, child, connected, g1, payload, said
from tests.waiting import wait_until

SESSION = "local-1x1-config"
OTHER = "local-2x3-config"


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def addresses(installation: Installation, session: str = SESSION) -> dict[str, str]:
    url = f"http://{installation.connectivity_address}/getconnection/{session}"
    body = {"uid_regex": ".*_control", "data_type": "RunControlMessage"}
    return {entry["uid"]: entry["uri"] for entry in requests.post(url, json=body, timeout=5).json()}


def restart(installation: Installation, name: str) -> None:
    """Restart a process of the small session as a client would."""
    with connected(installation.process_manager_address, "ProcessManager") as manager:
        assert manager.call("restart", g1("ProcessQuery", names=[f"^{name}$"])).flag == 0


def test_sessions_do_not_touch_each_other(installation: Installation) -> None:
    with connected(installation.controller_address(SESSION), "Controller") as first:
        first.call("take_control")
        assert first.execute("conf").flag == 0
    with connected(installation.controller_address(OTHER), "Controller") as second:
        assert said(second.call("who_is_in_charge")) == "controller_init_token"
        assert second.status().state == "initial"
    assert len(addresses(installation, OTHER)) == 16


def test_address_of_a_dead_controller_expires(publisher: RecordingPublisher) -> None:
    clock = FakeClock()
    installation = Installation([SESSION], clock=clock, publisher=publisher)
    try:
        installation.start()
        installation.kill(SESSION, "root-controller")
        assert "root-controller_control" in addresses(installation)
        clock.now_s += 10.0
        wait_until(lambda: "mlt_control" in addresses(installation), 5, "the living to be published again")
        assert "root-controller_control" not in addresses(installation)
    finally:
        installation.stop()


def test_restarted_root_begins_anew_over_the_same_tree(small: Installation) -> None:
    before = small.controller_address(SESSION)
    with connected(before, "Controller") as root:
        root.call("take_control")
        root.execute("conf")
    restart(small, "root-controller")
    wait_until(lambda: small.controller_address(SESSION) not in ("", before), 5, "the new root")
    address = wait_until(lambda: addresses(small)["root-controller_control"].removeprefix("grpc://"), 5, "its address")
    assert address != before
    with connected(address, "Controller") as root:
        assert said(root.call("who_is_in_charge")) == "controller_init_token"
        assert root.status().state == "initial"
        assert {status.state for status in root.children_status().values()} == {"configured"}


def test_parent_keeps_the_address_of_a_restarted_child(small: Installation) -> None:
    restart(small, "df-controller")
    with connected(small.controller_address(SESSION), "Controller") as root:
        assert root.children_status()["df-controller"].state == "unknown"


def test_controller_without_its_children_ends(small: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks ten seconds long; here twice."""
    monkeypatch.setattr("simulator.programs.LOOK_UPS", 2)
    small.kill(SESSION, "local-connection-server")
    restart(small, "ru-controller")
    with connected(small.process_manager_address, "ProcessManager") as manager:

        def code() -> int:
            query = g1("ProcessQuery", names=["^ru-controller$"])
            return int(payload(manager.call("ps", query)).values[0].return_code)

        assert wait_until(code, 5, "the controller's end") == 1


def test_controller_restarted_over_a_dead_application_finds_it_in_error(small: Installation) -> None:
    small.kill(SESSION, "ru-01")
    restart(small, "ru-controller")
    address = wait_until(lambda: small.controller_address(SESSION, "ru-controller"), 5, "the new controller")
    with connected(address, "Controller") as segment:
        assert segment.children_status()["ru-01"].in_error


def test_application_that_takes_too_long_is_in_error() -> None:
    installation = Installation([SESSION], reply_timeout_s=0.1)
    try:
        installation.start()
        installation.slow(SESSION, "conf", 30.0)
        with connected(installation.controller_address(SESSION), "Controller") as root:
            root.call("take_control")
            late = child(root.execute("conf"), "trg-controller", "mlt")
        assert late.flag == 6
        assert "No response from mlt" in blamed(late)
    finally:
        installation.stop()


def execute_conf(address: str) -> None:
    """Execute ``conf``; the server may end before it answers."""
    with connected(address, "Controller") as client, suppress(grpc.RpcError):
        client.call("take_control")
        client.execute("conf")


def is_busy(publisher: RecordingPublisher, session: str) -> bool:
    """Tell whether the last segment of a session waits for its applications."""
    busy = ("FSM_STATUS_UPDATE", "Changing operational_state from conf-ready to propagating-conf")
    return busy in publisher.broadcasts(f"control.{session}.hsi-fake-controller")


def test_stops_in_time_while_everything_works(publisher: RecordingPublisher) -> None:
    installation = Installation([SESSION, OTHER], publisher=publisher)
    installation.start()
    threads = []
    for session in installation.sessions:
        installation.slow(session, "conf", 60.0)
        threads.append(threading.Thread(target=execute_conf, args=(installation.controller_address(session),)))
        threads[-1].start()
    for session in installation.sessions:
        wait_until(partial(is_busy, publisher, session), 5, "the transition's start")
    started = time.monotonic()
    installation.stop()
    assert time.monotonic() - started < 2
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_orders_that_make_no_sense_are_refused(small: Installation) -> None:
    small.kill(SESSION, "mlt")
    with pytest.raises(SimulatorError, match="dead already"):
        small.kill(SESSION, "mlt")
    with pytest.raises(SimulatorError, match="not a controller"):
        small.controller_down(SESSION, "df-01")
    with pytest.raises(SimulatorError, match="Unknown severity"):
        small.flood(1, severity="LOUD")
    with pytest.raises(SimulatorError, match="Unknown session"):
        Installation(["nonsense"])


def test_a_death_soon_after_the_next_boot_and_no_other(small: Installation) -> None:
    small.die_after_boot(SESSION, "mlt", 0.0, 139)
    assert small.processes(SESSION)["mlt"]
    restart(small, "mlt")
    wait_until(lambda: not small.processes(SESSION)["mlt"], what="the death")
    with connected(small.process_manager_address, "ProcessManager") as manager:
        (dead,) = payload(manager.call("ps", g1("ProcessQuery", names=["^mlt$"]))).values
    assert dead.return_code == 139
    restart(small, "mlt")
    assert small.processes(SESSION)["mlt"]
    with pytest.raises(SimulatorError, match="no process 'nobody'"):
        small.die_after_boot(SESSION, "nobody", 1.0)
    with pytest.raises(SimulatorError, match="before it is booted"):
        small.die_after_boot(SESSION, "mlt", -1.0)
