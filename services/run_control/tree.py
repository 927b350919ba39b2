"""The application tree: from what ``describe`` and the status calls tell to flat nodes in tree order."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from services.run_control.adapter import DescribedNode, NodeStatus
from services.run_control.node_types import Node, NodeKind

# Path of a node → the status of its children, in the order of the configuration.
ChildrenByPath = Mapping[str, tuple[NodeStatus, ...]]


def merged(old: DescribedNode | None, new: DescribedNode) -> DescribedNode:
    """Return ``new``, with what ``old`` knew of nodes that did not answer this time and of all below them."""
    if old is None:
        return new
    if new.kind is None:
        return replace(old, name=new.name)
    known = {child.name: child for child in old.children}
    return replace(new, children=tuple(merged(known.get(child.name), child) for child in new.children))


def controllers(tree: DescribedNode, addresses: Mapping[str, str]) -> Iterator[tuple[str, DescribedNode]]:
    """Yield path and node of every controller, the root first."""
    for path, node in _walk(tree, ""):
        if _kind(node, addresses) is NodeKind.CONTROLLER:
            yield path, node


def _walk(node: DescribedNode, parent: str) -> Iterator[tuple[str, DescribedNode]]:
    path = f"{parent}/{node.name}" if parent else node.name
    yield path, node
    for child in node.children:
        yield from _walk(child, path)


def _kind(node: DescribedNode, addresses: Mapping[str, str]) -> NodeKind:
    if node.kind is not None:
        return node.kind
    return NodeKind.CONTROLLER if addresses.get(node.name, "").startswith("grpc://") else NodeKind.APPLICATION


def misses_a_node(tree: DescribedNode, told: ChildrenByPath) -> bool:
    """Tell whether a status call told of a child that the tree does not have, or lacks one that it has."""
    return any(
        path in told and {child.name for child in node.children} != {status.name for status in told[path]}
        for path, node in _walk(tree, "")
    )


def flattened(
    tree: DescribedNode, root: NodeStatus, told: ChildrenByPath, addresses: Mapping[str, str], now: datetime
) -> tuple[Node, ...]:
    """Return all nodes, parents before children, siblings in the order of the configuration where it is known.

    Attributes:
        tree: Names and kinds.
        root: Status of the root.
        told: Status of the children, of every controller that answered.
        addresses: Node name to ``grpc://…`` or ``rest://…``.
        now: When the status was read.
    """
    nodes: list[Node] = []

    def add(node: DescribedNode, path: str, status: NodeStatus | None) -> None:
        nodes.append(_node(node, path, status, addresses, now))
        statuses = {child.name: child for child in told.get(path, ())}
        for child in _in_order(node, tuple(statuses)):
            add(child, f"{path}/{child.name}", statuses.get(child.name))

    add(tree, tree.name, root)
    return tuple(nodes)


def _in_order(node: DescribedNode, told: tuple[str, ...]) -> list[DescribedNode]:
    """Return the children in the order told, then those not told of; a child told of may not be described yet."""
    described = {child.name: child for child in node.children}
    first = [described.get(name) or DescribedNode(name, None) for name in told]
    rest = [described[name] for name in sorted(described) if name not in told]
    return first + rest


def _node(
    node: DescribedNode, path: str, status: NodeStatus | None, addresses: Mapping[str, str], now: datetime
) -> Node:
    found = Node(
        path=path,
        name=node.name,
        kind=_kind(node, addresses),
        depth=path.count("/"),
        endpoint=addresses.get(node.name),
        detector=node.detector,
    )
    if status is None:
        return found
    return replace(
        found,
        state=status.state,
        sub_state=status.sub_state,
        in_error=status.in_error,
        included=status.included,
        seen_at=now,
    )
