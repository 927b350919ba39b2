"""The children of a G2 or G3 controller: other controllers over gRPC, applications, and those never found."""

import json
from collections.abc import Callable, Mapping

import grpc

from simulator.application import Application
from simulator.children import ForwardingError
from simulator.flags import ResponseFlag
from simulator.g1 import INITIAL_OWNER, DruncError
from simulator.replies import (
    HERE_ONLY,
    INITIALISING,
    Body,
    Dialect,
    FsmResult,
    NodeDescription,
    NodeStatus,
    Order,
    Reply,
    Text,
    failed_reply,
)
from simulator.stand_in import StandIn

_ANY_STATE = frozenset({"ANY", "ALL", "", ".*"})
# Id of the object that an application reads, with blanks (contract 10.2).
DETECTORS: Mapping[str, str] = {"ru-01": "conn apa1", "ru-02": "conn apa2"}


class RemoteController:
    """A segment controller, asked in the session's own generation with the operator's token."""

    def __init__(self, name: str, address: str, dialect: Dialect) -> None:
        """Remember the address; it stays the same for life, even if the child boots again elsewhere."""
        self.name = name
        self.included = True
        self._channel = grpc.insecure_channel(address)
        self._dialect = dialect

    def forward(self, rpc: str, request: Order) -> Reply:  # noqa: ARG002 - the order knows its RPC
        """Pass an order on; an unreachable child is a drunc exception, another gRPC error an unhandled one."""
        try:
            return self._dialect.ask(self._channel, request)
        except grpc.RpcError as error:
            text = str((error.details(), error.code().value[0]))
            unreachable = error.code() is grpc.StatusCode.UNAVAILABLE
            shown = DruncError(text) if unreachable else RuntimeError(text)
            raise ForwardingError(text, failed_reply(self.name, shown)) from error

    def ready(self) -> bool:
        """Tell whether the child answers and no longer waits for its own children (contract 10.3)."""
        try:
            reply = self._dialect.ask(self._channel, Order("status", INITIAL_OWNER, HERE_ONLY))
        except grpc.RpcError:
            return False
        return isinstance(reply.body, NodeStatus) and reply.body.state != INITIALISING

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class MissingChild:
    """What stands for a child whose address was never found: in error for good (contract 10.1)."""

    def __init__(self, name: str) -> None:
        """Stand for a node of that name."""
        self.name = name
        self.included = True

    def forward(self, rpc: str, request: Order) -> Reply:  # noqa: ARG002 - whatever is asked
        """Fail."""
        error = DruncError(f"The address of {self.name} was not found")
        raise ForwardingError(str(error), failed_reply(self.name, error))

    def close(self) -> None:
        """Nothing is held."""


class TreeApplication:
    """An application as a G2 or G3 controller answers for it."""

    def __init__(self, application: Application, uri: str, *, idle_after_failure: bool) -> None:
        """Stand for one incarnation of the application, listening at ``uri``."""
        self.name = application.name
        self.included = True
        self._stand_in = StandIn(application, idle_after_failure=idle_after_failure)
        self._uri = uri
        self._answers: Mapping[str, Callable[[Order], Body | None]] = {
            "describe": self._describe,
            "status": self._status,
            "recompute_status": self._status,
            "execute_fsm_command": self._execute,
            "execute_expert_command": self._expert,
            "include": lambda _: self._include(included=True),
            "exclude": lambda _: self._include(included=False),
            "to_error": self._to_error,
        }

    def close(self) -> None:
        """Nothing is held."""

    def forward(self, rpc: str, request: Order) -> Reply:
        """Answer for the application; it has no ownership and no state machine of its own (contract 8.1)."""
        answer = self._answers.get(rpc)
        if answer is None:
            return Reply(self.name, flag=ResponseFlag.NOT_EXECUTED_NOT_IMPLEMENTED)
        try:
            return Reply(self.name, answer(request))
        except Exception as error:
            raise ForwardingError(str(error), failed_reply(self.name, error)) from error

    def _describe(self, _order: Order) -> Body:
        session = self._stand_in.application.session
        return NodeDescription("daq_application", self.name, self._uri, DETECTORS.get(self.name, ""), session)

    def _status(self, _order: Order) -> Body:
        stand_in = self._stand_in
        return NodeStatus(stand_in.state, stand_in.sub_state, stand_in.in_error, stand_in.included)

    def _execute(self, order: Order) -> Body:
        flag, reply = self._stand_in.execute(order.transition, order.data)
        return FsmResult(flag, order.transition, reply)

    def _include(self, *, included: bool) -> Body:
        word = "included" if included else "excluded"
        already = "is already " if self._stand_in.included == included else ""
        self._stand_in.included = included
        return Text(f"'{self.name}' {already}{word}")

    def _to_error(self, _order: Order) -> None:
        self._stand_in.latched = True

    def _expert(self, order: Order) -> Body:
        """Carry out a command that fits the application's state; anything else puts it in error (contract 10.7)."""
        fault = _expert_fault(order.text, self._stand_in.state)
        if fault is not None:
            self._stand_in.latched = True
        result = {"success": fault is None, "result": fault or "OK", "appname": self.name, "data": {}}
        return Text(json.dumps(result))


def _expert_fault(text: str, state: str) -> str | None:
    """Return why an expert command cannot be carried out in a state, None if it can."""
    try:
        command = json.loads(text)
        entry, end = str(command["entry_state"]).upper(), str(command["exit_state"]).upper()
    except (ValueError, KeyError, TypeError):
        return "The command is no JSON object with entry_state and exit_state"
    if entry != end:
        return "entry_state and exit_state differ"
    if entry not in _ANY_STATE | {state.upper()}:
        return f"The command does not fit the state {state}"
    return None
