"""G2's ``Description``, whose field numbers are not certain: fields are told apart by their content (contract 2.3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from services.errors import SchemaMismatchError
from services.run_control.decode import NAME_WIDTH, PACKAGE
from services.run_control.node_types import NodeKind
from services.texts import clean
from wire.schema import Schema

_LENGTH_DELIMITED = 2
_ENDPOINT = re.compile(r"(grpc|rest)://|\S+:\d+$")
# Type and name.
_LEAST_TEXTS = 2


@dataclass(frozen=True, slots=True)
class G2Description:
    """What a G2 node tells of itself; ``others`` are its session and info, in no certain order."""

    type: str
    name: str
    endpoint: str
    others: tuple[str, ...]

    @property
    def kind(self) -> NodeKind | None:
        """What the node is; None for the empty description of an unreachable one (contract 10.2)."""
        if not self.type or not self.name:
            return None
        return NodeKind.CONTROLLER if self.type == "controller" else NodeKind.APPLICATION

    @property
    def detector(self) -> str:
        """What part of the detector it reads: names of these hold blanks, names of sessions do not (contract 10.2)."""
        return next((clean(text, NAME_WIDTH) for text in self.others if " " in text), "")


def read_description(schema: Schema, encoded: bytes) -> G2Description:
    """Return a description.

    Raises:
        SchemaMismatchError: The bytes are no message.
    """
    try:
        fields = UnknownFieldSet(schema.message(PACKAGE + "Empty").FromString(encoded))
    except DecodeError as error:
        raise SchemaMismatchError(f"Undecodable description ({len(encoded)} bytes).") from error
    texts = list(_texts(fields))
    endpoint = next((text for text in texts if _ENDPOINT.match(text)), "")
    rest = [text for text in texts if text != endpoint]
    if len(rest) < _LEAST_TEXTS:
        return G2Description("", "", endpoint, tuple(rest))
    return G2Description(rest[0], rest[1], endpoint, tuple(rest[2:]))


def _texts(fields: UnknownFieldSet) -> Iterator[str]:
    """Yield the strings in the order of their numbers; what does not print is a message."""
    for field in sorted((fields[at] for at in range(len(fields))), key=lambda field: int(field.field_number)):
        if field.wire_type != _LENGTH_DELIMITED:
            continue
        try:
            text = bytes(field.data).decode()
        except UnicodeDecodeError:
            continue
        if text and text.isprintable():
            yield clean(text)
