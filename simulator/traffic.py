"""Counts the requests that reach the servers of an installation: what its clients cost it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import grpc

from wire import WireMessage

# Quoted: only the stubs know that these are generic.
Handler: TypeAlias = "grpc.RpcMethodHandler[WireMessage, WireMessage] | None"
Interceptor: TypeAlias = "grpc.ServerInterceptor[WireMessage, WireMessage]"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How often an RPC reached a server, and when last, seconds since 1970."""

    count: int
    last_at: float


class Traffic:
    """Requests by ``<server>/<rpc>``, those between controllers included."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Start at zero."""
        self._clock = clock
        self._lock = threading.Lock()
        self._arrivals: dict[str, Arrivals] = {}

    def counter(self, server: str) -> Interceptor:
        """Return what counts the requests of one server, to be given to `grpc.server`."""
        return _Counter(server, self)

    def note(self, server: str, rpc: str) -> None:
        """A request arrived."""
        key = f"{server}/{rpc}"
        with self._lock:
            known = self._arrivals.get(key)
            self._arrivals[key] = Arrivals(1 if known is None else known.count + 1, self._clock())

    def snapshot(self) -> Mapping[str, Arrivals]:
        """Return everything counted so far."""
        with self._lock:
            return dict(self._arrivals)


class _Counter(grpc.ServerInterceptor):  # type: ignore[type-arg]  # no generic at run time
    def __init__(self, server: str, traffic: Traffic) -> None:
        self._server = server
        self._traffic = traffic

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Handler]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler":
        """Count a request and let it pass."""
        self._traffic.note(self._server, str(handler_call_details.method).rpartition("/")[2])
        return continuation(handler_call_details)
