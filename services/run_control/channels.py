"""gRPC channels and calls, with errors in our own words."""

import threading
from collections.abc import Iterator

import grpc

from services.errors import (
    BrokenCallError,
    BusyError,
    ConsoleError,
    DruncError,
    NotReachableError,
    SchemaMismatchError,
    UnknownCallError,
)
from services.run_control.tls import NO_TLS, Tls, open_channel
from services.texts import clean

# Proxies in the environment make drunc unreachable (contract 22.36). A server tolerates keep-alive pings without data
# only every five minutes. A server that is back must be found within seconds.
OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.use_local_subchannel_pool", 1),
)


# How gRPC itself says that it cannot make a channel; nothing was sent then.
_NO_CHANNEL = "Failed to create channel"
NO_KAFKA = "Most likely it cannot reach its Kafka broker."


class Channels:
    """Long-lived channels, one per address, made on first use (after the fork) and closed on stop."""

    def __init__(self, tls: Tls = NO_TLS) -> None:
        """Start without any channel; ``tls`` says how each address is spoken to."""
        self._tls = tls
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}
        self._closed = False

    def call(self, address: str, path: str, request: bytes, deadline_s: float) -> bytes:
        """Make one unary call and return the answer's bytes.

        Raises:
            grpc.RpcError: As gRPC tells it; see `console_error`.
            NotReachableError: The channels are closed.
        """
        try:
            call = self._channel(address).unary_unary(path, _as_is, _as_is)
            answer: bytes = call(request, timeout=deadline_s, wait_for_ready=False)
        except ValueError as error:
            # gRPC's way to say that the channel was closed meanwhile.
            raise NotReachableError(f"The connection to {address} was closed.") from error
        return answer

    def stream(self, address: str, path: str, request: bytes, deadline_s: float) -> Iterator[bytes]:
        """Make one call with a stream of answers and yield the bytes of each.

        Raises:
            grpc.RpcError: As gRPC tells it; see `console_error`.
            NotReachableError: The channels are closed.
        """
        try:
            call = self._channel(address).unary_stream(path, _as_is, _as_is)
            yield from call(request, timeout=deadline_s, wait_for_ready=False)
        except ValueError as error:
            raise NotReachableError(f"The connection to {address} was closed.") from error

    def reach(self, address: str, what: str, deadline_s: float) -> None:
        """Connect to an address unless it is connected; nothing is called.

        Raises:
            NotReachableError: There is no connection in time to ``what``, e.g. ``The run control service``.
        """
        ready = grpc.channel_ready_future(self._channel(address))
        try:
            ready.result(timeout=deadline_s)
        except (grpc.FutureTimeoutError, grpc.FutureCancelledError) as error:
            raise NotReachableError(
                f"{what} at {address} does not answer (no connection).",
                next_step="Check that it is running and that the address is right.",
            ) from error
        finally:
            ready.cancel()

    def forget(self, address: str) -> None:
        """Close the channel to an address, if there is one."""
        with self._lock:
            channel = self._channels.pop(address, None)
        if channel is not None:
            channel.close()

    def close(self) -> None:
        """Close all channels for good; calls under way are cancelled."""
        with self._lock:
            self._closed = True
            channels = list(self._channels.values())
            self._channels.clear()
        for channel in channels:
            channel.close()

    def _channel(self, address: str) -> grpc.Channel:
        with self._lock:
            if self._closed:
                raise NotReachableError(f"The connection to {address} was closed: the console is stopping.")
            channel = self._channels.get(address)
            if channel is None:
                channel = self._channels[address] = open_channel(address, self._tls, OPTIONS)
            return channel


def _as_is(data: bytes) -> bytes:
    return data


def console_error(error: grpc.RpcError, what: str, address: str) -> ConsoleError:
    """Return the error of a failed call to ``what`` (e.g. ``The process manager``) in our words (contract 7.2)."""
    code, details = _status(error)
    where = f"{what} at {address}"
    match code:
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return NotReachableError(
                f"{where} does not answer ({details or code.name}).",
                next_step="Check that it is running and that the address is right.",
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return BusyError(
                f"{where} is busy: no answer in time, most likely because a transition is running.",
                next_step="Wait until it has ended.",
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return UnknownCallError(f"{where} does not know the call ({details}): another version of drunc?")
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return SchemaMismatchError(f"{where} sent an answer that is too large ({details}).")
        case grpc.StatusCode.UNKNOWN:
            return _unknown(where, details)
        case _:
            return DruncError(f"{where} failed with the gRPC status {code.name}: {details}")


def _unknown(where: str, details: str) -> ConsoleError:
    """Return the error of a server that failed outside of what it turns into answers itself, or of no channel at all.

    A server announces each call on Kafka before and after it does anything, and fails without a broker (contract 7.1).
    """
    if details.startswith(_NO_CHANNEL):
        return NotReachableError(f"{where} is no address ({details}).", next_step="Correct the address.")
    text = f"{where} failed with the gRPC status UNKNOWN: {details}"
    if "kafka" not in details.lower():
        return BrokenCallError(text, next_step="Look into its log.")
    return BrokenCallError(f"{text}. {NO_KAFKA}", next_step="Check Kafka and its log.")


def _status(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, grpc.Call):
        return error.code() or grpc.StatusCode.UNKNOWN, clean(error.details() or "")
    return grpc.StatusCode.UNKNOWN, clean(str(error))
