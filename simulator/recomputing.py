"""How a controller of G2 or G3 takes over the state of its children (contract 10.7)."""

from collections.abc import Sequence

from simulator.forwarding import tolerated
from simulator.node_state import NodeState
from simulator.replies import NodeStatus, Reply
from simulator.rules import Rules
from simulator.stand_in import IDLE

# What a child is taken for that does not tell.
_UNTOLD = NodeStatus("unknown", "unknown", in_error=True, included=True)


def recompute(node: NodeState, rules: Rules, children: Sequence[Reply], told: Sequence[Reply]) -> None:
    """Let a node be what its included children are, or in error if they do not agree.

    ``children`` are their answers to the command, ``told`` those to the question for their status.
    """
    statuses = [reply.body if isinstance(reply.body, NodeStatus) else _UNTOLD for reply in told]
    agreed = all(tolerated(child) for child in children) and _agree(rules, statuses)
    if not agreed:
        node.latch_error()
    elif statuses:
        node.recover(statuses[0].state, _comparable(rules, statuses[0], forced=True))
    else:
        node.recover(node.state, node.state)


def _agree(rules: Rules, statuses: Sequence[NodeStatus]) -> bool:
    states = {status.state for status in statuses}
    sub_states = {_comparable(rules, status) for status in statuses}
    return len(states) <= 1 and len(sub_states) <= 1 and not any(status.in_error for status in statuses)


def _comparable(rules: Rules, status: NodeStatus, *, forced: bool = False) -> str:
    """Return the sub-state to compare or to take over; ``idle`` means the state, but not to G2's comparison."""
    lenient = forced or not rules.recomputes_strictly
    return status.state if lenient and status.sub_state == IDLE else status.sub_state
