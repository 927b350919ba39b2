"""How the controllers of G2 and G3 differ in behaviour; what they say on the wire is their dialect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.flags import FsmFlag, ResponseFlag
from simulator.replies import Address, FsmResult, Reply
from simulator.targets import Route, by_name, by_pattern

Router = Callable[[Address, str, Sequence[str]], Route]

# What the controllers of G3 list; the client runs them transition by transition (contract 12.3).
SEQUENCES: Mapping[str, tuple[str, ...]] = {
    "start_run": ("conf", "start", "enable_triggers"),
    "stop_run": ("disable_triggers", "drain_dataflow", "stop_trigger_sources", "stop"),
    "shutdown": ("disable_triggers", "drain_dataflow", "stop_trigger_sources", "stop", "scrap"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Behaviour of one generation.

    Attributes:
        route: Reads targets (contract 11).
        workers: Threads that answer; with one, requests wait for each other (contract 10.1).
        serves_at_once: Whether a controller answers while it still looks for its children (contract 10.3).
        reports_failures: Whether a node whose child failed says so of itself (contract 10.5, step 6).
        tolerated_flags: Flags of a child that are no failure of a transition.
        tolerated_fsm_flags: FSM flags of a child that are no failure of a transition.
        quotes_names: Whether the texts of include and exclude put the node's name in quotes (contract 10.6).
        keys_fail: Whether keys of ``describe_fsm`` other than the two general ones raise (contract 10.4).
        experts_reach_excluded: Whether expert commands visit excluded nodes (contract 10.6).
        recomputes_strictly: Whether recomputing trips over no child and over ``idle`` (contract 10.7).
        idle_after_failure: Whether an application is ``idle`` again after a failed transition (contract 10.3).
        sequences: Sequences that ``describe_fsm`` lists.
    """

    route: Router
    workers: int
    serves_at_once: bool = False
    reports_failures: bool = False
    tolerated_flags: frozenset[ResponseFlag] = frozenset({ResponseFlag.EXECUTED_SUCCESSFULLY})
    tolerated_fsm_flags: frozenset[FsmFlag] = frozenset(
        {FsmFlag.FSM_EXECUTED_SUCCESSFULLY, FsmFlag.FSM_NOT_EXECUTED_EXCLUDED}
    )
    quotes_names: bool = False
    keys_fail: bool = False
    experts_reach_excluded: bool = False
    recomputes_strictly: bool = False
    idle_after_failure: bool = False
    sequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def transition_succeeded(self, child: Reply) -> bool:
        """Tell whether a child made its transition; a node that only passed it on did."""
        if child.flag not in self.tolerated_flags:
            return False
        return not isinstance(child.body, FsmResult) or child.body.flag in self.tolerated_fsm_flags


G2_RULES = Rules(
    route=by_pattern,
    workers=1,
    keys_fail=True,
    experts_reach_excluded=True,
    recomputes_strictly=True,
)
G3_RULES = Rules(
    route=by_name,
    workers=6,
    serves_at_once=True,
    reports_failures=True,
    tolerated_flags=frozenset({ResponseFlag.EXECUTED_SUCCESSFULLY, ResponseFlag.NOT_EXECUTED_NOT_IMPLEMENTED}),
    tolerated_fsm_flags=G2_RULES.tolerated_fsm_flags | {FsmFlag.FSM_INVALID_TRANSITION},
    quotes_names=True,
    idle_after_failure=True,
    sequences=SEQUENCES,
)
