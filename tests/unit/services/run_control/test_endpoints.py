"""One queue per endpoint: one thing after the other, commands first."""

import threading
from collections.abc import Callable, Iterator

import pytest

from services.errors import NotReachableError
from services.run_control.endpoints import Endpoint, Endpoints, GaveWayError
from tests.waiting import wait_until


class Gate:
    """Work that waits until it is let through, and says that it began."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.began.set()
        assert self.open.wait(10)
        return "through"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint("h:1")
    yield made
    made.close()
    assert made.join(5)


def note(seen: list[str], word: str) -> Callable[[], None]:
    return lambda: seen.append(word)


def test_results_and_errors_reach_whoever_waits(endpoint: Endpoint) -> None:
    assert endpoint.poll(lambda: 42).result(5) == 42

    def fail() -> None:
        raise NotReachableError("gone")

    with pytest.raises(NotReachableError):
        endpoint.command(fail).result(5)
    assert endpoint.poll(lambda: "alive").result(5) == "alive"


def test_a_command_goes_before_a_waiting_poll(endpoint: Endpoint) -> None:
    gate = Gate()
    running = endpoint.poll(gate)
    assert gate.began.wait(5)
    waiting = endpoint.poll(lambda: "never")
    command = endpoint.command(lambda: "done")
    with pytest.raises(GaveWayError):
        waiting.result(5)
    gate.open.set()
    assert (running.result(5), command.result(5)) == ("through", "done")


def test_at_most_one_poll_waits(endpoint: Endpoint) -> None:
    gate = Gate()
    endpoint.poll(gate)
    assert gate.began.wait(5)
    endpoint.poll(lambda: 1)
    with pytest.raises(GaveWayError):
        endpoint.poll(lambda: 2)
    gate.open.set()


def test_no_poll_while_a_command_is_under_way(endpoint: Endpoint) -> None:
    gate = Gate()
    command = endpoint.command(gate)
    assert gate.began.wait(5)
    with pytest.raises(GaveWayError):
        endpoint.poll(lambda: 1)
    gate.open.set()
    command.result(5)
    wait_until(lambda: endpoint.is_idle, what="an idle queue")
    assert endpoint.poll(lambda: 1).result(5) == 1


def test_commands_keep_their_order(endpoint: Endpoint) -> None:
    gate, seen = Gate(), list[str]()
    endpoint.command(gate)
    orders = [endpoint.command(note(seen, word)) for word in ("first", "second", "third")]
    gate.open.set()
    for order in orders:
        order.result(5)
    assert seen == ["first", "second", "third"]


def test_closing_drops_what_waits_and_takes_no_more(endpoint: Endpoint) -> None:
    gate = Gate()
    running = endpoint.command(gate)
    assert gate.began.wait(5)
    waiting = endpoint.command(lambda: "never")
    endpoint.close()
    assert waiting.cancelled()
    with pytest.raises(NotReachableError):
        endpoint.command(lambda: 1)
    gate.open.set()
    assert running.result(5) == "through"
    assert endpoint.join(5)


def test_unused_queues_are_closed() -> None:
    endpoints = Endpoints()
    for address in ("a:1", "b:1"):
        endpoints.get(address).command(lambda: None).result(5)
        wait_until(lambda address=address: endpoints.get(address).is_idle, what="an idle queue")  # type: ignore[misc]
    assert endpoints.keep_only({"a:1"}) == ("b:1",)
    endpoints.close()
    assert endpoints.join(5)


def test_a_queue_made_after_the_end_takes_nothing() -> None:
    endpoints = Endpoints()
    endpoints.close()
    with pytest.raises(NotReachableError):
        endpoints.get("late:1").poll(lambda: 1)
    assert endpoints.join(1)
