"""One call of G1 or G2: the envelope around every request and answer (contract 4.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from services.errors import BrokenCallError, ConsoleError
from services.run_control.channels import NO_KAFKA, Channels, console_error
from services.run_control.decode import PACKAGE, response
from wire.schema import Schema, WireMessage


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls of one service at one address.

    Attributes:
        channels: Shared channels.
        address: ``host:port``.
        service: Short name of the service, e.g. ``Controller``.
        what: The other side in words, e.g. ``The controller``.
        schema: The generation's.
    """

    channels: Channels
    address: str
    service: str
    what: str
    schema: Schema

    def __call__(self, rpc: str, user: str, deadline_s: float, data: WireMessage | None = None) -> WireMessage:
        """Call an RPC under ``user`` and return the decoded envelope; flags are not looked at.

        Raises:
            NotReachableError, BusyError, SchemaMismatchError, DruncError: See `services.errors`.
        """
        try:
            raw = self.channels.call(self.address, self._path(rpc), self._request(user, data), deadline_s)
        except grpc.RpcError as error:
            raise self._error(error) from error
        return response(self.schema, raw)

    def stream(self, rpc: str, user: str, deadline_s: float, data: WireMessage) -> Iterator[WireMessage]:
        """Call an RPC that answers with a stream and yield each envelope; errors as for a plain call."""
        try:
            for raw in self.channels.stream(self.address, self._path(rpc), self._request(user, data), deadline_s):
                yield response(self.schema, raw)
        except grpc.RpcError as error:
            raise self._error(error) from error

    def _path(self, rpc: str) -> str:
        return f"/{PACKAGE}{self.service}/{rpc}"

    def _request(self, user: str, data: WireMessage | None) -> bytes:
        token = self.schema.message(PACKAGE + "Token")(user_name=user, token=f"{user}-token")
        request = self.schema.message(PACKAGE + "Request")(token=token)
        if data is not None:
            request.data.CopyFrom(self.schema.pack(data))
        encoded: bytes = request.SerializeToString()
        return encoded

    def _error(self, error: grpc.RpcError) -> ConsoleError:
        translated = console_error(error, self.what, self.address)
        if self.service != "ProcessManager" or not isinstance(translated, BrokenCallError):
            return translated
        # What its handlers raise is an answer in these generations (contract 7.2): what is left is the announcing.
        text = translated.message if NO_KAFKA in translated.message else f"{translated.message}. {NO_KAFKA}"
        return BrokenCallError(text, next_step="Check Kafka and the log of the process manager.")
