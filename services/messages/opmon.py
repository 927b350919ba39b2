"""OpMon entries, topic ``monitoring.opmon_stream`` (contract 16.4).

The numbers of the newer lay-out are not confirmed, so both are read by shape: a sub-message of two or more plain
texts is the origin, lone texts are names, map entries whose value is a message are the data.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.unknown_fields import UnknownFieldSet

from services.messages.decoding import KEY_LIMIT_BYTES, NAME_LIMIT_BYTES, DecodeError, parse, settle_time
from services.messages.texts import Cleaner
from services.messages.types import Measurement, Record
from wire import WireMessage, load_opmon

TOPIC = "monitoring.opmon_stream"

# One entry keeps so many values; those of drunc and the DAQ have a few dozen.
MAX_VALUES = 1_000
# What is larger or has more fields is no entry: looking at millions of fields would hold up everything else.
MAX_BYTES = 1024 * 1024
MAX_FIELDS = 4 * MAX_VALUES
# Room for a value that is a word: states, configurations.
VALUE_LIMIT_BYTES = 1_024
# Sums of a bucket must stay within a double.
GREATEST = 1e290

# Wire types of protobuf, as `UnknownFieldSet` gives them.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Field numbers of OpMonValue and the wire type of each.
_VALUE_SHAPE: Mapping[int, int] = {
    1: _VARINT,
    2: _VARINT,
    3: _VARINT,
    4: _VARINT,
    5: _VARINT,
    10: _FIXED64,
    11: _FIXED32,
    15: _VARINT,
    20: _BYTES,
}
_TIME_NUMBERS = frozenset({1, 2})
_KEY, _VALUE, _SUBSTRUCTURE = 1, 2, 3
# Both lay-outs plausibly have the data here; it decides where shapes alone do not.
_DATA_NUMBER = 10


class _Field(NamedTuple):
    """One field on the wire."""

    number: int
    wire_type: int
    data: Any


class _Origin(NamedTuple):
    """Who measured."""

    session: str = ""
    application: str = ""
    element: str = ""


# Field number to what it holds, all of it length-delimited.
_Groups = dict[int, list[bytes]]


def decode_opmon(record: Record, value: bytes, arrived_ns: int) -> Measurement:
    """Return the measurement in a record.

    Raises:
        DecodeError: It is no OpMon entry of any known shape.
    """
    if len(value) > MAX_BYTES:
        raise DecodeError(f"no OpMonEntry: {len(value)} bytes are too many")
    fields = _fields(value)
    if fields is None:
        raise DecodeError("no OpMonEntry: not protobuf, or far too many fields")
    groups: _Groups = {}
    for field in fields:
        if field.wire_type == _BYTES:
            groups.setdefault(field.number, []).append(field.data)
    names = [_as_text(groups.pop(number)[0]) for number in sorted(groups) if _is_lone_text(groups[number])]
    own_ns = _take_time(groups)
    data = _take_data(groups)
    keyed_origin, keyed_name = _from_key(record.key)
    origin, custom = _take_origins(groups, keyed_origin)
    name = keyed_name if keyed_name in names or not names else names[-1]
    if not name or not (names or data):
        raise DecodeError("no OpMonEntry: no measurement in it")
    if origin is None:
        # March 2024: the origin is one text, before the name.
        origin = _split_origin(names[0]) if len(names) > 1 else keyed_origin
    time_ns, given = settle_time(record, arrived_ns, own_ns)
    numbers, texts, left_out = _values(data)
    cleaner = Cleaner()
    return Measurement(
        session=cleaner.column("session", origin.session, KEY_LIMIT_BYTES),
        application=cleaner.column("application", origin.application, KEY_LIMIT_BYTES),
        element=cleaner.column("element", origin.element, KEY_LIMIT_BYTES),
        name=cleaner.column("name", name, NAME_LIMIT_BYTES),
        origin=cleaner.column("origin", ", ".join(sorted(custom)), NAME_LIMIT_BYTES),
        time_ns=time_ns,
        numbers=numbers,
        texts=texts,
        left_out=left_out,
        is_time_absurd=time_ns != given,
    )


# Shapes


def _fields(value: bytes) -> list[_Field] | None:
    """Return all fields of a message whose schema is not known; None where there are none, or too many."""
    try:
        shape = load_opmon().message("dunedaq.opmon.Shape").FromString(value)
    except ProtobufError:
        return None
    unknown = UnknownFieldSet(shape)
    if len(unknown) > MAX_FIELDS:
        return None
    found = (unknown[place] for place in range(len(unknown)))
    return [_Field(field.field_number, field.wire_type, field.data) for field in found]


def _is_text(value: bytes) -> bool:
    """Tell a text from a message: messages with low field numbers begin with control characters."""
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _as_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _is_lone_text(values: Sequence[bytes]) -> bool:
    return len(values) == 1 and bool(values[0]) and _is_text(values[0])


def _take_time(groups: _Groups) -> int:
    """Take out the time stamp; nanoseconds, 0 where there is none."""
    for number in sorted(groups):
        fields = _fields(groups[number][-1])
        is_time = fields is not None and all(
            field.wire_type == _VARINT and field.number in _TIME_NUMBERS for field in fields
        )
        if is_time and len(groups[number]) == 1:
            stamp = parse(load_opmon().message("google.protobuf.Timestamp"), "Timestamp", groups.pop(number)[0])
            return int(stamp.seconds) * 1_000_000_000 + int(stamp.nanos)
    return 0


def _take_data(groups: _Groups) -> dict[str, WireMessage]:
    """Take out the map of values."""
    candidates = [number for number, entries in groups.items() if _is_data(entries)]
    if not candidates:
        return {}
    # A custom origin's text may by chance look like a value, and a value like a text.
    chosen = max(
        candidates, key=lambda number: (not all(map(_is_texts, groups[number])), number == _DATA_NUMBER, number)
    )
    value_class = load_opmon().message("dunedaq.opmon.OpMonValue")
    data: dict[str, WireMessage] = {}
    for entry in groups.pop(chosen):
        parts = {field.number: field.data for field in _fields(entry) or ()}
        data[_as_text(parts.get(_KEY, b""))] = parse(value_class, "OpMonValue", parts.get(_VALUE, b""))
    return data


def _is_data(entries: Sequence[bytes]) -> bool:
    """Tell whether these are map entries, and one at least has an OpMonValue; later versions may add kinds."""
    inside = [_fields(entry) for entry in entries]
    return all(map(_is_map_entry, inside)) and any(map(_has_value, inside))


def _is_map_entry(parts: Sequence[_Field] | None) -> bool:
    return parts is not None and all(part.wire_type == _BYTES and part.number in (_KEY, _VALUE) for part in parts)


def _has_value(parts: Sequence[_Field] | None) -> bool:
    """Tell whether a map entry's value is an OpMonValue: one field, of a number and type that it has."""
    inner = [_fields(part.data) for part in parts or () if part.number == _VALUE]
    if len(inner) != 1 or inner[0] is None or len(inner[0]) != 1:
        return False
    return _VALUE_SHAPE.get(inner[0][0].number) == inner[0][0].wire_type


def _is_texts(entry: bytes) -> bool:
    """Tell whether a sub-message holds texts only: an origin, or one entry of a custom origin."""
    parts = _fields(entry)
    return bool(parts) and all(
        part.wire_type == _BYTES and part.number in (_KEY, _VALUE, _SUBSTRUCTURE) and _is_text(part.data)
        for part in parts or ()
    )


# Origins


def _take_origins(groups: _Groups, keyed: _Origin) -> tuple[_Origin | None, list[str]]:
    """Return the origin, None where no sub-message is one, and the custom origin as ``key=value`` texts."""
    candidates = sorted(number for number, entries in groups.items() if all(map(_is_texts, entries)))
    origin: _Origin | None = None
    custom: list[str] = []
    for number in candidates:
        entries = [_origin(entry) for entry in groups[number]]
        # A custom origin of one entry has the same shape; the origin stands before it, and the key agrees with it.
        is_alone = len(candidates) == 1 and bool(keyed.session)
        if origin is None and len(entries) == 1 and (not is_alone or entries[0].session == keyed.session):
            origin = entries[0]
        else:
            custom += [f"{entry.session}={entry.application}" for entry in entries]
    return origin, custom


def _origin(entry: bytes) -> _Origin:
    parts = _fields(entry) or []
    texts = {part.number: _as_text(part.data) for part in parts}
    element = ".".join(_as_text(part.data) for part in parts if part.number == _SUBSTRUCTURE)
    return _Origin(texts.get(_KEY, ""), texts.get(_VALUE, ""), element)


def _split_origin(text: str) -> _Origin:
    """Split ``<session>.<application>.<sub>...``; none of the parts has dots (contract 3)."""
    session, _, rest = text.partition(".")
    application, _, element = rest.partition(".")
    return _Origin(session, application, element)


def _from_key(key: bytes | None) -> tuple[_Origin, str]:
    """Return origin and measurement as the record's key ``<origin>/<measurement>`` names them (contract 16.1)."""
    origin, _, name = _as_text(key or b"").partition("/")
    return _split_origin(origin), name


# Values


def _values(data: Mapping[str, WireMessage]) -> tuple[dict[str, float], dict[str, str], int]:
    """Return numbers, texts, and how many values could not be kept."""
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    left_out = max(len(data) - MAX_VALUES, 0)
    cleaner = Cleaner()
    for key, value in list(data.items())[:MAX_VALUES]:
        kind = value.WhichOneof("kind")
        name = cleaner.column("name", key, NAME_LIMIT_BYTES)
        if kind == "string_value":
            texts[name] = cleaner.column("value", value.string_value, VALUE_LIMIT_BYTES)
        elif kind == "null_value":
            continue
        elif kind is None:
            left_out += 1
        elif isfinite(number := float(getattr(value, kind))) and abs(number) <= GREATEST:
            numbers[name] = number
        else:
            left_out += 1
    return numbers, texts, left_out
