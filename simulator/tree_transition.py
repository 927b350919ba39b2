"""``execute_fsm_command`` of G2 and G3 step by step, and the run that it begins and ends (contract 10.5, 13)."""

import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import FsmConfiguration, Transition, Value
from simulator.g1 import DruncError
from simulator.identity import Identity
from simulator.node_state import NodeState
from simulator.opmon import Monitor, run_info
from simulator.replies import FsmResult, Order, Reply, RunInfo
from simulator.rules import Rules
from simulator.targets import Route
from simulator.transition import walk


class TreeTransitions:
    """Takes one controller and the included part of what is below it through transitions, one at a time."""

    def __init__(
        self,
        identity: Identity,
        fsm: FsmConfiguration,
        node: NodeState,
        rules: Rules,
        *,
        monitor: Monitor,
        forward: Callable[[Order, Route], tuple[Reply, ...]],
    ) -> None:
        """Execute for the controller whose state is ``node``; ``forward`` asks its included children."""
        self._identity = identity
        self._fsm = fsm
        self._node = node
        self._rules = rules
        self._monitor = monitor
        self._forward = forward
        self._walking = threading.Lock()
        self._run: RunInfo | None = None

    @property
    def run(self) -> RunInfo | None:
        """What is known of the current run; None outside of one."""
        run = self._run
        return None if run is None else replace(run, lasted=max(0, int(time.time()) - run.started_at))

    def execute(self, order: Order, route: Route, *, ready: bool) -> Reply:
        """Make a transition, or only pass it on; a controller that is not ``ready`` yet refuses.

        Raises:
            DruncError: The transition is unknown, an argument is missing or wrong, or an action failed.
        """
        if not route.here:
            return Reply(self._identity.name, children=self._forward(order, route))
        if not ready:
            result = FsmResult(FsmFlag.FSM_FAILED, order.transition)
            return Reply(self._identity.name, result, ResponseFlag.NOT_EXECUTED_NOT_READY)
        if self._node.in_error:
            return self._reply(order, FsmFlag.FSM_NOT_EXECUTED_IN_ERROR)
        if not self._node.included:
            return self._reply(order, FsmFlag.FSM_NOT_EXECUTED_EXCLUDED)
        if not self._fsm.knows(order.transition):
            raise DruncError(f"The transition {order.transition} does not exist")
        if not self._walking.acquire(blocking=False):
            return self._reply(order, FsmFlag.FSM_INVALID_TRANSITION)
        try:
            return self._walk(order, route, self._fsm.find(order.transition))
        finally:
            self._walking.release()

    def _walk(self, order: Order, route: Route, transition: Transition) -> Reply:
        if self._node.busy or not transition.possible_from(self._node.state):
            return self._reply(order, FsmFlag.FSM_INVALID_TRANSITION)
        values = self._fsm.resolve(transition.name, order.arguments)
        # What the actions of this node and of those above it know.
        known = json.loads(order.data or "{}")

        def propagate(added: dict[str, Value]) -> tuple[Reply, ...]:
            known.update(added)
            return self._forward(replace(order, data=json.dumps(known)), route)

        succeeded = self._rules.transition_succeeded
        prepare = functools.partial(self._fsm.prepare, transition.name, values)
        children = walk(self._node, transition, prepare, propagate, succeeded)
        self._note_run(transition.name, known)
        failed = self._rules.reports_failures and not all(succeeded(child) for child in children)
        flag = FsmFlag.FSM_FAILED if failed else FsmFlag.FSM_EXECUTED_SUCCESSFULLY
        return self._reply(order, flag, children)

    def _reply(self, order: Order, flag: FsmFlag, children: tuple[Reply, ...] = ()) -> Reply:
        return Reply(self._identity.name, FsmResult(flag, order.transition), children=children)

    def _note_run(self, transition: str, known: Mapping[str, Value]) -> None:
        """Remember the run from its start to its stop."""
        if transition == "start" and "run" in known:
            self._run = RunInfo(
                run_type=str(known["production_vs_test"]),
                trigger_rate=float(known["trigger_rate"]),
                run_number=int(known["run"]),
                disable_data_storage=bool(known["disable_data_storage"]),
                started_at=int(time.time()),
                lasted=0,
                configuration_file=self._identity.configuration_file,
                configuration_name=self._identity.configuration_id,
            )
            self._measure(self._run)
        elif transition == "change_rate" and self._run is not None and "trigger_rate" in known:
            self._run = replace(self._run, trigger_rate=float(known["trigger_rate"]))
        elif transition == "stop":
            self._run = None

    def _measure(self, run: RunInfo) -> None:
        self._monitor.publish(
            run_info(run.run_number, run.run_type, run.trigger_rate, disable_data_storage=run.disable_data_storage)
        )
