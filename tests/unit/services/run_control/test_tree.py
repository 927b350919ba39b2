"""The tree: put together from what some nodes tell and others do not."""

from datetime import UTC, datetime

from services.run_control.adapter import DescribedNode, NodeStatus
from services.run_control.node_types import NodeKind
from services.run_control.tree import controllers, flattened, merged, misses_a_node

NOW = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
CONTROLLER, APPLICATION = NodeKind.CONTROLLER, NodeKind.APPLICATION
TREE = DescribedNode(
    "root",
    CONTROLLER,
    (DescribedNode("df", CONTROLLER, (DescribedNode("df-01", APPLICATION),)), DescribedNode("ru", CONTROLLER)),
)


def status(name: str, state: str | None = "initial") -> NodeStatus:
    return NodeStatus(name, state, state, in_error=False, included=True)


def test_siblings_stand_in_the_order_told_not_in_the_order_of_completion() -> None:
    told = {"root": (status("ru"), status("df"))}
    nodes = flattened(TREE, status("root"), told, {}, NOW)
    assert [node.path for node in nodes] == ["root", "root/ru", "root/df", "root/df/df-01"]
    assert [node.depth for node in nodes] == [0, 1, 1, 2]


def test_a_node_nobody_told_of_was_not_seen() -> None:
    nodes = {node.name: node for node in flattened(TREE, status("root"), {"root": (status("df"),)}, {}, NOW)}
    assert (nodes["df"].seen_at, nodes["df"].state) == (NOW, "initial")
    assert (nodes["df-01"].seen_at, nodes["ru"].seen_at) == (None, None)


def test_a_child_told_of_but_not_described_is_there() -> None:
    told = {"root": (status("df"), status("ru"), status("new"))}
    nodes = flattened(TREE, status("root"), told, {"new": "grpc://h:1"}, NOW)
    assert (nodes[-1].path, nodes[-1].kind, nodes[-1].endpoint) == ("root/new", CONTROLLER, "grpc://h:1")
    assert misses_a_node(TREE, told)
    assert not misses_a_node(TREE, {"root": (status("ru"), status("df"))})


def test_a_controller_that_did_not_answer_keeps_what_was_below_it() -> None:
    new = DescribedNode("root", CONTROLLER, (DescribedNode("df", None), DescribedNode("ru", CONTROLLER)))
    assert merged(TREE, new) == TREE
    assert merged(None, new) == new


def test_a_node_that_vanished_from_the_description_is_gone() -> None:
    new = DescribedNode("root", CONTROLLER, (DescribedNode("ru", CONTROLLER),))
    assert merged(TREE, new) == new


def test_controllers_by_kind_or_by_address() -> None:
    unsure = DescribedNode("root", CONTROLLER, (DescribedNode("x", None), DescribedNode("y", None)))
    found = [path for path, _ in controllers(unsure, {"x": "grpc://h:1", "y": "rest://h:2"})]
    assert found == ["root", "root/x"]
