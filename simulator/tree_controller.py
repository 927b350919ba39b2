"""A controller of G2 or G3: targets, recursion, ownership, transitions (contract 7, 8, 10, 11)."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc

from simulator.controller import STOP_GRACE_S
from simulator.flags import BroadcastType, ResponseFlag
from simulator.forwarding import Forwarder, tolerated
from simulator.fsm import ALL_TRANSITIONS, FsmConfiguration
from simulator.g1 import INITIAL_OWNER, NOBODY, BadPayloadError, Owner
from simulator.identity import Identity, Voices
from simulator.node_state import NodeState
from simulator.opmon import fsm_status
from simulator.recomputing import recompute
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
    Text,
)
from simulator.rules import Rules
from simulator.targets import Route, ends_at_child
from simulator.traffic import Interceptor
from simulator.tree_children import MissingChild, RemoteController, TreeApplication
from simulator.tree_transition import TreeTransitions

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
        self._transitions = TreeTransitions(
            identity,
            fsm,
            self._node,
            rules,
            monitor=voices.monitor,
            forward=lambda order, route: self._forward(order, route, skip_excluded=True),
        )
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
            "execute_fsm_command": lambda order, route: self._transitions.execute(order, route, ready=self._ready),
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
        return NodeStatus(node.state, node.sub_state, node.in_error, node.included, self._transitions.run)

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
        recompute(self._node, self._rules, children, self._included_statuses(order.asker))
        return Reply(self._name, self._status(order), children=children)

    def _included_statuses(self, asker: Owner) -> tuple[Reply, ...]:
        """Ask the included children for their own status."""
        order = Order("status", asker, HERE_ONLY)
        included = [(child, order) for child in self._children.values() if child.included]
        if not included and self._rules.recomputes_strictly:
            raise IndexError("list index out of range")
        return self._forwarder.forward_each("status", included) if included else ()
