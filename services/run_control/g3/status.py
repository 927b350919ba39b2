"""gRPC statuses with their details, in our own words (contract 7.3)."""

import grpc
from google.protobuf.message import DecodeError

from services.errors import ConsoleError, DruncError, InvalidInputError, NotFoundError, NotInControlError, RefusedError
from services.run_control.channels import console_error
from services.texts import clean
from wire.schema import UnknownMessageError, WireMessage, load_rpc_status

_DETAILS_KEY = "grpc-status-details-bin"
_NOT_IN_CONTROL = "not in control"


def status_error(error: grpc.RpcError, what: str, address: str) -> ConsoleError:
    """Return the error of a failed call to ``what`` (e.g. ``The controller``); details are told where there are any."""
    if not isinstance(error, grpc.Call):
        return console_error(error, what, address)
    code, told = error.code() or grpc.StatusCode.UNKNOWN, clean(error.details() or "")
    text = f"{what} at {address}: {told or code.name}{_told(error)}"
    match code:
        case grpc.StatusCode.FAILED_PRECONDITION | grpc.StatusCode.PERMISSION_DENIED:
            foreign = _NOT_IN_CONTROL in text.lower().replace("_", " ")
            return NotInControlError(text, holder="") if foreign else RefusedError(text)
        case grpc.StatusCode.INVALID_ARGUMENT:
            return InvalidInputError(text, field="request")
        case grpc.StatusCode.NOT_FOUND:
            return NotFoundError(text)
        case grpc.StatusCode.INTERNAL | grpc.StatusCode.ABORTED:
            return DruncError(text)
    return console_error(error, what, address)


def _told(error: grpc.Call) -> str:
    """Return the details as text, each after a semicolon; empty where there are none that can be read."""
    texts = [text for detail in _details(error) if (text := _text(detail))]
    return f" ({'; '.join(texts)})" if texts else ""


def _details(error: grpc.Call) -> list[WireMessage]:
    metadata = dict(error.trailing_metadata() or ())
    raw = metadata.get(_DETAILS_KEY, b"")
    schema = load_rpc_status()
    try:
        status = schema.message("google.rpc.Status").FromString(raw if isinstance(raw, bytes) else b"")
    except DecodeError:
        return []
    found = []
    for detail in status.details:
        try:
            found.append(schema.unpack(detail))
        except (UnknownMessageError, DecodeError):
            # Of a kind that nobody here can read, e.g. for debugging.
            continue
    return found


def _text(detail: WireMessage) -> str:
    match detail.DESCRIPTOR.name:
        case "ErrorInfo":
            return clean(" ".join(part for part in (detail.domain, detail.reason) if part))
        case "PreconditionFailure":
            return clean(", ".join(f"{found.subject}: {found.description}" for found in detail.violations))
        case "BadRequest":
            return clean(", ".join(f"{found.field}: {found.description}" for found in detail.field_violations))
        case _:
            return ""
