"""One G3 call: typed answers, refusals in an envelope of their own, errors as gRPC status (contract 7.3, 7.4)."""

from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from services.errors import SchemaMismatchError
from services.run_control import decode
from services.run_control.channels import Channels
from services.run_control.g3.status import status_error
from wire.schema import WireMessage, load_g3

SHARED: Final = decode.PACKAGE
CONTROLLER: Final = SHARED + "controller."
PROCESS_MANAGER: Final = SHARED + "process_manager."
SESSION_MANAGER: Final = SHARED + "session_manager."
RUN_CONTROL: Final = SHARED + "run_control."


def message(full_name: str) -> WireMessage:
    """Return the class of a G3 message by its full name."""
    return load_g3().message(full_name)


def token(user: str) -> WireMessage:
    """Return a user's token (contract section 3)."""
    return message(SHARED + "Token")(user_name=user, token=f"{user}-token")


@dataclass(frozen=True, slots=True)
class TypedCaller:
    """Calls of one service at one address.

    Attributes:
        channels: Shared channels.
        address: ``host:port``.
        service: Full name of the service.
        what: The other side in words, e.g. ``The controller``.
    """

    channels: Channels
    address: str
    service: str
    what: str

    def __call__(self, rpc: str, request: WireMessage, answer: str, deadline_s: float) -> WireMessage:
        """Call an RPC and return its answer, a message of the full name ``answer``; its flag is not looked at.

        Raises:
            NotReachableError, BusyError, NotInControlError, SchemaMismatchError, DruncError, RefusedError,
            InvalidInputError, NotFoundError: See `services.errors`.
        """
        path = f"/{self.service}/{rpc}"
        try:
            raw = self.channels.call(self.address, path, request.SerializeToString(), deadline_s)
        except grpc.RpcError as error:
            raise status_error(error, self.what, self.address) from error
        return typed(raw, answer)


def typed(raw: bytes, full_name: str) -> WireMessage:
    """Return the declared answer; a server may send the envelope of a refusal in its place (contract 7.4).

    Raises:
        NotInControlError, DruncError: It is such an envelope.
        SchemaMismatchError: It is neither.
    """
    declared = _parsed(raw, full_name)
    if declared is not None and _is_plausible(declared):
        return declared
    envelope = _parsed(raw, SHARED + "Response")
    if envelope is not None and envelope.name and envelope.flag != decode.OK:
        decode.raise_for_flag(envelope)
    if declared is None:
        raise SchemaMismatchError(f"The answer ({len(raw)} bytes) is no {full_name.rpartition('.')[2]}.")
    return declared


def _parsed(raw: bytes, full_name: str) -> WireMessage | None:
    try:
        return message(full_name).FromString(raw)
    except DecodeError:
        return None


def _is_plausible(answer: WireMessage) -> bool:
    """Tell whether bytes that parse can be meant: the names of some nodes are tokens by chance (contract 7.4)."""
    fields = answer.DESCRIPTOR.fields_by_name
    if "name" in fields and not answer.name:
        return False
    return "token" not in fields or not len(UnknownFieldSet(answer.token))
