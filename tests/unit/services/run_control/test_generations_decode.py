"""Messages of G2 and G3 to plain data and back. What any bytes do is in the contract tests, over real gRPC."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import ConsoleError
from services.run_control.call import Caller
from services.run_control.channels import Channels
from services.run_control.decode import PACKAGE
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Transition
from services.run_control.g1.controller import G1Controller
from services.run_control.g2.controller import G2Controller
from services.run_control.g2.description import read_description
from services.run_control.g3.call import CONTROLLER, TypedCaller
from services.run_control.g3.controller import G3Controller
from services.run_control.node_types import NodeKind, Target
from services.run_control.support import Deadlines
from tests.unit.services.messages.wire_bytes import field
from tests.unit.services.run_control.test_decode import unhurried
from wire.schema import WireMessage, load_g1, load_g2, load_g3

DEADLINES = Deadlines(1, 1)


class OneAnswer(Channels):
    """Channels that answer every call with the same bytes, and note what was sent."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.raw = raw
        self.sent: list[tuple[str, bytes]] = []

    def call(self, address: str, path: str, request: bytes, deadline_s: float) -> bytes:
        self.sent.append((path, request))
        return self.raw

    def stream(self, address: str, path: str, request: bytes, deadline_s: float) -> Iterator[bytes]:
        yield self.raw


@dataclass(frozen=True)
class Adapters:
    channels: OneAnswer

    @property
    def g1(self) -> G1Controller:
        return G1Controller(Caller(self.channels, "h:1", "Controller", "It", load_g1()), DEADLINES)

    @property
    def g2(self) -> G2Controller:
        return G2Controller(Caller(self.channels, "h:1", "Controller", "It", load_g2("a")), DEADLINES)

    @property
    def g3(self) -> G3Controller:
        return G3Controller(TypedCaller(self.channels, "h:1", CONTROLLER + "Controller", "It"), DEADLINES)


def g3(name: str, /, **fields: object) -> WireMessage:
    return load_g3().message(PACKAGE + name)(**fields)


@unhurried
@given(st.binary(max_size=100))
def test_any_bytes_as_a_description_of_g2(raw: bytes) -> None:
    with contextlib.suppress(ConsoleError):
        read_description(load_g2("a"), raw)


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4, 5, 6, 7), (1, 2, 6, 7, 3, 4, 5), (2, 3, 4, 5, 6, 7, 8)])
def test_the_fields_of_a_description_are_told_apart_by_content(numbers: tuple[int, ...]) -> None:
    broadcast = b"\x0a\x28type.googleapis.com/dunedaq.druncschema.X"
    values = [
        b"controller",
        b"df-controller",
        b"grpc://10.0.0.1:4711",
        b"conn apa1",
        b"s",
        b"\x0a\x06status",
        broadcast,
    ]
    raw = b"".join(bytes([number << 3 | 2, len(value)]) + value for number, value in zip(numbers, values, strict=True))
    found = read_description(load_g2("a"), raw)
    assert (found.type, found.name, found.endpoint) == ("controller", "df-controller", "grpc://10.0.0.1:4711")
    assert set(found.others) == {"conn apa1", "s"}
    assert found.kind is NodeKind.CONTROLLER


def test_the_description_of_an_unreachable_child_says_nothing() -> None:
    assert read_description(load_g2("a"), b"\x2a\x01s").kind is None


def test_what_a_g2_command_looks_like() -> None:
    channels = OneAnswer(b"")
    with contextlib.suppress(ConsoleError):
        Adapters(channels).g2.exclude("bob", Target("root/df"))
    ((path, raw),) = channels.sent
    assert path == "/dunedaq.druncschema.Controller/exclude"
    request = load_g2("a").message(PACKAGE + "Request").FromString(raw)
    # Lay-out A: name 1, target 3, along the path 4 (off), all children 5 (on).
    assert request.data.value == b"\x0a\x07exclude\x1a\x07root/df\x28\x01"


def test_what_a_g3_command_looks_like() -> None:
    channels = OneAnswer(b"")
    with contextlib.suppress(ConsoleError):
        Adapters(channels).g3.exclude("bob", Target("root/df"))
    token = b"\x0a\x09bob-token\x12\x03bob"
    expected = b"\x0a" + bytes([len(token)]) + token + b"\x12\x07root/df\x20\x01"
    assert channels.sent == [("/dunedaq.druncschema.controller.Controller/exclude", expected)]


START = Transition(
    "start",
    (
        Argument("run_number", ArgumentType.INT, mandatory=True),
        Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=0.0),
        Argument("run_type", ArgumentType.STRING, mandatory=False, default="TEST"),
    ),
)


def in_any(name: str, value: bytes) -> bytes:
    """An ``Any`` by hand; no bytes at all for zero, false and the empty text (contract 12.5)."""
    url = b"type.googleapis.com/dunedaq.druncschema." + name.encode()
    return field(1, url) + (field(2, value) if value else b"")


@pytest.mark.parametrize(
    ("name", "given", "kind", "value"),
    [
        ("run_number", 5, "int_msg", b"\x08\x05"),
        ("disable_data_storage", False, "bool_msg", b""),
        ("trigger_rate", 1.5, "float_msg", b"\x0d\x00\x00\xc0\x3f"),
        ("run_type", "TEST", "string_msg", b"\x0a\x04TEST"),
    ],
)
def test_what_a_transition_looks_like_on_the_wire(name: str, given: ArgumentValue, kind: str, value: bytes) -> None:
    command = field(1, b"start") + field(2, field(1, name.encode()) + field(2, in_any(kind, value)))
    # All children on, along the path off; the target is empty: the node that is asked (contract 11).
    addressed = field(1, b"execute_fsm_command") + field(2, in_any("FSMCommand", command)) + b"\x28\x01"
    token = field(1, b"\x0a\x09bob-token\x12\x03bob")
    channels = OneAnswer(b"")
    made = Adapters(channels)
    for adapter in (made.g1, made.g2, made.g3):
        with contextlib.suppress(ConsoleError):
            adapter.execute("bob", START, {name: given})
    assert channels.sent == [
        ("/dunedaq.druncschema.Controller/execute_fsm_command", token + field(2, in_any("FSMCommand", command))),
        (
            "/dunedaq.druncschema.Controller/execute_fsm_command",
            token + field(2, in_any("AddressedCommand", addressed)),
        ),
        ("/dunedaq.druncschema.controller.Controller/execute_fsm_command", token + field(2, command) + b"\x28\x01"),
    ]


def node(name: str, *children: WireMessage, flag: int = 0, fsm_flag: int = 0, data: str = "") -> WireMessage:
    return g3(
        "controller.ExecuteFSMCommandResponse",
        token=g3("Token", user_name="u"),
        name=name,
        flag=flag,
        fsm_flag=fsm_flag,
        data=data,
        children=children,
    )


@pytest.mark.parametrize(
    ("child", "succeeded", "text"),
    [
        (node("df"), True, "all well"),
        (node("df", fsm_flag=3), True, "all well"),
        (node("df", fsm_flag=1, data='{"success": false, "result": "no link"}'), False, "root/df: no link"),
        (node("df", flag=9, fsm_flag=1), False, "root/df: Not ready"),
        (node("df", flag=42), False, "ResponseFlag_42"),
        (node("df", fsm_flag=17), False, "FSMResponseFlag_17"),
    ],
)
def test_both_flags_of_every_g3_node_count(child: WireMessage, succeeded: bool, text: str) -> None:
    adapters = Adapters(OneAnswer(node("root", child).SerializeToString()))
    result = adapters.g3.execute("u", Transition("conf"), {})
    assert result.succeeded is succeeded
    assert text in result.text


def test_an_excluded_root_does_not_take_part_and_that_is_a_failure() -> None:
    adapters = Adapters(OneAnswer(node("root", fsm_flag=3).SerializeToString()))
    assert not adapters.g3.execute("u", Transition("conf"), {}).succeeded


def test_a_run_that_started_in_1970_is_no_time() -> None:
    info = g3("controller.RunInfo", run_number=5, run_type="PROD", run_time_at_start=12)
    status = g3("controller.Status", state="running", run_info=info)
    answer = g3("controller.StatusResponse", token=g3("Token", user_name="u"), name="root", status=status)
    run = Adapters(OneAnswer(answer.SerializeToString())).g3.status("u").run
    assert run is not None
    assert (run.number, run.type, run.storage_disabled, run.started_at) == (5, "PROD", False, None)
