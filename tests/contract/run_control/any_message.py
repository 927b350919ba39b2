"""Messages of any type with anything in them that their fields can hold."""

import random
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor as Field

from wire.schema import Schema, UnknownMessageError, WireMessage

PACKAGE = "dunedaq.druncschema."
# What drunc puts into an ``Any``; the last two nobody expects.
PAYLOADS = (
    *("PlainText", "PlainTextVector", "Stacktrace", "Description", "Status", "ChildrenStatus"),
    *("FSMCommandsDescription", "FSMCommandResponse", "ProcessInstance", "ProcessInstanceList", "LogLine"),
    *("int_msg", "float_msg", "string_msg", "bool_msg", "AllActiveSessions", "AllConfigKeys", "Token", "Any"),
)
TEXTS = (
    *("", "a", "root-controller", "hsi-fake-01", "\n\x05alice\x12\x01b", "nul\x00", "ä\u2028\U0001f600", "x" * 5000),
    *("unknown", "initial (preparing-conf)", "(", "controller", "grpc://h:1", "start_run", "user is not in control"),
    *('{"success": false, "result": 5}', '{"result": "\\ud800"}', "[" * 3000, "NaN", "Could not retrieve logs: x"),
    "The process corresponding to the query doesn't exist",
    "9" * 5000,
)
# Names in a process's environment that say something.
KEYS = ("", "PATH", "CONNECTION_SERVER", "CONNECTION_PORT")
NUMBERS = (0, 1, 2, 3, 5, 7, 9, 17, 100)
FLOATS = (0.0, 0.1, -1.5, 1e300, 1e-300, float("nan"), float("inf"))
_BOUNDS = {
    Field.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    Field.CPPTYPE_UINT32: (0, 2**32 - 1),
    Field.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    Field.CPPTYPE_UINT64: (0, 2**64 - 1),
}
MAX_DEPTH = 6


@dataclass(frozen=True)
class AnyMessage:
    """Makes messages of a schema.

    Attributes:
        draw: Where the choices come from.
        schema: The generation's.
        likely: Name of the payload that is in an ``Any`` more often than others.
    """

    draw: random.Random
    schema: Schema
    likely: str = "Empty"

    def encoded(self, message_class: WireMessage) -> bytes:
        """Return an answer of a type, or nearly, or any bytes."""
        if self.draw.random() < 0.1:
            return self.draw.randbytes(self.draw.randrange(60))
        raw = bytearray(self.made(message_class).SerializeToString())
        if raw and self.draw.random() < 0.2:
            raw[self.draw.randrange(len(raw))] = self.draw.randrange(256)
        return bytes(raw)

    def made(self, message_class: WireMessage, depth: int = 0) -> WireMessage:
        """Return a message with about half of its fields set; ``depth`` is how deep it is in another."""
        message = message_class()
        for field in message_class.DESCRIPTOR.fields:
            # Refusals are seldom: what is in a success is looked at closest.
            if self.draw.random() < (0.2 if field.name == "flag" else 0.7):
                self._fill(message, field, depth)
        return message

    def _fill(self, message: WireMessage, field: Field, depth: int) -> None:
        if field.message_type is None:
            if field.is_repeated:
                getattr(message, field.name).extend(self._scalar(field) for _ in range(self.draw.randrange(4)))
            else:
                setattr(message, field.name, self._scalar(field))
            return
        if depth >= MAX_DEPTH:
            return
        if field.message_type.GetOptions().map_entry:
            self._fill_map(getattr(message, field.name), field.message_type.fields_by_name["value"])
            return
        for _ in range(self.draw.randrange(4 - min(depth, 3)) if field.is_repeated else 1):
            inner = self._inner(field.message_type.full_name, depth + 1)
            (getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)).CopyFrom(inner)

    def _fill_map(self, entries: WireMessage, value: Field) -> None:
        # Arguments of transitions are sent, never answered: only the maps of texts are.
        if value.message_type is None:
            for key in self.draw.sample(KEYS, 2):
                entries[key] = self.draw.choice((*TEXTS, "5000"))

    def _inner(self, full_name: str, depth: int) -> WireMessage:
        if full_name != "google.protobuf.Any":
            return self.made(self.schema.message(full_name), depth)
        name = PACKAGE + (self.likely if self.draw.random() < 0.7 else self.draw.choice(PAYLOADS))
        packed = self.schema.message(full_name)(type_url=f"type.googleapis.com/{name}")
        try:
            known = self.schema.message(name)
        except UnknownMessageError:
            known = None
        if known is None or self.draw.random() < 0.1:
            packed.value = self.draw.randbytes(20)
        else:
            packed.value = self.made(known, depth).SerializeToString()
        return packed

    def _scalar(self, field: Field) -> object:
        match field.cpp_type:
            case Field.CPPTYPE_STRING:
                text = self.draw.choice(TEXTS)
                return text.encode() if field.type == Field.TYPE_BYTES else text
            case Field.CPPTYPE_BOOL:
                return self.draw.random() < 0.5
            case Field.CPPTYPE_FLOAT | Field.CPPTYPE_DOUBLE:
                return self.draw.choice(FLOATS)
            case Field.CPPTYPE_ENUM:
                return self.draw.choice((0, 0, 0, 1, 1, 2, 3, 7, 2**31 - 1))
            case kind:
                return self.draw.choice((*NUMBERS, *_BOUNDS[kind]))
