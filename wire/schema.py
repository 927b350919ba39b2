"""A schema generation loaded from its descriptor set into a descriptor pool of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TYPE_URL_PREFIX = "type.googleapis.com/"

# Message classes are made at run time from descriptors, so no static type exists for them. Only the adapters
# and the simulator touch them; everything else sees dataclasses.
WireMessage = Any

G2Layout = Literal["a", "b"]

_HERE = Path(__file__).parent


class UnknownMessageError(Exception):
    """A message type that the schema does not define; ``str()`` gives its full name."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC of a service, with all that a stub or a server needs.

    Attributes:
        name: Name as declared, e.g. ``ps``.
        path: gRPC path, e.g. ``/dunedaq.druncschema.ProcessManager/ps``.
        server_streaming: Whether the answer is a stream.
        request: Class of the request message.
        response: Class of the response message.
    """

    name: str
    path: str
    server_streaming: bool
    request: Callable[..., WireMessage]
    response: WireMessage


class Schema:
    """The messages and services of one schema generation.

    Objects of two schemas never mix: pass plain Python data between them.
    """

    def __init__(self, descriptor_set: bytes) -> None:
        """Build the pool from a serialised ``FileDescriptorSet`` that includes its imports."""
        self._pool = descriptor_pool.DescriptorPool()
        self._classes: dict[str, WireMessage] = {}
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
            self._pool.AddSerializedFile(file.SerializeToString())

    def message(self, full_name: str) -> WireMessage:
        """Return the class of a message.

        Raises:
            UnknownMessageError: The schema does not define ``full_name``.
        """
        known = self._classes.get(full_name)
        if known is None:
            try:
                descriptor = self._pool.FindMessageTypeByName(full_name)
            except KeyError as error:
                raise UnknownMessageError(full_name) from error
            known = self._classes[full_name] = message_factory.GetMessageClass(descriptor)
        return known

    def pack(self, message: WireMessage) -> WireMessage:
        """Wrap a message of this schema into this schema's ``google.protobuf.Any``."""
        packed = self.message("google.protobuf.Any")()
        packed.Pack(message, deterministic=True)
        return packed

    def unpack(self, packed: WireMessage) -> WireMessage:
        """Return the message inside an ``Any``, decoded by its type URL.

        Raises:
            UnknownMessageError: The type URL names no message of this schema.
            google.protobuf.message.DecodeError: The bytes are not of that type.
        """
        full_name = packed.type_url.removeprefix(TYPE_URL_PREFIX)
        return self.message(full_name).FromString(packed.value)

    def enum_names(self, full_name: str) -> Mapping[int, str]:
        """Return number to name of an enum, e.g. ``{0: "ACK", ...}``."""
        values = self._pool.FindEnumTypeByName(full_name).values
        return {value.number: value.name for value in values}

    def methods(self, service: str) -> Mapping[str, Method]:
        """Return the RPCs of a service by name."""
        described = self._pool.FindServiceByName(service)
        return {
            method.name: Method(
                name=method.name,
                path=f"/{service}/{method.name}",
                server_streaming=method.server_streaming,
                request=self.message(method.input_type.full_name),
                response=self.message(method.output_type.full_name),
            )
            for method in described.methods
        }


@cache
def load_g1() -> Schema:
    """Return generation G1 of drunc's schema (contract section 4)."""
    return Schema((_HERE / "g1" / "drunc.pb").read_bytes())


@cache
def load_g2(layout: G2Layout) -> Schema:
    """Return generation G2 of drunc's schema (contract section 5) with one lay-out of ``AddressedCommand`` (2.3)."""
    return Schema((_HERE / "g2" / f"drunc_{layout}.pb").read_bytes())


@cache
def load_g3() -> Schema:
    """Return generation G3 of drunc's schema (contract section 6)."""
    return Schema((_HERE / "g3" / "drunc.pb").read_bytes())


@cache
def load_rpc_status() -> Schema:
    """Return the schema of gRPC status details (contract section 7.3)."""
    return Schema((_HERE / "rpc" / "status.pb").read_bytes())


@cache
def load_ers() -> Schema:
    """Return the schema of ERS issues (contract section 16.3)."""
    return Schema((_HERE / "ers" / "ers.pb").read_bytes())


@cache
def load_opmon() -> Schema:
    """Return the schema of OpMon entries (contract section 16.4); its ``Shape`` takes any message's fields."""
    return Schema((_HERE / "opmon" / "opmon.pb").read_bytes())
