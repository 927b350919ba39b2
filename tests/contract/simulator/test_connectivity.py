"""The connectivity service of contract 14, over real HTTP."""

from collections.abc import Iterator

import pytest
import requests

from simulator.connectivity import Registry
from simulator.connectivity_server import ConnectivityServer
from simulator.installation import Installation

SESSION = "local-1x1-config"
ENTRY = {"connection_type": 0, "data_type": "RunControlMessage", "uid": "a_control", "uri": "grpc://127.0.0.1:1"}


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(clock: FakeClock) -> Iterator[str]:
    server = ConnectivityServer(Registry(clock))
    server.start()
    yield f"http://{server.address}"
    server.stop()


def look_up(url: str, session: str = "s", uid_regex: str = ".*_control") -> requests.Response:
    body = {"uid_regex": uid_regex, "data_type": "RunControlMessage"}
    return requests.post(f"{url}/getconnection/{session}", json=body, timeout=5)


def publish(url: str) -> requests.Response:
    return requests.post(f"{url}/publish", json={"partition": "s", "connections": [ENTRY]}, timeout=5)


def test_publish_and_find(url: str) -> None:
    assert look_up(url).status_code == 404
    answer = publish(url)
    assert (answer.status_code, answer.text) == (200, "OK")
    assert look_up(url).json() == [ENTRY]
    assert look_up(url, uid_regex="a_con").json() == []


def test_entries_expire(url: str, clock: FakeClock) -> None:
    publish(url)
    clock.now_s = 9.9
    assert look_up(url).json() == [ENTRY]
    clock.now_s = 10.0
    answer = look_up(url)
    assert (answer.status_code, answer.json()) == (200, [])
    page = requests.get(f"{url}/", timeout=5).text
    assert "<s>a_control" in page


def test_missing_keys_are_a_bad_request(url: str) -> None:
    publish(url)
    for body in ({}, {"uid_regex": ".*"}, {"uid_regex": "(", "data_type": "x"}):
        assert requests.post(f"{url}/getconnection/s", json=body, timeout=5).status_code == 400
    assert requests.post(f"{url}/getconnection/s", data=b"no json", timeout=5).status_code == 400
    assert requests.post(f"{url}/publish", json={"partition": "s"}, timeout=5).status_code == 400


def test_retract(url: str) -> None:
    publish(url)
    body = {"partition": "s", "connections": [{"connection_id": "a_control", "data_type": "run-control-messages"}]}
    assert requests.post(f"{url}/retract", json=body, timeout=5).text == "OK"
    assert look_up(url).status_code == 404
    assert requests.post(f"{url}/retract", json=body, timeout=5).status_code == 404


def test_retract_partition_takes_form_and_json(url: str) -> None:
    publish(url)
    assert requests.post(f"{url}/retract-partition", data={"partition": "s"}, timeout=5).status_code == 200
    publish(url)
    assert requests.post(f"{url}/retract-partition", json={"partition": "s"}, timeout=5).status_code == 200
    assert requests.post(f"{url}/retract-partition", json={"partition": "s"}, timeout=5).status_code == 404
    assert requests.post(f"{url}/retract-partition", json={}, timeout=5).status_code == 400


def test_published_names_are_data_not_html(url: str) -> None:
    hostile = ENTRY | {"uid": "<script>x</script>"}
    requests.post(f"{url}/publish", json={"partition": "<b>", "connections": [hostile]}, timeout=5)
    page = requests.get(f"{url}/", timeout=5).text
    assert "<script>" not in page
    assert "<b>" not in page


def test_every_node_of_a_session_is_found(small: Installation) -> None:
    url = f"http://{small.connectivity_address}"
    found = {entry["uid"]: entry["uri"] for entry in look_up(url, SESSION).json()}
    assert len(found) == 13
    assert found["root-controller_control"] == f"grpc://{small.controller_address(SESSION)}"
    assert found["df-01_control"].startswith("rest://127.0.0.1:")


def test_session_without_its_connection_server_is_unknown(small: Installation) -> None:
    small.kill(SESSION, "local-connection-server")
    assert look_up(f"http://{small.connectivity_address}", SESSION).status_code == 404
