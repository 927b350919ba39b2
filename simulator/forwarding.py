"""Passing a command on to all children of a controller at once (contract 10.1, 16.2)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from simulator import g1
from simulator.broadcast import Broadcaster
from simulator.children import Addressee, ForwardingError
from simulator.flags import BroadcastType, ResponseFlag
from wire import WireMessage


class Forwarder:
    """The children of one controller, addressed together."""

    def __init__(self, children: Sequence[Addressee], broadcaster: Broadcaster, node: str) -> None:
        """Forward in the name of the controller ``node``."""
        self.children = tuple(children)
        self._broadcaster = broadcaster
        self._pool = ThreadPoolExecutor(max(1, len(self.children)), thread_name_prefix=f"simulator-{node}")

    def forward(self, rpc: str, request: WireMessage) -> tuple[WireMessage, ...]:
        """Ask all children the same."""
        return self.forward_each(rpc, [(child, request) for child in self.children])

    def forward_each(self, rpc: str, requests: Sequence[tuple[Addressee, WireMessage]]) -> tuple[WireMessage, ...]:
        """Return the answers of the children asked, in the order of their completion."""
        self._broadcaster.send(BroadcastType.COMMAND_EXECUTION_START, f"Propagating {rpc} to children")
        futures = [self._pool.submit(self._one, child, rpc, request) for child, request in requests]
        return tuple(future.result() for future in as_completed(futures))

    def close(self) -> None:
        """End the threads and free what the children hold."""
        for child in self.children:
            child.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, child: Addressee, rpc: str, request: WireMessage) -> WireMessage:
        self._broadcaster.send(
            BroadcastType.CHILD_COMMAND_EXECUTION_START, f"Propagating {rpc} to children ({child.name})"
        )
        try:
            response = child.forward(rpc, request)
        except ForwardingError as error:
            text = f"Failed to propagate {rpc} to {child.name} ({child.name}) EXCEPTION THROWN: {error}"
            self._broadcaster.send(BroadcastType.CHILD_COMMAND_EXECUTION_FAILED, text)
            return error.response
        self._report(child.name, rpc, ResponseFlag(response.flag))
        return response

    def _report(self, child: str, rpc: str, flag: ResponseFlag) -> None:
        if flag is ResponseFlag.EXECUTED_SUCCESSFULLY:
            text = f"Propagated {rpc} to children ({child}) successfully"
            self._broadcaster.send(BroadcastType.CHILD_COMMAND_EXECUTION_SUCCESS, text)
            return
        kind = (
            BroadcastType.DEBUG
            if flag is ResponseFlag.NOT_EXECUTED_NOT_IMPLEMENTED
            else BroadcastType.CHILD_COMMAND_EXECUTION_FAILED
        )
        text = f"Propagating {rpc} to children ({child}) failed: {flag.name}."
        self._broadcaster.send(kind, f"{text} See its logs for more information and stacktrace.")


def tolerated(response: WireMessage) -> bool:
    """Tell whether a forwarded command went well: applications do not know most of them (contract 8.1)."""
    return response.flag in (ResponseFlag.EXECUTED_SUCCESSFULLY, ResponseFlag.NOT_EXECUTED_NOT_IMPLEMENTED)


def transition_succeeded(response: WireMessage) -> bool:
    """Tell whether a child made its transition: both flags count, an excluded child has failed (contract 10.5)."""
    if response.flag != ResponseFlag.EXECUTED_SUCCESSFULLY:
        return False
    return bool(g1.unpack(response.data).flag == 0)
