"""A G1 controller: its RPCs (contract 4.2, 8, 10) behind the pipeline, served by one worker thread."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.children import Child
from simulator.flags import BroadcastType, ResponseFlag
from simulator.forwarding import Forwarder, tolerated
from simulator.fsm import FsmConfiguration
from simulator.g1 import INITIAL_OWNER, NOBODY
from simulator.node_state import NodeState
from simulator.pipeline import Answer, Call, Pipeline, Rpc
from simulator.traffic import Interceptor
from simulator.transition import TransitionExecutor

# RPC, data types, return type as ``describe`` tells them, in its order. Some are wrong in the original, too.
_FSM_COMMAND = ("controller_pb2.FSMCommand",)
_TEXT = ("generic_pb2.PlainText", "None")
_NONE = ("None",)
_COMMANDS = (
    ("describe", _NONE, "request_response_pb2.Description"),
    ("get_children_status", _TEXT, "controller_pb2.ChildrenStatus"),
    ("get_status", _NONE, "controller_pb2.Status"),
    ("ls", _NONE, "generic_pb2.PlainTextVector"),
    ("describe_fsm", _TEXT, "request_response_pb2.Description"),
    ("execute_fsm_command", _FSM_COMMAND, "controller_pb2.FSMCommandResponse"),
    ("include", _FSM_COMMAND, "controller_pb2.FSMCommandResponse"),
    ("exclude", _FSM_COMMAND, "controller_pb2.FSMCommandResponse"),
    ("take_control", _NONE, "generic_pb2.PlainText"),
    ("surrender_control", _NONE, "generic_pb2.PlainText"),
    ("who_is_in_charge", _NONE, "generic_pb2.PlainText"),
)
STOP_GRACE_S = 0.2


class Controller:
    """One controller of a session's tree."""

    def __init__(
        self,
        session: str,
        name: str,
        fsm: FsmConfiguration,
        children: Sequence[Child],
        broadcaster: Broadcaster,
        *,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Control ``children``; nothing is served before ``serve``. ``interceptors`` see every request."""
        self._session = session
        self._name = name
        self._fsm = fsm
        self._broadcaster = broadcaster
        self._node = NodeState(broadcaster)
        self._owner = INITIAL_OWNER
        self._children = tuple(children)
        self._forwarder = Forwarder(children, broadcaster, name)
        self._executor = TransitionExecutor(fsm, self._node, self._forwarder)
        # One worker: commands and reads wait for each other (contract 10.1).
        self._server = grpc.server(
            ThreadPoolExecutor(1, thread_name_prefix=f"simulator-{name}"),
            interceptors=list(interceptors),
            options=[("grpc.so_reuseport", 0)],
        )

    def take_children(self) -> None:
        """Describe the children and take control of them with the controller's own token (contract 8.1)."""
        request = g1.request(g1.token_message(INITIAL_OWNER))
        for rpc in ("describe", "take_control"):
            self._forwarder.forward(rpc, request)

    def serve(self) -> str:
        """Answer requests from now on; return the address."""
        pipeline = Pipeline(self._name, self._broadcaster, lambda: self._owner)
        behaviours = {rpc.name: pipeline.unary(rpc) for rpc in self._rpcs()}
        self._server.add_generic_rpc_handlers((g1.service_handler(g1.CONTROLLER, behaviours),))
        port = self._server.add_insecure_port("127.0.0.1:0")
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
        """Go in error; G1 has no way back but a reboot."""
        self._node.latch_error()

    @property
    def node(self) -> NodeState:
        """State of the node."""
        return self._node

    def include_as_holder(self, path: str, *, included: bool) -> None:  # noqa: ARG002 - G1 knows no targets
        """Include or exclude the node and what is below it, as whoever holds control would.

        Raises:
            DruncError: It is so already.
        """
        call = Call(g1.token_message(self._owner), None)
        self._set_included(call, "include" if included else "exclude", included=included)

    def _rpcs(self) -> tuple[Rpc, ...]:
        return (
            Rpc("describe", self._describe),
            Rpc("ls", self._ls),
            Rpc("get_status", self._get_status),
            Rpc("get_children_status", self._get_children_status),
            Rpc("describe_fsm", self._describe_fsm, payload="PlainText"),
            Rpc(
                "execute_fsm_command",
                self._executor.execute,
                payload="FSMCommand",
                needs_control=True,
                echoes_token=True,
            ),
            Rpc("include", self._include, needs_control=True, echoes_token=True),
            Rpc("exclude", self._exclude, needs_control=True, echoes_token=True),
            Rpc("take_control", self._take_control, echoes_token=True),
            Rpc("surrender_control", self._surrender_control, needs_control=True, echoes_token=True),
            Rpc("who_is_in_charge", self._who_is_in_charge),
        )

    def _describe(self, call: Call) -> Answer:
        commands = [
            g1.make("CommandDescription", name=name, data_type=data_types, help=name, return_type=return_type)
            for name, data_types, return_type in _COMMANDS
        ]
        description = g1.make(
            "Description",
            type="controller",
            name=self._name,
            session=self._session,
            commands=commands,
            broadcast=self._broadcaster.configuration(),
        )
        return Answer(description, children=self._forwarder.forward("describe", g1.request(call.token)))

    def _ls(self, _call: Call) -> Answer:
        return Answer(g1.make("PlainTextVector", text=[child.name for child in self._children]))

    def _get_status(self, _call: Call) -> Answer:
        node = self._node
        status = g1.make(
            "Status",
            name=self._name,
            state=node.shown,
            sub_state=node.sub_state,
            in_error=node.in_error,
            included=node.included,
        )
        return Answer(status)

    def _get_children_status(self, call: Call) -> Answer:
        request = g1.request(call.token)
        statuses = [child.status(request) for child in self._children]
        return Answer(g1.make("ChildrenStatus", children_status=statuses))

    def _describe_fsm(self, call: Call) -> Answer:
        key = call.payload.text if call.payload is not None else ""
        selected = self._fsm.select(key, self._node.state)
        description = g1.make(
            "FSMCommandsDescription",
            type="controller",
            name=self._name,
            session=self._session,
            commands=[self._fsm.described(transition) for transition in selected],
        )
        return Answer(description)

    def _include(self, call: Call) -> Answer:
        return self._set_included(call, "include", included=True)

    def _exclude(self, call: Call) -> Answer:
        return self._set_included(call, "exclude", included=False)

    def _set_included(self, call: Call, rpc: str, *, included: bool) -> Answer:
        """The children first, then the node itself, which may refuse (contract 10.6).

        Raises:
            DruncError: The node is so already.
        """
        word = "included" if included else "excluded"
        children = self._forwarder.forward(rpc, g1.request(call.token))
        if self._node.included == included:
            raise g1.DruncError(f"{self._name} is already {word}")
        self._node.include(included=included)
        return Answer(g1.plain_text(f"{self._name} and children {word}"), children=children)

    def _take_control(self, call: Call) -> Answer:
        """Steal control, silently; the node itself is taken even if a child is not (contract 8.2)."""
        self._owner = call.owner
        children = self._forwarder.forward("take_control", g1.request(call.token))
        if all(tolerated(child) for child in children):
            return Answer(g1.plain_text(f"{call.token.user_name} took control"), children=children)
        return Answer(g1.plain_text("Could not take control on all children"), ResponseFlag.FAILED, children)

    def _surrender_control(self, _call: Call) -> Answer:
        """Release control, and say that it failed; the children are not asked (contract 8.3)."""
        self._owner = NOBODY
        return Answer(g1.plain_text("Could not surrender control"), ResponseFlag.FAILED)

    def _who_is_in_charge(self, _call: Call) -> Answer:
        return Answer(g1.plain_text(self._owner.user_name))
