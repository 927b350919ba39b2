"""One G1 call: the envelope around every request and answer (contract 4.1)."""

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
        request = message("Request")(token=message("Token")(user_name=user, token=f"{user}-token"))
        if data is not None:
            request.data.CopyFrom(load_g1().pack(data))
        path = f"/{PACKAGE}{self.service}/{rpc}"
        try:
            raw = self.channels.call(self.address, path, request.SerializeToString(), deadline_s)
        except grpc.RpcError as error:
            raise self._error(error) from error
        return response(raw)

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
