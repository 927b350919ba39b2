"""The later generations' messages against the contract's tables: every field's number, and bytes written by hand."""

import pytest

from wire import Schema, WireMessage, load_g1, load_g2, load_g3

SHARED = "dunedaq.druncschema."
CONTROLLER = SHARED + "controller."
MANAGER = SHARED + "process_manager."
RUN_CONTROL = SHARED + "run_control."
G2A, G2B, G3 = load_g2("a"), load_g2("b"), load_g3()

# Section 6.2: the common shape of requests, and of the answers that hold one thing.
S = "token target execute_along_path execute_on_all_subsequent_children_in_path"
WITH_TEXT = "token name text children flag"
PLAIN = "token name children flag"

# Fields in the order of their numbers, from 1; a dash is a number that is not used.
TABLES: dict[tuple[str, str], str] = {
    # Section 2.3 and 5.
    ("G2a", SHARED + "AddressedCommand"): "command_name command_data "
    "target execute_along_path execute_on_all_subsequent_children_in_path",
    ("G2b", SHARED + "AddressedCommand"): "token command_name command_data "
    "target execute_along_path execute_on_all_subsequent_children_in_path",
    ("G2a", SHARED + "FSMCommand"): "command_name arguments - data",
    # What the nightlies after it tell of the run is there already.
    ("G2a", SHARED + "Status"): "- state sub_state in_error included run_info",
    ("G2a", SHARED + "ConfigKey"): "file session_id",
    ("G2a", SHARED + "AllConfigKeys"): "config_keys",
    ("G2a", SHARED + "ActiveSession"): "name user config_key",
    ("G2a", SHARED + "AllActiveSessions"): "active_sessions",
    # Section 6.1.
    ("G3", SHARED + "Token"): "token user_name",
    ("G3", SHARED + "Request"): "token data",
    ("G3", SHARED + "Response"): "name token data flag children",
    ("G3", SHARED + "Description"): "token type name endpoint info session commands broadcast flag",
    ("G3", SHARED + "LogOnServerRequest"): "token text severity "
    "target execute_along_path execute_on_all_subsequent_children_in_path",
    ("G3", SHARED + "LogOnServerResponse"): "token name flag children",
    # Section 6.2.
    **{
        ("G3", f"{CONTROLLER}{rpc}Request"): S
        for rpc in (
            *("Describe", "Status", "Include", "Exclude", "TakeControl", "SurrenderControl", "WhoIsInCharge"),
            *("RecomputeStatus", "ToError"),
        )
    },
    **{
        ("G3", f"{CONTROLLER}{rpc}Response"): WITH_TEXT
        for rpc in ("Include", "Exclude", "TakeControl", "SurrenderControl", "WhoIsInCharge")
    },
    ("G3", CONTROLLER + "DescribeResponse"): "token name description children flag",
    ("G3", CONTROLLER + "StatusResponse"): "token name status children flag",
    ("G3", CONTROLLER + "DescribeFSMRequest"): S.replace("token", "token key"),
    ("G3", CONTROLLER + "DescribeFSMResponse"): "token name description children flag",
    ("G3", CONTROLLER + "ExecuteFSMCommandRequest"): S.replace("token", "token command"),
    ("G3", CONTROLLER + "ExecuteFSMCommandResponse"): "token name command_name data children fsm_flag flag",
    ("G3", CONTROLLER + "ExecuteExpertCommandRequest"): S.replace("token", "token json_string"),
    ("G3", CONTROLLER + "ExecuteExpertCommandResponse"): "token name - data children fsm_flag flag",
    ("G3", CONTROLLER + "RecomputeStatusResponse"): PLAIN,
    ("G3", CONTROLLER + "ToErrorResponse"): PLAIN,
    ("G3", CONTROLLER + "FSMCommand"): "command_name arguments - data",
    ("G3", CONTROLLER + "FSMSequence"): "id command_ids",
    ("G3", CONTROLLER + "FSMCommandsDescription"): "token type name session commands sequences",
    ("G3", CONTROLLER + "FSMCommandDescription"): "name data_type help return_type arguments",
    ("G3", CONTROLLER + "Argument"): "name presence type default_value choices help",
    ("G3", CONTROLLER + "Status"): "- state sub_state in_error included run_info",
    ("G3", CONTROLLER + "RunInfo"): "run_type trigger_rate run_number disable_data_storage "
    "run_time_at_start run_time_since_start run_config_file run_config_name",
    # Section 6.3.
    ("G3", MANAGER + "ProcessRestriction"): "allowed_hosts allowed_host_types data_mount",
    ("G3", MANAGER + "ProcessUUID"): "uuid",
    ("G3", MANAGER + "ProcessQuery"): "token uuids names user session crash",
    ("G3", MANAGER + "ProcessMetadata"): "uuid user session name hostname tree_id",
    ("G3", MANAGER + "ProcessDescription"): "metadata env executable_and_arguments "
    "process_execution_directory process_logs_path",
    ("G3", MANAGER + "ProcessInstance"): "process_description process_restriction status_code "
    "return_code uuid remote_pid",
    ("G3", MANAGER + "ProcessInstanceList"): "name token values flag",
    ("G3", MANAGER + "BootRequest"): "token process_description process_restriction",
    ("G3", MANAGER + "LogRequest"): "token query how_far",
    ("G3", MANAGER + "LogLines"): "name token uuid lines flag",
    # Sections 6.4 and 6.5.
    ("G3", SHARED + "session_manager.AllActiveSessions"): "name token active_sessions flag",
    ("G3", SHARED + "session_manager.AllConfigKeys"): "name token config_keys flag",
    ("G3", RUN_CONTROL + "StartSessionRequest"): "token process_manager path_to_configuration_file session_id "
    "session_name override_logs controller_log_level sleep_between_app_boot",
    ("G3", RUN_CONTROL + "StartSessionResponse"): "token result",
}
SCHEMAS: dict[str, Schema] = {"G2a": G2A, "G2b": G2B, "G3": G3}


@pytest.mark.parametrize(("schema", "message"), TABLES, ids=lambda part: part.rpartition(".")[2])
def test_fields_have_the_numbers_of_the_tables(schema: str, message: str) -> None:
    described = SCHEMAS[schema].message(message).DESCRIPTOR
    names = TABLES[schema, message].split()
    assert {field.name: field.number for field in described.fields} == {
        name: number for number, name in enumerate(names, 1) if name != "-"
    }


VALUES: list[tuple[str, object, str]] = [
    ("string_msg", "TEST", "0a 04 54 45 53 54"),
    ("int_msg", 5, "08 05"),
    ("int_msg", -1, "08 ff ff ff ff ff ff ff ff ff 01"),
    ("float_msg", 1.5, "0d 00 00 c0 3f"),
    ("bool_msg", True, "08 01"),
    ("bool_msg", False, ""),
    ("int_msg", 0, ""),
    ("float_msg", 0.0, ""),
    ("string_msg", "", ""),
]


@pytest.mark.parametrize("schema", [load_g1(), G2A, G2B, G3], ids=["G1", "G2a", "G2b", "G3"])
@pytest.mark.parametrize(("name", "value", "expected"), VALUES)
def test_argument_values_of_contract_12_5(schema: Schema, name: str, value: object, expected: str) -> None:
    packed = schema.pack(schema.message(SHARED + name)(value=value))
    assert packed.type_url == f"type.googleapis.com/dunedaq.druncschema.{name}"
    assert packed.value.hex(" ") == expected
    assert schema.unpack(packed).value == value


def _g3(name: str, /, **fields: object) -> WireMessage:
    return G3.message(name)(**fields)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            _g3(
                CONTROLLER + "RunInfo",
                run_type="P",
                trigger_rate=1.5,
                run_number=300,
                disable_data_storage=True,
                run_time_at_start=1,
                run_time_since_start=2,
            ),
            "0a 01 50 11 00 00 00 00 00 00 f8 3f 18 ac 02 20 01 28 01 30 02",
        ),
        (
            _g3(CONTROLLER + "Status", state="s", sub_state="u", in_error=True, included=True),
            "12 01 73 1a 01 75 20 01 28 01",
        ),
        (
            _g3(CONTROLLER + "ExecuteFSMCommandResponse", name="n", command_name="c", data="{}", fsm_flag=1, flag=5),
            "12 01 6e 1a 01 63 22 02 7b 7d 30 01 38 05",
        ),
        # Zero is there where it was set: in G3 a dead process tells that its code is zero.
        (_g3(MANAGER + "ProcessInstance", status_code=1, return_code=0, remote_pid="7"), "18 01 20 00 32 01 37"),
        (_g3(MANAGER + "ProcessQuery", names=["a"], user="u", session="s"), "1a 01 61 22 01 75 2a 01 73"),
        (_g3(MANAGER + "LogLines", lines=["l"], flag=8), "22 01 6c 28 08"),
        (
            _g3(RUN_CONTROL + "StartSessionRequest", override_logs=True, sleep_between_app_boot=1.5),
            "30 01 45 00 00 c0 3f",
        ),
    ],
)
def test_bytes_of_contract_6(message: WireMessage, expected: str) -> None:
    assert message.SerializeToString(deterministic=True).hex(" ") == expected


FLAGS = """
EXECUTED_SUCCESSFULLY FAILED NOT_EXECUTED_NOT_IMPLEMENTED NOT_EXECUTED_NOT_IN_CONTROL NOT_EXECUTED_NOT_AUTHORISED
NOT_EXECUTED_NODE_IN_ERROR DRUNC_EXCEPTION_THROWN UNHANDLED_EXCEPTION_THROWN NOT_EXECUTED_BAD_REQUEST_FORMAT
NOT_EXECUTED_NOT_READY
"""
FSM_FLAGS = """
FSM_EXECUTED_SUCCESSFULLY FSM_FAILED FSM_INVALID_TRANSITION FSM_NOT_EXECUTED_EXCLUDED FSM_NOT_EXECUTED_IN_ERROR
"""


def test_flags_of_g3() -> None:
    assert G3.enum_names(SHARED + "ResponseFlag") == dict(enumerate(FLAGS.split()))
    assert G3.enum_names(CONTROLLER + "FSMResponseFlag") == dict(enumerate(FSM_FLAGS.split()))
