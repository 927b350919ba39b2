"""A controller of G2 or G3: targets, recursion, ownership, transitions (contract 7, 8, 10, 11)."""

import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import grpc

from simulator.broadcast import Broadcaster
from simulator.controller import STOP_GRACE_S
from simulator.flags import BroadcastType, FsmFlag, ResponseFlag
from simulator.forwarding import Forwarder, tolerated
from simulator.fsm import ALL_TRANSITIONS, FsmConfiguration, Transition, Value
from simulator.g1 import INITIAL_OWNER, NOBODY, BadPayloadError, DruncError, Owner
from simulator.node_state import NodeState
from simulator.opmon import Monitor, fsm_status, run_info
from simulator.replies import (
    HERE_ONLY,
    INITIALISING,
    Address,
    Body,
    Dialect,
    FsmDescription,
    FsmResult,
    NodeDescription,
    NodeStatus,
    Order,
    Reply,
    RunInfo,
    Text,
)
from simulator.rules import Rules
from simulator.stand_in import IDLE
from simulator.targets import Route, ends_at_child
from simulator.traffic import Interceptor
from simulator.transition import walk
from simulator.tree_children import MissingChild, RemoteController, TreeApplication

log = logging.getLogger(__name__)

TreeChild = RemoteController | TreeApplication | MissingChild
NEEDS_CONTROL = frozenset(
    {
        "execute_fsm_command",
        "execute_expert_command",
        "include",
        "exclude",
        "surrender_control",
        "recompute_status",
        "to_error",
    }
)
# In the order in which ``describe`` lists them.
COMMANDS = (
    "describe",
    "status",
    "describe_fsm",
    "execute_fsm_command",
    "execute_expert_command",
    "include",
    "exclude",
    "recompute_status",
    "take_control",
    "surrender_control",
    "who_is_in_charge",
)


@dataclass(frozen=True, slots=True)
class Voices:
    """How a controller makes itself heard on Kafka.

    Attributes:
        broadcaster: Sends its broadcasts.
        monitor: Publishes what it measures.
        complain: Tells in words, as an ERS issue, that it is in error; only G3 does.
    """

    broadcaster: Broadcaster
    monitor: Monitor
    complain: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a controller is: its name, its session, and the configuration that the session was booted from."""

    name: str
    session: str
    configuration_file: str
    configuration_id: str


class TreeController:
    """One controller of a session's tree."""

    def __init__(
        self,
        identity: Identity,
        fsm: FsmConfiguration,
        voices: Voices,
        dialect: Dialect,
        rules: Rules,
        *,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Control nobody yet; nothing is served before ``serve``. ``interceptors`` see every request."""
        self._identity = identity
        self._name = identity.name
        self._fsm = fsm
        self._broadcaster = voices.broadcaster
        self._voices = voices
        self._dialect = dialect
        self._rules = rules
        self._node = NodeState(voices.broadcaster, self._changed)
        self._was_in_error = False
        self._owner = INITIAL_OWNER
        self._children: Mapping[str, TreeChild] = {}
        self._forwarder = Forwarder((), voices.broadcaster, self._name)
        self._ready = False
        self._walking = threading.Lock()
        self._run: RunInfo | None = None
        self._endpoint = ""
        self._server = grpc.server(
            ThreadPoolExecutor(rules.workers, thread_name_prefix=f"simulator-{self._name}"),
            interceptors=list(interceptors),
            options=[("grpc.so_reuseport", 0)],
        )
        self._handlers: Mapping[str, Callable[[Order, Route], Reply]] = {
            "describe": self._simple(self._describe),
            "status": self._simple(self._status),
            "describe_fsm": self._simple(self._describe_fsm),
            "log_on_server": self._simple(self._log),
            "who_is_in_charge": self._simple(lambda _order: Text(self._owner.user_name)),
            "to_error": self._simple(self._to_error),
            "execute_fsm_command": self._execute,
            "execute_expert_command": self._expert,
            "include": lambda order, route: self._set_included(order, route, included=True),
            "exclude": lambda order, route: self._set_included(order, route, included=False),
            "take_control": self._take_control,
            "surrender_control": self._surrender_control,
            "recompute_status": self._recompute,
        }

    def adopt(self, children: Sequence[TreeChild]) -> None:
        """Describe the children and take control of them with the controller's own token (contract 8.1)."""
        self._children = {child.name: child for child in children}
        self._forwarder.close()
        self._forwarder = Forwarder(children, self._broadcaster, self._name)
        for rpc in ("describe", "take_control"):
            order = Order(rpc, INITIAL_OWNER, Address(along_path=False, all_below=False))
            self._forwarder.forward(rpc, order)
        if any(isinstance(child, MissingChild) for child in children):
            self._node.latch_error()
        self._ready = True

    def serve(self) -> str:
        """Answer requests from now on; return the address."""
        self._server.add_generic_rpc_handlers((self._dialect.handler(self._name, self.answer),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._endpoint = f"grpc://127.0.0.1:{port}"
        self._server.start()
        self._broadcaster.send(BroadcastType.SERVER_READY, "ready")
        return f"127.0.0.1:{port}"

    def stop(self, *, orderly: bool = True) -> None:
        """Answer no more; an orderly end is broadcast."""
        if orderly:
            self._broadcaster.send(BroadcastType.SERVER_SHUTDOWN, "over_and_out")
        self._server.stop(STOP_GRACE_S if orderly else None).wait(2 * STOP_GRACE_S)
        self._forwarder.close()

    def wedge(self) -> None:
        """Leave the node in the middle of a transition, as a failed mandatory action does (contract 10.5, step 3)."""
        self._node.advance("preparing-start")

    def to_error(self) -> None:
        """Go in error, as the RPC of that name does (contract 10.7)."""
        self._node.latch_error()

    @property
    def node(self) -> NodeState:
        """State of the node."""
        return self._node

    def include_as_holder(self, path: str, *, included: bool) -> None:
        """Include or exclude what is at ``path``, from this node on, as whoever holds control would."""
        rpc, owner = "include" if included else "exclude", self._owner
        order = Order(rpc, owner, Address(path, along_path=False, all_below=True))
        self.answer(rpc, owner, lambda: order)

    def measure(self) -> None:
        """Publish the state."""
        node = self._node
        self._voices.monitor.publish(
            fsm_status(node.state, node.sub_state, in_error=node.in_error, included=node.included)
        )

    def _changed(self) -> None:
        self.measure()
        if self._node.in_error and not self._was_in_error:
            self._voices.complain(f"{self._name} is now in an error state")
        self._was_in_error = self._node.in_error

    def answer(self, rpc: str, asker: Owner, read: Callable[[], Order]) -> Reply:
        """Take a request through the pipeline (contract 7.1).

        Raises:
            Exception: What the handler raises; the dialect makes an answer of it.
        """
        self._broadcaster.send(BroadcastType.ACK, f"User '{asker.user_name}' executing '{rpc}'")
        started_ns = time.perf_counter_ns()
        reply = self._checked(rpc, asker, read)
        command = reply.body.transition if isinstance(reply.body, FsmResult) else rpc
        self._voices.monitor.command_took(command, time.perf_counter_ns() - started_ns)
        text = f"User '{asker.user_name}' successfully executed '{rpc}'"
        self._broadcaster.send(BroadcastType.COMMAND_EXECUTION_SUCCESS, text)
        return reply

    def _checked(self, rpc: str, asker: Owner, read: Callable[[], Order]) -> Reply:
        if rpc in NEEDS_CONTROL and asker != self._owner:
            refusal = Text(f"User {asker.user_name} is not in control of Controller")
            return Reply(self._name, refusal, ResponseFlag.NOT_EXECUTED_NOT_IN_CONTROL)
        try:
            order = read()
        except BadPayloadError as error:
            return Reply(self._name, Text(str(error)), ResponseFlag.NOT_EXECUTED_BAD_REQUEST_FORMAT)
        route = self._rules.route(order.address, self._name, tuple(self._children))
        if route.flag is not ResponseFlag.EXECUTED_SUCCESSFULLY:
            text = Text(f"The target {order.address.target} does not begin with {self._name}")
            return Reply(self._name, text, route.flag)
        return self._handlers[rpc](order, route)

    def _simple(self, own: Callable[[Order], Body | None]) -> Callable[[Order, Route], Reply]:
        """Return the handler of an RPC that a node answers without regard to what its children say."""

        def handle(order: Order, route: Route) -> Reply:
            body = own(order) if route.here else None
            return Reply(self._name, body, children=self._forward(order, route))

        return handle

    def _forward(self, order: Order, route: Route, *, skip_excluded: bool = False) -> tuple[Reply, ...]:
        """Pass an order on to the children of a route, each with its own address."""
        orders = [
            (self._children[name], replace(order, address=address))
            for name, address in route.below
            if self._children[name].included or not skip_excluded
        ]
        return self._forwarder.forward_each(order.rpc, orders) if orders else ()

    def _describe(self, _order: Order) -> Body:
        return NodeDescription(
            "controller",
            self._name,
            self._endpoint,
            "",
            self._identity.session,
            COMMANDS,
            self._broadcaster.configuration(),
        )

    def _status(self, _order: Order) -> NodeStatus:
        node = self._node
        if not self._ready:
            return NodeStatus(INITIALISING, INITIALISING, node.in_error, node.included)
        return NodeStatus(node.state, node.sub_state, node.in_error, node.included, self._run_now())

    def _run_now(self) -> RunInfo | None:
        run = self._run
        return None if run is None else replace(run, lasted=max(0, int(time.time()) - run.started_at))

    def _describe_fsm(self, order: Order) -> Body:
        """Describe what a key names.

        Raises:
            NameError: G2 does not survive a particular key (contract 10.4).
        """
        if self._rules.keys_fail and order.text not in ("", ALL_TRANSITIONS):
            raise NameError("name 'transitions' is not defined")
        selected = self._fsm.select(order.text, self._node.state)
        described = tuple((transition, self._fsm.arguments.get(transition.name, ())) for transition in selected)
        return FsmDescription(self._name, self._identity.session, described, self._rules.sequences)

    def _log(self, order: Order) -> None:
        log.info("text for the log node=%s text=%r", self._name, order.text)

    def _to_error(self, _order: Order) -> None:
        self._node.latch_error()

    def _execute(self, order: Order, route: Route) -> Reply:
        """Make a transition, or only pass it on.

        Raises:
            DruncError: The transition is unknown, an argument is missing or wrong, or an action failed.
        """
        if not route.here:
            return Reply(self._name, children=self._forward(order, route, skip_excluded=True))
        if not self._ready:
            result = FsmResult(FsmFlag.FSM_FAILED, order.transition)
            return Reply(self._name, result, ResponseFlag.NOT_EXECUTED_NOT_READY)
        if self._node.in_error:
            return self._fsm_reply(order, FsmFlag.FSM_NOT_EXECUTED_IN_ERROR)
        if not self._node.included:
            return self._fsm_reply(order, FsmFlag.FSM_NOT_EXECUTED_EXCLUDED)
        if not self._fsm.knows(order.transition):
            raise DruncError(f"The transition {order.transition} does not exist")
        if not self._walking.acquire(blocking=False):
            return self._fsm_reply(order, FsmFlag.FSM_INVALID_TRANSITION)
        try:
            return self._walk(order, route, self._fsm.find(order.transition))
        finally:
            self._walking.release()

    def _walk(self, order: Order, route: Route, transition: Transition) -> Reply:
        if self._node.busy or not transition.possible_from(self._node.state):
            return self._fsm_reply(order, FsmFlag.FSM_INVALID_TRANSITION)
        values = self._fsm.resolve(transition.name, order.arguments)
        # What the actions of this node and of those above it know.
        known = json.loads(order.data or "{}")

        def propagate(added: dict[str, Value]) -> tuple[Reply, ...]:
            known.update(added)
            return self._forward(replace(order, data=json.dumps(known)), route, skip_excluded=True)

        succeeded = self._rules.transition_succeeded
        prepare = functools.partial(self._fsm.prepare, transition.name, values)
        children = walk(self._node, transition, prepare, propagate, succeeded)
        self._note_run(transition.name, known)
        failed = self._rules.reports_failures and not all(succeeded(child) for child in children)
        flag = FsmFlag.FSM_FAILED if failed else FsmFlag.FSM_EXECUTED_SUCCESSFULLY
        return self._fsm_reply(order, flag, children)

    def _fsm_reply(self, order: Order, flag: FsmFlag, children: tuple[Reply, ...] = ()) -> Reply:
        return Reply(self._name, FsmResult(flag, order.transition), children=children)

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
            self._measure_run(self._run)
        elif transition == "change_rate" and self._run is not None and "trigger_rate" in known:
            self._run = replace(self._run, trigger_rate=float(known["trigger_rate"]))
        elif transition == "stop":
            self._run = None

    def _measure_run(self, run: RunInfo) -> None:
        self._voices.monitor.publish(
            run_info(run.run_number, run.run_type, run.trigger_rate, disable_data_storage=run.disable_data_storage)
        )

    def _expert(self, order: Order, route: Route) -> Reply:
        children = self._forward(order, route, skip_excluded=not self._rules.experts_reach_excluded)
        body = Text(f"{self._name} propagated expert command") if route.here else None
        return Reply(self._name, body, children=children)

    def _set_included(self, order: Order, route: Route, *, included: bool) -> Reply:
        """Include or exclude the node, and mark those children that are (contract 10.6)."""
        children = self._forward(order, route)
        for name, address in route.below:
            if ends_at_child(address, name):
                self._children[name].included = included
        return Reply(self._name, self._include_self(included=included) if route.here else None, children=children)

    def _include_self(self, *, included: bool) -> Text:
        word = "included" if included else "excluded"
        shown = f"'{self._name}'" if self._rules.quotes_names else self._name
        if self._node.included == included:
            return Text(f"{shown} is already {word}")
        self._node.include(included=included)
        return Text(f"{shown} {word}")

    def _take_control(self, order: Order, route: Route) -> Reply:
        """Steal control, silently (contract 8.1, 8.2)."""
        if route.here:
            self._owner = order.asker
        children = self._forward(order, route)
        if not route.here:
            return Reply(self._name, children=children)
        text = f"{order.asker.user_name} took control on {self._name}"
        if not all(tolerated(child) for child in children):
            text += ", could not take control for all children"
        return Reply(self._name, Text(text), children=children)

    def _surrender_control(self, order: Order, route: Route) -> Reply:
        """Release control, and say that it failed; the children are asked (contract 8.3)."""
        if route.here:
            self._owner = NOBODY
        body = Text(f"Could not surrender control on {self._name}") if route.here else None
        return Reply(self._name, body, children=self._forward(order, route))

    def _recompute(self, order: Order, route: Route) -> Reply:
        """Take over the state of the included children, or go in error if they do not agree (contract 10.7).

        Raises:
            IndexError: There is no included child, in G2.
        """
        children = self._forward(order, route, skip_excluded=True)
        if not route.here:
            return Reply(self._name, children=children)
        statuses = self._included_statuses(order.asker)
        agreed = all(tolerated(child) for child in children) and self._agree(statuses)
        if not agreed:
            self._node.latch_error()
        elif statuses:
            self._node.recover(statuses[0].state, self._comparable(statuses[0], forced=True))
        else:
            self._node.recover(self._node.state, self._node.state)
        return Reply(self._name, self._status(order), children=children)

    def _included_statuses(self, asker: Owner) -> list[NodeStatus]:
        """Ask the included children for their own status; one that does not tell is in error."""
        order = Order("status", asker, HERE_ONLY)
        included = [(child, order) for child in self._children.values() if child.included]
        if not included and self._rules.recomputes_strictly:
            raise IndexError("list index out of range")
        replies = self._forwarder.forward_each("status", included) if included else ()
        unknown = NodeStatus("unknown", "unknown", in_error=True, included=True)
        return [reply.body if isinstance(reply.body, NodeStatus) else unknown for reply in replies]

    def _agree(self, statuses: Sequence[NodeStatus]) -> bool:
        states = {status.state for status in statuses}
        sub_states = {self._comparable(status) for status in statuses}
        return len(states) <= 1 and len(sub_states) <= 1 and not any(status.in_error for status in statuses)

    def _comparable(self, status: NodeStatus, *, forced: bool = False) -> str:
        """Return the sub-state to compare or to take over; ``idle`` means the state, but not to G2's comparison."""
        lenient = forced or not self._rules.recomputes_strictly
        return status.state if lenient and status.sub_state == IDLE else status.sub_state
