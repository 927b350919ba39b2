"""The descriptor sets mean what the contract says, byte by byte."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from wire import Schema, UnknownMessageError, WireMessage, load_ers, load_g1
from wire.compile import SOURCES, compile_protos

DRUNC = "dunedaq.druncschema"


def g1(name: str, /, **fields: object) -> WireMessage:
    return load_g1().message(f"{DRUNC}.{name}")(**fields)


def encoded(message: WireMessage) -> str:
    return str(message.SerializeToString(deterministic=True).hex(" "))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (g1("Token", token="a-token", user_name="a"), "0a 07 61 2d 74 6f 6b 65 6e 12 01 61"),
        (g1("PlainTextVector", text=["a", "b"]), "0a 01 61 0a 01 62"),
        (g1("Stacktrace", text=["x", ""]), "0a 01 78 0a 00"),
        (g1("Response", name="n", flag=3, children=[g1("Response", name="c")]), "0a 01 6e 20 03 2a 03 0a 01 63"),
        (g1("Description", type="t", name="n", session="s"), "0a 01 74 12 01 6e 1a 01 73"),
        (g1("CommandDescription", name="n", data_type=["d"], return_type="r"), "0a 01 6e 12 01 64 22 01 72"),
        (g1("FSMCommand", command_name="c", children_nodes=["x"], data="{}"), "0a 01 63 1a 01 78 22 02 7b 7d"),
        (g1("FSMCommandResponse", flag=1, command_name="c"), "08 01 12 01 63"),
        (g1("Argument", name="a", presence=1, type=3), "0a 01 61 10 01 18 03"),
        (
            g1("Status", name="n", state="s", sub_state="u", in_error=True, included=True),
            "0a 01 6e 12 01 73 1a 01 75 20 01 28 01",
        ),
        (
            g1("ProcessMetadata", user="u", session="s", name="n", hostname="h", tree_id="1"),
            "12 01 75 1a 01 73 22 01 6e 2a 01 68 32 01 31",
        ),
        (g1("ProcessQuery", names=[".*"], user="u", session="s"), "12 02 2e 2a 1a 01 75 22 01 73"),
        (
            g1("ProcessInstance", status_code=1, return_code=-9, uuid=g1("ProcessUUID", uuid="u")),
            "18 01 20 f7 ff ff ff ff ff ff ff ff 01 2a 03 0a 01 75",
        ),
        (g1("LogRequest", how_far=7), "10 07"),
        (g1("LogLine", line="l"), "12 01 6c"),
        (
            g1("BroadcastMessage", emitter=g1("Emitter", process="p", session="s"), type=17),
            "0a 06 0a 01 70 12 01 73 10 11",
        ),
    ],
)
def test_field_numbers_of_contract_4(message: WireMessage, expected: str) -> None:
    assert encoded(message) == expected


def test_defaults_are_invisible() -> None:
    """Contract 3: RUNNING, ACK, success and an empty text encode to nothing; their Any keeps the type."""
    assert encoded(g1("ProcessInstance", status_code=0, return_code=0)) == ""
    assert encoded(g1("BroadcastMessage", type=0)) == ""
    assert encoded(g1("Response", flag=0)) == ""
    packed = load_g1().pack(g1("PlainText", text=""))
    assert packed.type_url == "type.googleapis.com/dunedaq.druncschema.PlainText"
    assert packed.value == b""


def test_enumerations_of_contract_4() -> None:
    flags = load_g1().enum_names(f"{DRUNC}.ResponseFlag")
    assert flags[5] == "NOT_EXECUTED_NODE_IN_ERROR"
    assert flags[8] == "NOT_EXECUTED_BAD_REQUEST_FORMAT"
    assert load_g1().enum_names(f"{DRUNC}.FSMResponseFlag")[4] == "FSM_NOT_EXECUTED_IN_ERROR"
    broadcasts = load_g1().enum_names(f"{DRUNC}.BroadcastType")
    assert len(broadcasts) == 18
    assert broadcasts[10] == "SUBPROCESS_STATUS_UPDATE"


def test_ers_field_numbers_of_contract_16_3() -> None:
    ers = load_ers()
    issue = ers.message("dunedaq.ersschema.SimpleIssue")(name="n", severity="s", time=5, parameters={"k": "v"})
    chain = ers.message("dunedaq.ersschema.IssueChain")(final=issue, session="a", application="b", module="c")
    assert encoded(issue) == "12 01 6e 2a 01 73 30 05 5a 06 0a 01 6b 12 01 76"
    assert encoded(chain).endswith("52 01 61 5a 01 62 62 01 63")
    context = ers.message("dunedaq.ersschema.Context")(process_id=1, thread_id=2, user_id=3, application_name="a")
    assert encoded(context) == "58 01 60 02 68 03 7a 01 61"


def test_methods_have_the_paths_of_the_contract() -> None:
    manager = load_g1().methods(f"{DRUNC}.ProcessManager")
    assert set(manager) == {"describe", "boot", "terminate", "restart", "kill", "flush", "ps", "logs"}
    assert manager["ps"].path == "/dunedaq.druncschema.ProcessManager/ps"
    assert [name for name, method in manager.items() if method.server_streaming] == ["logs"]
    assert "status" not in load_g1().methods(f"{DRUNC}.Controller")


def test_unknown_message_is_named() -> None:
    with pytest.raises(UnknownMessageError, match=r"dunedaq\.druncschema\.Nothing"):
        load_g1().message(f"{DRUNC}.Nothing")


@pytest.mark.parametrize("committed_set", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_committed_descriptor_sets_are_fresh(committed_set: Path, tmp_path: Path) -> None:
    target = tmp_path / "fresh.pb"
    compile_protos(committed_set.parent, SOURCES[committed_set], target)
    fresh = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    committed = descriptor_pb2.FileDescriptorSet.FromString(committed_set.read_bytes())
    # Imports of Google's own files may differ between compilers in comments and options; ours may not.
    assert [file for file in fresh.file if not file.name.startswith("google/")] == [
        file for file in committed.file if not file.name.startswith("google/")
    ]


def _another_generation() -> Schema:
    """Return a schema with the same full name as a message of G1, but another number."""
    files = descriptor_pb2.FileDescriptorSet()
    file = files.file.add(name="drunc.proto", package=DRUNC, syntax="proto3")
    field = file.message_type.add(name="Status").field.add(name="state", number=9)
    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    field.label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    return Schema(files.SerializeToString())


def test_two_generations_live_side_by_side() -> None:
    other = _another_generation().message(f"{DRUNC}.Status")(state="s")
    assert encoded(other) == "4a 01 73"
    assert encoded(g1("Status", state="s")) == "12 01 73"
    with pytest.raises(TypeError):
        g1("ChildrenStatus", children_status=[other])
