"""Decoding: golden bytes written by hand from the contract, and laws for any bytes."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.messages.decode import MAX_CAUSES, decode
from services.messages.decoding import DAY_NS, EARLIEST_NS, KEY_LIMIT_BYTES, TEXT_LIMIT_BYTES, DecodeError
from services.messages.echo import own_echo
from services.messages.texts import DETAIL_LIMIT_BYTES, NUL_SIGN
from services.messages.types import Decoded, Kind, Record, Severity
from tests.unit.services.messages.wire_bytes import field
from wire import Schema, load_ers, load_g1, load_g2, load_g3

# How fast the machine is says nothing about the law.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ARRIVED_NS = 1_795_000_000_000_000_000
KAFKA_MS = 1_794_999_999_000
CONTROLLER = "control.local-1x1-config.df-controller"
MANAGER = "control.alice.process_manager"
ERS = "monitoring.ers_stream"
JSON = "erskafka-reporting"
PLAIN_TEXT = b"type.googleapis.com/dunedaq.druncschema.PlainText"


def record(topic: str, value: bytes | None, *, timestamp_ms: int | None = KAFKA_MS, key: bytes | None = None) -> Record:
    return Record(topic=topic, partition=0, offset=7, timestamp_ms=timestamp_ms, key=key, value=value)


def decoded(topic: str, value: bytes, **given: Any) -> Decoded:
    message = decode(record(topic, value, **given), ARRIVED_NS)
    assert isinstance(message, Decoded)
    return message


def broadcast(text: str, number: int = 0, process: str = "df-controller", session: str = "local-1x1-config") -> bytes:
    emitter = field(1, process.encode()) + field(2, session.encode())
    kind = field(2, number) if number else b""
    content = field(1, text.encode()) if text else b""
    packed = field(1, PLAIN_TEXT) + (field(2, content) if content else b"")
    return field(1, emitter) + kind + field(3, packed)


def issue(**given: Any) -> bytes:
    numbers = {"context": 1, "name": 2, "inheritance": 3, "message": 4, "severity": 5, "time": 6}
    out = b""
    for name, value in given.items():
        if name == "parameters":
            for key, text in value.items():
                out += field(11, field(1, key.encode()) + field(2, text.encode()))
        else:
            out += field(numbers[name], value.encode() if isinstance(value, str) else value)
    return out


def chain(final: bytes | None, *causes: bytes, **keys: str) -> bytes:
    out = b"" if final is None else field(1, final)
    out += b"".join(field(2, cause) for cause in causes)
    numbers = {"session": 10, "application": 11, "module": 12}
    return out + b"".join(field(numbers[name], text.encode()) for name, text in keys.items())


def test_a_broadcast_whose_bytes_stand_in_full() -> None:
    value = (
        b"\x0a\x21\x0a\x0ddf-controller\x12\x10local-1x1-config"
        b"\x10\x03"
        b"\x1a\x3c\x0a\x31type.googleapis.com/dunedaq.druncschema.PlainText\x12\x07\x0a\x05ready"
    )
    assert decoded(CONTROLLER, value) == Decoded(
        kind=Kind.CONTROLLER,
        severity=Severity.INFO,
        session="local-1x1-config",
        application="df-controller",
        name="SERVER_READY",
        text="ready",
        time_ns=KAFKA_MS * 1_000_000,
    )
    assert value == broadcast("ready", 3)


@pytest.mark.parametrize("length", [1, 127, 128, 129, 4096, 16_384])
def test_texts_of_any_length_come_out_as_they_went_in(length: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(length))
    assert decoded(CONTROLLER, broadcast(text, 9)).text == text


@pytest.mark.parametrize(
    ("number", "name", "severity"),
    [
        (0, "ACK", Severity.DEBUG),
        (1, "RECEIVER_REMOVED", Severity.INFO),
        (2, "RECEIVER_ADDED", Severity.INFO),
        (3, "SERVER_READY", Severity.INFO),
        (4, "SERVER_SHUTDOWN", Severity.INFO),
        (5, "COMMAND_EXECUTION_START", Severity.INFO),
        (6, "COMMAND_EXECUTION_SUCCESS", Severity.DEBUG),
        (7, "DRUNC_EXCEPTION_RAISED", Severity.ERROR),
        (8, "UNHANDLED_EXCEPTION_RAISED", Severity.FATAL),
        (9, "STATUS_UPDATE", Severity.INFO),
        (10, "SUBPROCESS_STATUS_UPDATE", Severity.INFO),
        (11, "DEBUG", Severity.DEBUG),
        (12, "CHILD_COMMAND_EXECUTION_START", Severity.INFO),
        (13, "CHILD_COMMAND_EXECUTION_SUCCESS", Severity.INFO),
        (14, "CHILD_COMMAND_EXECUTION_FAILED", Severity.ERROR),
        (15, "TEXT_MESSAGE", Severity.INFO),
        (16, "COMMAND_RECEIVED", Severity.INFO),
        (17, "FSM_STATUS_UPDATE", Severity.INFO),
        (42, "UNKNOWN_TYPE_42", Severity.INFO),
    ],
)
def test_broadcast_types_and_their_severity(number: int, name: str, severity: Severity) -> None:
    message = decoded(CONTROLLER, broadcast("text", number))
    assert (message.name, message.severity) == (name, severity)
    assert message.detail == ({"broadcast_type": 42} if number == 42 else None)


def test_the_process_manager_is_told_by_its_topic() -> None:
    message = decoded(MANAGER, broadcast("ready", 3, process="process_manager", session="alice"))
    assert (message.kind, message.session, message.application) == (Kind.PROCESS_MANAGER, "alice", "process_manager")


@pytest.mark.parametrize("schema", [load_g1(), load_g2("a"), load_g2("b"), load_g3()], ids=["g1", "g2a", "g2b", "g3"])
def test_all_generations_broadcast_the_same_bytes(schema: Schema) -> None:
    text = schema.message("dunedaq.druncschema.PlainText")(text="ready")
    emitter = {"process": "df-controller", "session": "local-1x1-config"}
    message = schema.message("dunedaq.druncschema.BroadcastMessage")(emitter=emitter, type=3, data=schema.pack(text))
    assert message.SerializeToString(deterministic=True) == broadcast("ready", 3)


def test_an_emitter_without_names_is_named_by_the_topic() -> None:
    message = decoded(CONTROLLER, broadcast("ready", 3, process="", session=""))
    assert (message.session, message.application) == ("local-1x1-config", "df-controller")


def test_an_empty_text_has_a_type_but_no_bytes() -> None:
    assert decoded(CONTROLLER, broadcast("", 9)).text == ""


def test_data_of_an_unknown_type_keeps_name_and_size_only() -> None:
    data = field(1, b"type.googleapis.com/some.Other") + field(2, b"\xff\xfe\xfd")
    message = decoded(CONTROLLER, field(1, field(1, b"x")) + field(3, data))
    assert message.text == "[some.Other, 3 bytes]"
    assert message.detail == {"data_type": "some.Other", "data_size_bytes": 3}


@pytest.mark.parametrize("name", ["Stacktrace", "PlainTextVector"])
def test_texts_of_several_lines_are_joined(name: str) -> None:
    content = field(1, b"first") + field(1, b"second")
    data = field(1, b"type.googleapis.com/dunedaq.druncschema." + name.encode()) + field(2, content)
    assert decoded(CONTROLLER, field(3, data)).text == "first\nsecond"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "empty value"),
        (b"\xff\xff\xff\xff", "no BroadcastMessage"),
        (broadcast("ready", 3)[:-1], "no BroadcastMessage"),
        (broadcast("ready", 3)[:35], "it has no data"),
        (field(3, field(1, PLAIN_TEXT) + field(2, b"\x0a\x05rea")), "no PlainText"),
        (field(3, field(1, PLAIN_TEXT) + field(2, field(1, b"\xff\xfe"))), "no PlainText"),
    ],
)
def test_what_is_no_broadcast_is_rejected_with_a_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(record(CONTROLLER, value), ARRIVED_NS)


def test_a_topic_of_unknown_form_is_rejected() -> None:
    with pytest.raises(DecodeError, match="topic something-else has no known form"):
        decoded("something-else", b"{}")


def test_an_issue_chain_with_everything() -> None:
    time_ns = ARRIVED_NS - 5_000_000_001
    context = field(1, b"/home/dune") + field(4, b"np04-srv-001") + field(5, 77) + field(11, 4242) + field(15, b"df-01")
    final = issue(
        context=context,
        name="dfmodules::TriggerRecordBuilderIssue",
        inheritance="dfmodules::Issue",
        message="timed out",
        severity="Warning",
        time=time_ns,
        parameters={"run": "31427", "a": ""},
    )
    cause = issue(name="ipm::Timeout", message="no data", severity="ERROR", time=time_ns - 1)
    message = decoded(ERS, chain(final, cause, session="np04", application="df-01", module="trb-0"))
    assert message == Decoded(
        kind=Kind.ERS,
        severity=Severity.WARNING,
        session="np04",
        application="df-01",
        name="dfmodules::TriggerRecordBuilderIssue",
        text="timed out",
        time_ns=time_ns,
        detail={
            "module": "trb-0",
            "context": {
                "cwd": "/home/dune",
                "host_name": "np04-srv-001",
                "line_number": 77,
                "process_id": 4242,
                "application_name": "df-01",
            },
            "parameters": {"run": "31427", "a": ""},
            "inheritance": ["dfmodules::Issue"],
            "causes": [{"name": "ipm::Timeout", "severity": "ERROR", "message": "no data", "time": time_ns - 1}],
        },
    )


@pytest.mark.parametrize("topic", [ERS, "erscontrol.np04.root-controller"])
def test_both_ers_topics_carry_issue_chains(topic: str) -> None:
    message = decoded(topic, chain(issue(message="hello", severity="fatal", time=ARRIVED_NS), session="np04"))
    assert (message.kind, message.severity, message.text) == (Kind.ERS, Severity.FATAL, "hello")


@pytest.mark.parametrize(
    ("given_severity", "severity", "detail"),
    [
        ("", Severity.INFO, None),
        ("DEBUG", Severity.DEBUG, None),
        ("log", Severity.LOG, None),
        ("Info", Severity.INFO, None),
        ("eRRoR", Severity.ERROR, None),
        ("dreadful", Severity.INFO, {"severity_given": "dreadful"}),
    ],
)
def test_ers_severities(given_severity: str, severity: Severity, detail: dict[str, str] | None) -> None:
    message = decoded(ERS, chain(issue(message="m", severity=given_severity, time=ARRIVED_NS)))
    assert (message.severity, message.detail) == (severity, detail)


def test_a_chain_without_its_final_issue_is_an_empty_info() -> None:
    message = decoded(ERS, chain(None, session="np04", application="df-01"))
    assert (message.severity, message.text, message.time_ns) == (Severity.INFO, "", KAFKA_MS * 1_000_000)
    assert message.detail == {"time_given": None}


def test_session_and_application_have_second_sources() -> None:
    value = chain(issue(context=field(15, b"python"), message="m", time=ARRIVED_NS))
    message = decoded(ERS, value, key=b"np04")
    assert (message.session, message.application) == ("np04", "python")


@pytest.mark.parametrize("value", [field(99, b"foreign"), b"\xff\x00", chain(issue(message="long"))[:-1]])
def test_what_is_no_issue_chain_is_rejected(value: bytes) -> None:
    with pytest.raises(DecodeError, match="no IssueChain"):
        decoded(ERS, value)


@pytest.mark.parametrize("absurd", [1, EARLIEST_NS - 1, ARRIVED_NS + DAY_NS + 1, 2**64 - 1])
def test_an_absurd_issue_time_gives_way_to_kafkas_and_is_told(absurd: int) -> None:
    message = decoded(ERS, chain(issue(message="m", time=absurd)))
    assert (message.time_ns, message.detail) == (KAFKA_MS * 1_000_000, {"time_given": absurd})


@pytest.mark.parametrize("timestamp_ms", [None, 0, 1, 2**62, -5])
def test_an_absurd_kafka_time_gives_way_to_the_arrival(timestamp_ms: int | None) -> None:
    message = decoded(CONTROLLER, broadcast("m", 9), timestamp_ms=timestamp_ms)
    assert message.time_ns == ARRIVED_NS
    assert message.detail == {"time_given": timestamp_ms * 1_000_000 if timestamp_ms else None}


def test_times_at_the_edge_are_taken() -> None:
    for edge in (EARLIEST_NS, ARRIVED_NS + DAY_NS):
        assert decoded(ERS, chain(issue(message="m", time=edge))).time_ns == edge


def test_nul_characters_are_replaced_and_counted() -> None:
    message = decoded(CONTROLLER, broadcast("a\0b\0", 9))
    assert (message.text, message.detail) == (f"a{NUL_SIGN}b{NUL_SIGN}", {"nul_replaced": 2})


def test_a_text_of_a_mebibyte_is_whole_and_a_longer_one_says_what_it_lost() -> None:
    assert decoded(CONTROLLER, broadcast("x" * TEXT_LIMIT_BYTES, 9)).detail is None
    message = decoded(CONTROLLER, broadcast("é" * TEXT_LIMIT_BYTES, 9))
    assert message.text == "é" * (TEXT_LIMIT_BYTES // 2)
    assert message.detail == {"cut": {"text": 2 * TEXT_LIMIT_BYTES}}


def test_a_name_too_long_for_its_column_is_cut() -> None:
    message = decoded(CONTROLLER, broadcast("m", 9, session="é" * 300))
    assert len(message.session.encode()) <= KEY_LIMIT_BYTES
    assert message.detail == {"cut": {"session": 600}}


def test_a_huge_detail_is_cut_and_says_so() -> None:
    causes = [issue(name="c", message="y" * 1000)] * 2000
    message = decoded(ERS, chain(issue(message="m", time=ARRIVED_NS, parameters={"k": "z" * 5000}), *causes))
    assert message.detail is not None
    assert message.detail["detail_cut"] is True
    assert message.detail["parameters"] == {"k": "z" * 5000}
    assert 0 < len(message.detail["causes"]) < 2000
    assert len(json.dumps(message.detail)) < 2 * DETAIL_LIMIT_BYTES


def test_of_a_flood_of_empty_causes_only_the_first_are_kept() -> None:
    message = decoded(ERS, chain(issue(message="m", time=ARRIVED_NS), *[b""] * (MAX_CAUSES + 1)))
    assert message.detail == {"causes": [{}] * MAX_CAUSES, "detail_cut": True}


# The older JSON form


def test_a_json_issue_with_everything() -> None:
    issue = {
        "partition": "np04",
        "issue_name": "ipm::Timeout",
        "message": "no data",
        "severity": "Warning",
        "usecs_since_epoch": ARRIVED_NS // 1_000 - 7,
        "time": ARRIVED_NS // 1_000_000 - 9,
        "qualifiers": ["ipm"],
        "params": ["queue: data: 0", "run:31427"],
        "cwd": "/home/dune",
        "application_name": "df-01",
        "process_id": 4242,
        "line_number": 0,
        "chain": 1,
        "group_hash": 77,
    }
    assert decoded(JSON, json.dumps(issue).encode()) == Decoded(
        kind=Kind.ERS,
        severity=Severity.WARNING,
        session="np04",
        application="df-01",
        name="ipm::Timeout",
        text="no data",
        time_ns=ARRIVED_NS - 7_000,
        detail={
            "context": {"cwd": "/home/dune", "application_name": "df-01", "process_id": 4242, "line_number": 0},
            "parameters": {"queue": "data: 0", "run": "31427"},
            "qualifiers": ["ipm"],
            "chain": 1,
            "group_hash": 77,
        },
    )


def test_a_json_issue_without_microseconds_has_milliseconds() -> None:
    value = json.dumps({"message": "m", "time": ARRIVED_NS // 1_000_000}).encode()
    message = decoded(JSON, value, key=b"np04")
    assert (message.time_ns, message.session, message.severity) == (ARRIVED_NS, "np04", Severity.INFO)
    assert message.detail is None


@pytest.mark.parametrize("given_ms", [-1, 253_370_764_800_000, 10**30, 0, True, 1.5, None, "soon"])
def test_an_absurd_json_time_gives_way_to_kafkas_and_is_marked(given_ms: object) -> None:
    message = decoded(JSON, json.dumps({"message": "m", "time": given_ms}).encode())
    assert message.time_ns == KAFKA_MS * 1_000_000
    assert message.detail is not None
    assert "time_given" in message.detail


def test_json_values_of_unexpected_types_are_texts() -> None:
    issue = {"message": {"a": 1}, "severity": 3, "partition": ["x"], "process_id": 2**70, "params": [{"k": "v"}, 5]}
    message = decoded(JSON, json.dumps(issue).encode())
    assert (message.text, message.severity, message.session) == ('{"a": 1}', Severity.INFO, '["x"]')
    assert message.detail is not None
    assert message.detail["context"] == {"process_id": str(2**70)}


@pytest.mark.parametrize(
    "value",
    [
        b"[]",
        b"{}",
        b'"text"',
        b"7",
        b"{",
        b"\xff\xfe{",
        b'{"other": 1}',
        b"[" * 200_000,
        b'{"message": ' + b"1" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_issue_is_rejected(value: bytes) -> None:
    with pytest.raises(DecodeError, match="no JSON issue"):
        decoded(JSON, value)


# Laws

JSON_SCALARS = st.none() | st.integers() | st.floats() | st.text(max_size=20)
JSON_VALUES = JSON_SCALARS | st.lists(JSON_SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), JSON_SCALARS)
JSON_NAMES = st.sampled_from(
    ["message", "severity", "time", "params", "qualifiers", "chain", "partition", "line_number"]
)


@unhurried
@given(issue=st.dictionaries(JSON_NAMES, JSON_VALUES, max_size=4))
@example(issue={"message": "\ud800", "params": ["\0: \udfff"], "chain": float("inf")})
def test_any_json_object_is_storable_or_rejected(issue: dict[str, object]) -> None:
    with suppress(DecodeError):
        assert_storable(decoded(JSON, json.dumps(issue).encode()))


TOPICS = st.sampled_from(
    [CONTROLLER, MANAGER, ERS, "erscontrol.x", "control.", "control.a", "other", "control..x", JSON]
)
PRINTABLE = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)


def assert_storable(message: Decoded) -> None:
    """What PostgreSQL and SQLite take: no NUL, no lone surrogates, names within columns, times within 64 bits."""
    texts = [message.text, message.name, message.session, message.application]
    for text in [*texts, json.dumps(message.detail, ensure_ascii=False, allow_nan=False)]:
        assert "\0" not in text
        text.encode()
    # An escaped backslash before it makes it five harmless letters.
    assert "\\u0000" not in json.dumps(message.detail).replace("\\\\", "")
    assert max(len(message.session.encode()), len(message.application.encode())) <= KEY_LIMIT_BYTES
    assert len(message.text.encode()) <= TEXT_LIMIT_BYTES
    assert EARLIEST_NS <= message.time_ns <= ARRIVED_NS + DAY_NS


@unhurried
@given(topic=TOPICS, value=st.binary(max_size=300), key=st.none() | st.binary(max_size=20))
@example(topic=CONTROLLER, value=field(3, field(1, b"\xc3")), key=None)
@example(topic=CONTROLLER, value=field(3, b""), key=None)
@example(topic=ERS, value=field(1, b""), key=b"\xff\0")
def test_any_bytes_decode_or_are_rejected(topic: str, value: bytes, key: bytes | None) -> None:
    with suppress(DecodeError):
        assert_storable(decoded(topic, value, key=key))


@unhurried
@given(text=PRINTABLE, number=st.integers(0, 2**31 - 1), process=PRINTABLE, timestamp=st.none() | st.integers())
def test_any_broadcast_is_storable(text: str, number: int, process: str, timestamp: int | None) -> None:
    message = decoded(CONTROLLER, broadcast(text, number, process), timestamp_ms=timestamp)
    assert_storable(message)
    assert message.text == text.replace("\0", NUL_SIGN)


@unhurried
@given(
    message=PRINTABLE,
    severity=PRINTABLE,
    time=st.integers(0, 2**64 - 1),
    parameters=st.dictionaries(PRINTABLE, PRINTABLE, max_size=5),
    cut_at=st.integers(1, 400),
)
def test_any_issue_is_storable_and_any_beginning_of_it_is_no_accident(
    message: str, severity: str, time: int, parameters: dict[str, str], cut_at: int
) -> None:
    schema = load_ers()
    final = {"message": message, "severity": severity, "time": time, "parameters": parameters}
    value = schema.message("dunedaq.ersschema.IssueChain")(final=final, session="np04").SerializeToString()
    whole = decoded(ERS, value)
    assert_storable(whole)
    assert whole.text == message.replace("\0", NUL_SIGN)
    with suppress(DecodeError):
        assert_storable(decoded(ERS, value[:cut_at]))


# Echo


@pytest.mark.parametrize(
    ("number", "text", "is_echo"),
    [
        (0, "User 'console' attempting to execute 'ps'", True),
        (0, "User 'console' executing 'status'", True),
        (6, "User 'console' successfully executed 'get_status'", True),
        (0, "User 'alice' attempting to execute 'ps'", False),
        (0, "User 'console2' attempting to execute 'ps'", False),
        (9, "User 'console' attempting to execute 'ps'", False),
        (6, "User 'console' successfully executed 'ps' and more", False),
        (6, "", False),
    ],
)
def test_only_the_consoles_own_announcements_are_echo(number: int, text: str, is_echo: bool) -> None:
    assert own_echo("console")(decoded(MANAGER, broadcast(text, number))) is is_echo
