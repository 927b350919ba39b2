"""One G1 call: the envelope around every request and answer (contract 4.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from services.errors import DruncError
from services.run_control.channels import Channels, console_error
from services.run_control.g1.decode import PACKAGE, message, response
from wire.schema import WireMessage, load_g1


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls of one service at one address.

    Attributes:
        channels: Shared channels.
        address: ``host:port``.
        service: Short name of the service, e.g. ``Controller``.
        what: The other side in words, e.g. ``The controller``.
    """

    channels: Channels
    address: str
    service: str
    what: str

    def __call__(self, rpc: str, user: str, deadline_s: float, data: WireMessage | None = None) -> WireMessage:
        """Call an RPC under ``user`` and return the decoded envelope; flags are not looked at.

        Raises:
            NotReachableError, BusyError, SchemaMismatchError, DruncError: See `services.errors`.
        """
        try:
            raw = self.channels.call(self.address, self._path(rpc), _request(user, data), deadline_s)
        except grpc.RpcError as error:
            raise self._error(error) from error
        return response(raw)

    def stream(self, rpc: str, user: str, deadline_s: float, data: WireMessage) -> Iterator[WireMessage]:
        """Call an RPC that answers with a stream and yield each envelope; errors as for a plain call."""
        try:
            for raw in self.channels.stream(self.address, self._path(rpc), _request(user, data), deadline_s):
                yield response(raw)
        except grpc.RpcError as error:
            raise self._error(error) from error

    def _path(self, rpc: str) -> str:
        return f"/{PACKAGE}{self.service}/{rpc}"

    def _error(self, error: grpc.RpcError) -> Exception:
        translated = console_error(error, self.what, self.address)
        unknown = isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.UNKNOWN
        if unknown and self.service == "ProcessManager":
            # It announces each call on Kafka before it does anything (contract 7.1).
            return DruncError(
                f"{translated.message}. Most likely it cannot reach its Kafka broker.",
                next_step="Check Kafka and the log of the process manager.",
            )
        return translated


def _request(user: str, data: WireMessage | None) -> bytes:
    request = message("Request")(token=message("Token")(user_name=user, token=f"{user}-token"))
    if data is not None:
        request.data.CopyFrom(load_g1().pack(data))
    encoded: bytes = request.SerializeToString()
    return encoded
