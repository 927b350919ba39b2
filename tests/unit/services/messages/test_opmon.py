"""OpMon entries of both lay-outs: golden bytes written by hand from the contract, and laws for any bytes."""

import struct
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.messages.decode import decode
from services.messages.decoding import DAY_NS, EARLIEST_NS, KEY_LIMIT_BYTES, DecodeError
from services.messages.opmon import MAX_BYTES, MAX_FIELDS, MAX_VALUES, TOPIC, VALUE_LIMIT_BYTES
from services.messages.types import Measurement, Record
from tests.unit.services.messages.wire_bytes import field, varint
from wire import load_opmon

# How fast the machine is says nothing about the law.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ARRIVED_NS = 1_795_000_000_000_000_000
KAFKA_MS = 1_794_999_999_000
SECONDS = 1_794_999_998
TIME = field(1, field(1, SECONDS) + field(2, 250))
STATUS = "dunedaq.drunc.opmon.FSMStatus"
COMMAND = "dunedaq.drunc.opmon.CommandTime"


def measured(value: bytes, key: bytes | None = None, timestamp_ms: int | None = KAFKA_MS) -> Measurement:
    found = decode(Record(TOPIC, 0, 7, timestamp_ms, key, value), ARRIVED_NS)
    assert isinstance(found, Measurement)
    return found


def double(number: float) -> bytes:
    return varint(10 << 3 | 1) + struct.pack("<d", number)


def single(number: float) -> bytes:
    return varint(11 << 3 | 5) + struct.pack("<f", number)


def word(text: str) -> bytes:
    return field(20, text.encode())


def entry(name: str, content: bytes) -> bytes:
    return field(1, name.encode()) + field(2, content)


def data(number: int = 10, /, **values: bytes) -> bytes:
    return b"".join(field(number, entry(name, content)) for name, content in values.items())


def origin(*parts: str) -> bytes:
    return b"".join(field(min(place, 3), part.encode()) for place, part in enumerate(parts, start=1))


def march(opmon_id: str, name: str, values: bytes, time: bytes = TIME) -> bytes:
    return time + field(2, opmon_id.encode()) + field(3, name.encode()) + values


def october(parts: tuple[str, ...], name: str, values: bytes, *custom: bytes, numbers: tuple[int, int, int]) -> bytes:
    of_origin, of_custom, of_name = numbers
    entries = b"".join(field(of_custom, one) for one in custom)
    return TIME + field(of_origin, origin(*parts)) + entries + field(of_name, name.encode()) + values


def pair(key: str, value: str) -> bytes:
    return field(1, key.encode()) + field(2, value.encode())


def test_an_entry_whose_bytes_stand_in_full() -> None:
    value = (
        b"\x0a\x09\x08\xbe\x8d\xf6\xd7\x06\x10\xfa\x01"
        b"\x12\x12np04.df-controller"
        b"\x1a\x0adaq.Status"
        b"\x52\x07\x0a\x01n\x12\x02\x10\x05"
        b"\x52\x12\x0a\x05state\x12\x09\xa2\x01\x06ready!"
    )
    assert value == march("np04.df-controller", "daq.Status", data(n=field(2, 5), state=word("ready!")))
    found = measured(value)
    assert (found.session, found.application, found.name) == ("np04", "df-controller", "daq.Status")
    assert (found.numbers, found.texts) == ({"n": 5.0}, {"state": "ready!"})


def test_the_lay_out_of_march_2024() -> None:
    values = data(
        a=field(2, 5), big=field(5, 2**64 - 1), x=double(1.5), y=single(0.25), on=field(15, 1), no=field(1, 0)
    )
    found = measured(march("np04.df-01.trb.queue-0", "daq.Queue", values + data(state=word("running"))))
    assert found == Measurement(
        session="np04",
        application="df-01",
        element="trb.queue-0",
        name="daq.Queue",
        origin="",
        time_ns=SECONDS * 1_000_000_000 + 250,
        numbers={"a": 5.0, "big": float(2**64), "x": 1.5, "y": 0.25, "on": 1.0},
        texts={"state": "running"},
    )


def test_negative_and_zero_numbers_come_out_as_they_went_in() -> None:
    values = data(a=field(2, 2**64 - 3), b=field(3, 2**64 - 4), c=field(2, 0), d=field(15, 0), e=double(-0.5))
    found = measured(march("np04.df-01", "daq.N", values))
    assert found.numbers == {"a": -3.0, "b": -4.0, "c": 0.0, "d": 0.0, "e": -0.5}


def test_our_schema_writes_the_bytes_of_the_contract() -> None:
    message = load_opmon().message("dunedaq.opmon.OpMonEntry")(opmon_id="np04.df-01", measurement="daq.N")
    message.time.seconds, message.time.nanos = SECONDS, 250
    message.data["a"].int4_value = 5
    assert message.SerializeToString(deterministic=True) == march("np04.df-01", "daq.N", data(a=field(2, 5)))


@pytest.mark.parametrize("numbers", [(2, 3, 4), (3, 4, 5), (4, 5, 2), (7, 9, 8)])
@pytest.mark.parametrize("of_data", [10, 11, 6])
def test_the_lay_out_of_october_2024_whatever_its_numbers(numbers: tuple[int, int, int], of_data: int) -> None:
    values = data(of_data, execution_time_ns=field(5, 1_000_000))
    custom = pair("Command", "conf")
    found = measured(october(("np04", "df-controller"), COMMAND, values, custom, numbers=numbers))
    assert (found.session, found.application, found.element) == ("np04", "df-controller", "")
    assert (found.name, found.origin) == (COMMAND, "Command=conf")
    assert found.numbers == {"execution_time_ns": 1_000_000.0}
    assert found.time_ns == SECONDS * 1_000_000_000 + 250


def test_substructure_is_the_element_and_custom_origins_are_sorted() -> None:
    custom = [pair("b", "2"), pair("a", "1")]
    found = measured(
        october(("np04", "ru-01", "card", "link-3"), "daq.Link", data(n=field(4, 1)), *custom, numbers=(2, 3, 4))
    )
    assert (found.element, found.origin) == ("card.link-3", "a=1, b=2")


def test_an_origin_without_a_custom_one() -> None:
    value = october(("np04", "root-controller"), STATUS, data(state=word("ready")), numbers=(2, 3, 4))
    for key in (None, b"np04.root-controller/" + STATUS.encode()):
        found = measured(value, key)
        assert (found.session, found.application, found.origin) == ("np04", "root-controller", "")
        assert found.texts == {"state": "ready"}


def test_the_key_tells_a_single_custom_origin_from_the_origin() -> None:
    value = TIME + field(3, pair("Command", "conf")) + field(4, COMMAND.encode()) + data(n=field(2, 1))
    found = measured(value, b"np04.df-controller/" + COMMAND.encode())
    assert (found.session, found.application, found.origin) == ("np04", "df-controller", "Command=conf")


@pytest.mark.parametrize("number", [781.03, 1e10, 3.2e5])
def test_values_whose_bytes_are_letters_stay_values(number: float) -> None:
    letters = struct.unpack("<f", b"ABCD")[0]
    for content, expected in ((single(letters), letters), (double(number), number)):
        found = measured(october(("np04", "a"), "daq.X", data(x=content), pair("Q", "Qabcdefgh"), numbers=(2, 3, 4)))
        assert (found.numbers, found.origin) == ({"x": expected}, "Q=Qabcdefgh")


def test_values_of_a_kind_that_nobody_knows_are_left_out_and_counted() -> None:
    found = measured(march("np04.a", "daq.N", data(new=field(30, 7), unset=b"", n=field(2, 1))))
    assert (found.numbers, found.texts, found.left_out) == ({"n": 1.0}, {}, 2)


def test_nan_and_infinity_are_left_out_and_counted() -> None:
    values = data(a=double(float("nan")), b=double(float("inf")), c=single(float("-inf")), d=double(1e300), e=double(2))
    found = measured(march("np04.a", "daq.N", values))
    assert (found.numbers, found.left_out) == ({"e": 2.0}, 4)


def test_too_many_values_are_left_out_and_counted() -> None:
    values = data(**{f"v{number}": field(2, number) for number in range(MAX_VALUES + 5)})
    found = measured(march("np04.a", "daq.N", values))
    assert (len(found.numbers), found.left_out) == (MAX_VALUES, 5)


def stamp(seconds: int, nanos: int = 0) -> bytes:
    return field(1, (field(1, seconds % 2**64) if seconds else b"") + (field(2, nanos) if nanos else b""))


@pytest.mark.parametrize("time", [b"", stamp(0), stamp(-1), stamp(253_402_300_799), stamp(2**62), stamp(5)])
def test_an_absurd_time_gives_way_to_kafkas_and_is_marked(time: bytes) -> None:
    found = measured(march("np04.a", "daq.N", data(n=field(2, 1)), time))
    assert (found.time_ns, found.is_time_absurd, found.numbers) == (KAFKA_MS * 1_000_000, True, {"n": 1.0})


def test_huge_names_are_cut() -> None:
    huge = "x" * 100_000
    found = measured(march(f"{huge}.{huge}.{huge}", huge, data(**{huge: word(huge)})))
    assert {len(text) for text in (found.session, found.application, found.element, found.name)} == {KEY_LIMIT_BYTES}
    assert {len(name): len(text) for name, text in found.texts.items()} == {KEY_LIMIT_BYTES: VALUE_LIMIT_BYTES}


@pytest.mark.parametrize(
    "value", [b"\xff\xff\xff", TIME, TIME + field(9, b"\x00\xff"), data(n=field(2, 1)), b"\x0b" * 10_000, b"\x08\x01"]
)
def test_what_is_no_entry_is_rejected(value: bytes) -> None:
    with pytest.raises(DecodeError, match="no OpMonEntry"):
        measured(value)


def test_entries_too_large_to_look_at_are_rejected() -> None:
    whole = march("np04.a", "daq.N", data(n=field(2, 1)))
    assert measured(whole + field(3_000, 1) * 100).numbers == {"n": 1.0}
    with pytest.raises(DecodeError, match="far too many fields"):
        measured(whole + field(3_000, 1) * MAX_FIELDS)
    with pytest.raises(DecodeError, match="bytes are too many"):
        measured(whole + field(3_000, b"\xff" * MAX_BYTES))


def assert_storable(found: Measurement) -> None:
    names = [found.session, found.application, found.element, found.name, found.origin, *found.numbers, *found.texts]
    for text in [*names, *found.texts.values()]:
        assert "\0" not in text
        text.encode()
    assert all(len(name.encode()) <= KEY_LIMIT_BYTES for name in names)
    assert EARLIEST_NS <= found.time_ns <= ARRIVED_NS + DAY_NS


@unhurried
@given(value=st.binary(max_size=300), key=st.none() | st.binary(max_size=30))
@example(value=field(2, b"a") + field(10, field(2, word("\0"))), key=b"\0/\0")
@example(value=field(3, field(1, b"\xff")), key=b"a/b")
def test_any_bytes_are_measured_or_rejected(value: bytes, key: bytes | None) -> None:
    with suppress(DecodeError):
        assert_storable(measured(value, key))


@unhurried
@given(cut_at=st.integers(0, 200), flipped=st.integers(0, 200), by=st.integers(1, 255))
def test_any_damage_to_an_entry_is_measured_or_rejected(cut_at: int, flipped: int, by: int) -> None:
    custom = pair("Command", "conf")
    whole = bytearray(october(("np04", "a", "b"), COMMAND, data(n=field(2, 1), s=word("w")), custom, numbers=(2, 3, 4)))
    with suppress(DecodeError):
        assert_storable(measured(bytes(whole[:cut_at])))
    whole[flipped % len(whole)] ^= by
    with suppress(DecodeError):
        assert_storable(measured(bytes(whole)))
