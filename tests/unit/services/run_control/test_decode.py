"""Messages of G1 to plain data. What any bytes do is in the contract tests, over real gRPC."""

import pytest
from hypothesis import HealthCheck, settings

from services.errors import DruncError, NotInControlError, SchemaMismatchError
from services.run_control import decode, listings
from services.run_control.fsm_types import Argument, ArgumentType
from services.run_control.g1.messages import message
from services.run_control.node_types import NodeKind
from services.run_control.process_types import ProcessStatus
from wire.schema import WireMessage, load_g1

# Text and bytes are slow to draw the first time on a busy machine.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make(name: str, /, **fields: object) -> WireMessage:
    return message(name)(**fields)


def pack(message: WireMessage) -> WireMessage:
    return load_g1().pack(message)


def answer(data: WireMessage | None = None, flag: int = 0, name: str = "root-controller") -> WireMessage:
    made = make("Response", name=name, flag=flag, data=None if data is None else pack(data))
    return decode.response(load_g1(), made.SerializeToString())


def any_of(type_name: str, value: bytes) -> WireMessage:
    url = f"type.googleapis.com/dunedaq.druncschema.{type_name}"
    return load_g1().message("google.protobuf.Any")(type_url=url, value=value)


def test_a_stack_trace_shows_its_last_line_and_keeps_the_rest() -> None:
    lines = ["Traceback (most recent call last):", "  File x", "drunc.DruncCommandException: no host", ""]
    with pytest.raises(DruncError, match="no host") as fault:
        decode.payload(answer(make("Stacktrace", text=lines), flag=6), "Status")
    assert fault.value.message.endswith("drunc.DruncCommandException: no host")
    assert "Traceback" in fault.value.stack


def test_not_in_control_is_its_own_error() -> None:
    refusal = make("PlainText", text="User bob is not in control of Controller")
    with pytest.raises(NotInControlError, match="bob"):
        decode.payload(answer(refusal, flag=3), "Status")


def test_a_payload_of_another_type_names_both() -> None:
    with pytest.raises(SchemaMismatchError, match="Empty instead of Status"):
        decode.payload(answer(make("Empty")), "Status")


def test_an_unknown_payload_names_type_and_size() -> None:
    wire = make("Response", data=any_of("FromTheFuture", b"12345"))
    with pytest.raises(SchemaMismatchError, match=r"FromTheFuture.*5 bytes"):
        decode.payload(wire, "Status")


def test_a_missing_payload() -> None:
    with pytest.raises(SchemaMismatchError, match="lacks its Status"):
        decode.payload(answer(), "Status")


@pytest.mark.parametrize(
    ("flag", "data", "name"),
    [
        (2, None, "NOT_EXECUTED_NOT_IMPLEMENTED"),
        (6, make("Stacktrace", text=["x"]), "DRUNC_EXCEPTION_THROWN"),
        (8, make("PlainText", text="x"), "NOT_EXECUTED_BAD_REQUEST_FORMAT"),
        # The numbering until August 2024 (contract 2.3).
        (5, make("Stacktrace", text=["x"]), "DRUNC_EXCEPTION_THROWN"),
        (7, make("PlainText", text="x"), "NOT_EXECUTED_BAD_REQUEST_FORMAT"),
        (17, None, "ResponseFlag_17"),
    ],
)
def test_names_of_flags(flag: int, data: WireMessage | None, name: str) -> None:
    assert decode.flag_name(answer(data, flag=flag)) == name


def test_the_state_is_split_from_its_brackets() -> None:
    found = decode.status(
        make("Status", name="r", state="configured (preparing-start)", sub_state="preparing-start", included=True),
        "r",
    )
    assert (found.state, found.sub_state) == ("configured", "preparing-start")
    idle = decode.status(make("Status", name="r", state="configured", sub_state="configured"), "r")
    assert (idle.state, idle.sub_state) == ("configured", "configured")


def test_an_unreachable_child_has_no_state_rather_than_a_wrong_one() -> None:
    found = decode.status(
        make("Status", name="df-controller", state="unknown", sub_state="unknown", in_error=True), "df-controller"
    )
    assert (found.state, found.sub_state, found.in_error, found.included) == (None, None, True, None)


def instance(**fields: object) -> WireMessage:
    metadata = make("ProcessMetadata", name="df-01", session="s", user="u", hostname="h", tree_id="1.2.3")
    description = make("ProcessDescription", metadata=metadata)
    given = {"process_description": description, "uuid": make("ProcessUUID", uuid="u-1"), **fields}
    return make("ProcessInstance", **given)


def test_an_exit_code_only_for_the_dead() -> None:
    assert listings.process(instance()).return_code is None
    assert listings.process(instance(return_code=5)).return_code is None
    dead = listings.process(instance(status_code=1))
    assert (dead.status, dead.return_code) == (ProcessStatus.DEAD, 0)
    assert listings.process(instance(status_code=1, return_code=-9)).return_code == -9


def test_processes_that_make_no_sense() -> None:
    with pytest.raises(SchemaMismatchError, match="status 7"):
        listings.process(instance(status_code=7))
    with pytest.raises(SchemaMismatchError, match="no UUID"):
        listings.process(instance(uuid=make("ProcessUUID")))


def test_a_dummy_process_has_no_tree_id() -> None:
    bare = make("ProcessDescription", metadata=make("ProcessMetadata", name="dummy_boot_0"))
    assert listings.process(instance(process_description=bare)).tree_id is None


def test_text_that_no_database_can_hold() -> None:
    metadata = make("ProcessMetadata", name="a\x00b", session="s" * 300)
    found = listings.process(instance(process_description=make("ProcessDescription", metadata=metadata)))
    assert found.name == "a\N{REPLACEMENT CHARACTER}b"
    assert len(found.session) == 255


def argument(default: WireMessage | None = None, kind: int = 0, **fields: object) -> Argument:
    packed = None if default is None else pack(default)
    wire = make("Argument", **{"name": "a", "presence": 1, "type": kind, "default_value": packed, **fields})
    (found,) = decode.transition(make("FSMCommandDescription", name="t", arguments=[wire])).arguments
    return found


def test_defaults_are_decoded_by_their_type() -> None:
    assert argument(make("int_msg", value=5)).default == 5
    assert argument(make("int_msg")).default == 0
    assert argument(make("float_msg", value=0.1), kind=1).default == 0.1
    assert argument(make("string_msg", value="TEST"), kind=2).default == "TEST"
    assert argument(make("bool_msg", value=True), kind=3).default is True
    assert argument(presence=0).default is None
    assert argument(make("float_msg", value=float("nan")), kind=1).default is None


def test_the_run_types_that_do_not_brick_the_root_are_choices() -> None:
    assert argument(make("string_msg", value="TEST"), kind=2, name="run_type").choices == ("PROD", "TEST")
    assert argument(make("string_msg", value="TEST"), kind=2).choices == ()


@pytest.mark.parametrize("field", ["type", "presence"])
def test_unknown_numbers_of_arguments_are_failures(field: str) -> None:
    with pytest.raises(SchemaMismatchError, match="9"):
        argument(**{field: 9}) if field == "presence" else argument(kind=9)


def test_kinds_of_nodes() -> None:
    root = answer(make("Description", type="controller", name="root-controller"))
    root.children.add(name="zz-gone", flag=6, data=pack(make("Stacktrace", text=["x"])))
    root.children.add(name="app", flag=2)
    tree = decode.described(root)
    assert tree.kind is NodeKind.CONTROLLER
    assert [(child.name, child.kind) for child in tree.children] == [("app", NodeKind.APPLICATION), ("zz-gone", None)]


def test_type_of_an_argument() -> None:
    assert [argument(kind=kind).type for kind in range(4)] == list(ArgumentType)
