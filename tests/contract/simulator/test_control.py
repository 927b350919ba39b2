"""The control endpoint over HTTP: who may ask, what it tells, and the page."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from simulator.control import FILES, ControlServer
from simulator.installation import Installation
from simulator.orders import ORDERS
from simulator.scenario import shipped_scenarios
from tests.simulated import RawClient
from tests.waiting import wait_until

SESSION = "local-1x1-config"


@pytest.fixture
def control(small: Installation) -> Iterator[ControlServer]:
    """The control endpoint of ``small``."""
    server = ControlServer(small, speed=1_000.0)
    server.start()
    yield server
    server.stop()


def ask(
    control: ControlServer, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str, Mapping[str, str]]:
    """Send exactly these headers; the token's is left out where it is given empty."""
    sent = {"Authorization": f"Bearer {control.token}", "Host": control.address} | dict(headers or {})
    connection = http.client.HTTPConnection(control.address, timeout=5)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {name: value for name, value in sent.items() if value})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.headers)
    finally:
        connection.close()


def state(control: ControlServer) -> Any:
    status, text, _ = ask(control, "GET", "/state")
    assert status == 200
    return json.loads(text)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Host": "evil.example:80"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/state"), ("GET", "/traffic"), ("POST", "/stall-kafka"), ("POST", "/stop-playing")]
)
def test_only_who_knows_the_token_and_comes_from_here(
    control: ControlServer, method: str, path: str, headers: Mapping[str, str], status: int
) -> None:
    # There is no Kafka to stall: an order that gets so far is refused as such.
    expected = 409 if (status, path) == (200, "/stall-kafka") else status
    assert ask(control, method, path, {} if method == "POST" else None, headers)[0] == expected


def test_its_other_name_and_its_own_page_are_fine(control: ControlServer) -> None:
    host = control.address.replace("127.0.0.1", "localhost")
    assert ask(control, "GET", "/state", headers={"Host": host, "Origin": f"http://{host}"})[0] == 200


@pytest.mark.parametrize("path", FILES)
def test_the_page_is_its_own_and_holds_nothing_secret(control: ControlServer, path: str) -> None:
    status, text, headers = ask(control, "GET", path, headers={"Authorization": ""})
    assert status == 200
    assert control.token not in text
    assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.M).replace("/**", ""), "nothing comes from elsewhere"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert ask(control, "GET", path, headers={"Host": "evil.example"})[0] == 403


def test_other_paths_are_not_found(control: ControlServer) -> None:
    assert ask(control, "GET", "/../control.py")[0] == 404
    assert ask(control, "GET", "/reset")[0] == 404
    assert ask(control, "POST", "/state", {})[0] == 404


def test_the_page_learns_what_there_is(control: ControlServer, small: Installation) -> None:
    small.kill(SESSION, "mlt")
    found = state(control)
    (session,) = found["sessions"]
    assert (session["name"], session["generation"], session["state"], session["in_error"]) == (
        SESSION,
        "G1",
        "initial",
        False,
    )
    assert (len(session["processes"]), session["dead"]) == (14, ["mlt"])
    assert [order["name"] for order in found["orders"]] == [order.name for order in ORDERS]
    assert {scenario["name"] for scenario in found["scenarios"]} == set(shipped_scenarios())
    assert found["progress"] is None


def test_requests_are_counted_where_they_arrive(control: ControlServer, root: RawClient) -> None:
    before = json.loads(ask(control, "GET", "/traffic")[1])
    root.status()
    root.call("describe")
    after = json.loads(ask(control, "GET", "/traffic")[1])

    def more(rpc: str) -> int:
        return int(after[rpc]["count"]) - int(before.get(rpc, {"count": 0})["count"])

    assert more(f"{SESSION}/root-controller/get_status") == 1
    assert more(f"{SESSION}/df-controller/describe") == 1, "passed on by the root"
    assert after["process_manager/boot"]["count"] == 14
    assert after[f"{SESSION}/root-controller/describe"]["last_at"] >= before["process_manager/boot"]["last_at"]


def test_scenarios_are_played_by_name_and_by_text(control: ControlServer) -> None:
    assert ask(control, "POST", "/play", {"name": "slow-conf"})[:2] == (200, '{"done": "play"}')
    wait_until(lambda: state(control)["progress"]["step"] == 2, 10, "the step that waits")
    assert ask(control, "POST", "/play", {"name": "slow-conf"})[0] == 409
    assert ask(control, "POST", "/stop-playing", {})[0] == 200
    assert state(control)["progress"]["outcome"] == "stopped"
    text = "title: T\nteaches: t\nsteps:\n  - order: kill\n    with: {name: mlt}\n"
    assert ask(control, "POST", "/play", {"text": text, "session": SESSION, "speed": 2})[0] == 200
    wait_until(lambda: state(control)["progress"]["outcome"] == "done", 10, "the end")
    assert state(control)["sessions"][0]["dead"] == ["mlt"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"name": "nonsense"}, 404, "There is no scenario 'nonsense'; known are alarm-flood"),
        ({"name": "../cli"}, 404, "There is no scenario"),
        ({"text": "steps: ["}, 400, "line 1: "),
        ({"text": "title: T\nteaches: t\nsteps:\n  - order: kil"}, 400, "line 4, step 1: There is no order 'kil'"),
        ({"name": "slow-conf", "speed": 0}, 400, "speed is not above 0"),
        ({"name": "slow-conf", "speed": "fast"}, 400, "speed is no number"),
        ({"name": "slow-conf", "session": "nowhere"}, 409, "There is no session 'nowhere'"),
        ({}, 400, "text is missing"),
    ],
)
def test_what_cannot_be_played(control: ControlServer, body: object, status: int, reason: str) -> None:
    found, text, _ = ask(control, "POST", "/play", body)
    assert found == status
    assert text.startswith(reason)


def test_a_reset_ends_the_scenario(control: ControlServer) -> None:
    assert ask(control, "POST", "/play", {"name": "stolen-control"})[0] == 200
    assert ask(control, "POST", "/reset", {})[0] == 200
    assert state(control)["progress"]["outcome"] == "stopped"
