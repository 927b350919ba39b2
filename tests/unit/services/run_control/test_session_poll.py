"""One session's polls: hiccups, what is asked how often, and what a failure leaves standing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.errors import BusyError, ConsoleError, NotReachableError
from services.run_control.adapter import (
    DescribedNode,
    NodeStatus,
    RunControlServiceAdapter,
    SessionManagerAdapter,
)
from services.run_control.backend_types import BackendKind
from services.run_control.directories import SessionDirectory
from services.run_control.discovery import NOTHING_LISTED, Listed
from services.run_control.endpoints import Endpoints
from services.run_control.fsm_types import Sequence, Transition
from services.run_control.node_types import NodeKind
from services.run_control.session_poll import SessionPoll
from tests.unit.services.run_control.unasked import UnaskedController, UnaskedProcessManager
from tests.waiting import wait_until

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
CONTROLLER, APPLICATION = NodeKind.CONTROLLER, NodeKind.APPLICATION
ADDRESSES = {"root-controller": "grpc://h:1", "df-controller": "grpc://h:2", "df-01": "rest://h:3"}
TREE = DescribedNode(
    "root-controller",
    CONTROLLER,
    (DescribedNode("df-controller", CONTROLLER, (DescribedNode("df-01", APPLICATION),)),),
)


def status(name: str, state: str = "initial") -> NodeStatus:
    return NodeStatus(name, state, state, in_error=False, included=True)


class FakeDirectory:
    """A connectivity service that says what the test wants."""

    address = "csc:5000"

    def __init__(self) -> None:
        self.entries: Mapping[str, str] = ADDRESSES
        self.error: ConsoleError | None = None

    def lookup(self, session: str) -> Mapping[str, str]:
        if self.error:
            raise self.error
        return self.entries

    def close(self) -> None:
        pass


class FakeDrunc:
    """Controllers that answer what the test wants and note what they are asked."""

    generation = "GX"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.errors: dict[str, ConsoleError] = {}
        self.state = "initial"
        self.name = "root-controller"
        self.tree = TREE
        self.children: dict[str, tuple[NodeStatus, ...]] = {
            "h:1": (status("df-controller"),),
            "h:2": (status("df-01"),),
        }

    def controller(self, address: str) -> "FakeController":
        return FakeController(self, address)

    def process_manager(self, address: str) -> UnaskedProcessManager:
        return UnaskedProcessManager()

    def session_manager(self, address: str) -> SessionManagerAdapter:
        raise NotImplementedError

    def run_control_service(self, address: str) -> RunControlServiceAdapter:
        raise NotImplementedError

    def forget(self, address: str) -> None:
        pass

    def close(self) -> None:
        pass

    def calls(self, what: str) -> int:
        return len([1 for asked, _ in self.asked if asked == what])


class FakeController(UnaskedController):
    def __init__(self, drunc: FakeDrunc, address: str) -> None:
        self.drunc = drunc
        self.address = address

    def _ask(self, what: str) -> None:
        self.drunc.asked.append((what, self.address))
        if self.address in self.drunc.errors:
            raise self.drunc.errors[self.address]

    def describe(self, user: str) -> DescribedNode:
        self._ask("describe")
        return self.drunc.tree

    def status(self, user: str) -> NodeStatus:
        self._ask("status")
        return status(self.drunc.name, self.drunc.state)

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        self._ask("children_status")
        return self.drunc.children[self.address]

    def holder(self, user: str) -> str:
        self._ask("holder")
        return "alice"

    def transitions(self, user: str) -> tuple[Transition, ...]:
        self._ask("transitions")
        return (Transition("conf"),)

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        self._ask("sequences")
        return (Sequence("begin", ("conf",)),)

    def possible(self, user: str) -> tuple[str, ...]:
        self._ask("possible")
        return (f"from-{self.drunc.state}",)


class Bench:
    """A poll of one session, and all it talks to."""

    def __init__(self) -> None:
        self.now = START
        self.directory = FakeDirectory()
        self.drunc = FakeDrunc()
        self.endpoints = Endpoints()
        self.poll = SessionPoll(
            "s",
            connectivity=SessionDirectory("csc:5000", lambda _address: self.directory),
            adapters=self.drunc,
            endpoints=self.endpoints,
            user="console",
            clock=lambda: self.now,
        )

    def turn(self, seconds: float = 1.0) -> None:
        self.now += timedelta(seconds=seconds)
        self.reading = self.poll.turn(NOTHING_LISTED)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.endpoints.close()
    assert made.endpoints.join(5)


def test_a_whole_reading(bench: Bench) -> None:
    bench.turn()
    reading = bench.reading
    assert reading is not None
    assert reading.root is not None
    assert (reading.root.holder, reading.root.address, reading.root.generation) == ("alice", "h:1", "GX")
    assert reading.root.possible == ("from-initial",)
    assert [sequence.name for sequence in reading.root.sequences] == ["begin"]
    assert [node.path.rpartition("/")[2] for node in reading.nodes] == ["root-controller", "df-controller", "df-01"]
    assert all(node.seen_at == bench.now for node in reading.nodes)
    kinds = sorted((backend.kind, backend.address) for backend in reading.backends)
    assert kinds == [
        (BackendKind.CONNECTIVITY, "csc:5000"),
        (BackendKind.CONTROLLER, "h:1"),
        (BackendKind.CONTROLLER, "h:2"),
    ]


def test_what_costs_many_broadcasts_is_asked_rarely(bench: Bench) -> None:
    for _ in range(5):
        bench.turn()
    asked = {what: bench.drunc.calls(what) for what in ("describe", "transitions", "possible", "status")}
    assert asked == {"describe": 1, "transitions": 1, "possible": 1, "status": 5}
    assert bench.drunc.calls("children_status") == 10


def test_the_possible_transitions_follow_the_state(bench: Bench) -> None:
    bench.turn()
    bench.drunc.state = "configured"
    bench.turn()
    assert bench.reading is not None
    assert bench.reading.root is not None
    assert bench.reading.root.possible == ("from-configured",)
    assert (bench.drunc.calls("possible"), bench.drunc.calls("transitions")) == (2, 1)


def test_the_tree_is_asked_for_again_after_a_while_or_when_it_changed(bench: Bench) -> None:
    bench.turn()
    bench.turn(60)
    assert bench.drunc.calls("describe") == 1
    bench.turn(15 * 60)
    assert bench.drunc.calls("describe") == 2
    bench.directory.entries = {**ADDRESSES, "df-02": "rest://h:4"}
    bench.turn()
    assert bench.drunc.calls("describe") == 3
    bench.turn()
    assert bench.drunc.calls("describe") == 3


def test_a_tree_that_disagrees_is_asked_for_again_but_not_at_every_poll(bench: Bench) -> None:
    bench.drunc.children |= {"h:2": (status("df-01"), status("df-02"))}
    bench.turn()
    bench.turn()
    assert bench.drunc.calls("describe") == 1
    bench.turn(10)
    assert bench.drunc.calls("describe") == 2
    assert bench.reading is not None
    assert bench.reading.nodes[-1].name == "df-02"


def test_a_rebooted_session_is_learnt_anew(bench: Bench) -> None:
    bench.turn()
    bench.drunc.children |= {"h:9": ()}
    bench.drunc.tree = replace(TREE, children=())
    bench.directory.entries = {"root-controller": "grpc://h:9"}
    bench.turn()
    assert bench.reading is not None
    assert [node.name for node in bench.reading.nodes] == ["root-controller"]
    assert (bench.drunc.calls("transitions"), bench.drunc.calls("describe")) == (2, 2)
    assert bench.poll.used_addresses == {"h:9"}


def test_an_empty_answer_can_be_a_hiccup(bench: Bench) -> None:
    bench.turn()
    bench.directory.entries = {}
    for _ in range(2):
        bench.turn()
        assert bench.reading is not None
        assert bench.reading.error is None
    bench.turn()
    assert bench.reading is not None
    assert "not booted" in (bench.reading.error or "")
    assert bench.reading.gone


def test_the_controllers_are_asked_though_the_directory_is_away(bench: Bench) -> None:
    bench.directory.error = NotReachableError("csc:5000 does not answer")
    bench.turn()
    assert bench.reading is not None
    assert bench.reading.error == "csc:5000 does not answer"
    bench.directory.error = None
    bench.turn()
    bench.directory.error = NotReachableError("csc:5000 does not answer")
    bench.turn()
    assert bench.reading.root is not None
    lost = [backend.address for backend in bench.reading.backends if not backend.reachable]
    assert lost == ["csc:5000"]


def test_a_busy_root_is_not_gone(bench: Bench) -> None:
    bench.turn()
    bench.drunc.errors["h:1"] = BusyError("h:1 is busy")
    bench.turn()
    assert bench.reading is not None
    assert (bench.reading.error, bench.reading.gone, bench.reading.root) == ("h:1 is busy", False, None)
    states = {backend.address: backend.reachable for backend in bench.reading.backends}
    assert states == {"csc:5000": True, "h:1": None}


def test_a_lost_segment_takes_nothing_else_along(bench: Bench) -> None:
    bench.turn()
    bench.drunc.errors["h:2"] = NotReachableError("h:2 does not answer")
    bench.turn()
    assert bench.reading is not None
    assert bench.reading.error is None
    nodes = {node.name: node for node in bench.reading.nodes}
    assert nodes["df-controller"].seen_at == bench.now
    assert nodes["df-01"].seen_at is None


def test_a_command_goes_first_and_the_poll_says_nothing(bench: Bench) -> None:
    endpoint = bench.endpoints.get("h:1")
    bench.turn()
    wait_until(lambda: endpoint.is_idle, what="an idle queue")
    polled: list[object] = []

    def command() -> None:
        bench.turn()
        polled.append(bench.reading)

    endpoint.command(command).result(10)
    assert polled == [None]


def test_no_other_controller_passes_for_the_root(bench: Bench) -> None:
    """Its entry expires ten seconds after its death; those of the segments live on."""
    bench.turn()
    bench.directory.entries = {"df-controller": "grpc://h:2", "df-01": "rest://h:3"}
    for _ in range(2):
        bench.turn()
        assert bench.reading is not None
        assert bench.reading.root is not None
        assert bench.reading.root.address == "h:1"
    bench.turn()
    assert bench.reading is not None
    assert bench.reading.root is None
    assert "root-controller is gone" in (bench.reading.error or "")


def test_a_port_that_is_another_nodes_now(bench: Bench) -> None:
    bench.turn()
    bench.drunc.name = "ru-controller"
    bench.turn()
    assert bench.reading is not None
    assert bench.reading.error == "root-controller is not at h:1 any more: ru-controller answers there."


def test_a_root_of_another_name_is_found_by_its_place_in_the_tree(bench: Bench) -> None:
    bench.directory.entries = {"df-controller": "grpc://h:2", "top": "grpc://h:1"}
    bench.now += timedelta(seconds=1)
    bench.drunc.name = "top"
    reading = bench.poll.turn(Listed({"df-controller": "1.10.0", "top": "1.0.0", "dummy_boot_0": None}))
    assert reading is not None
    assert reading.root is not None
    assert (reading.root.name, reading.root.address) == ("top", "h:1")
