"""The pitfalls of the contract's section 22, one by one: none of them is ours.

`PITFALLS` says for each which tests prove it. Those that no other test proves are here.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import grpc
import pytest

from services.errors import DruncError, NotInControlError, SchemaMismatchError
from services.run_control import decode
from services.run_control.command_types import Action, CommandState
from services.run_control.execution import Order, execute
from services.run_control.node_types import Target
from services.run_control.process_execution import execute_on_processes
from services.run_control.process_types import BootOrder, Process, ProcessQuery, ProcessStatus
from services.run_control.support import also_matched
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.servers import saying, serving
from tests.contract.run_control.sites import DF, DF_01, G1, G2B, G3, LATER, ROOT, VARIANTS, Site, simulated
from tests.simulated import connected
from tests.waiting import wait_until
from wire.schema import Schema, WireMessage, load_g1, load_g2, load_g3

CONTRACT = "tests/contract/run_control/"
UNIT = "tests/unit/services/run_control/"
MESSAGES = "tests/unit/services/messages/"
HERE = CONTRACT + "test_pitfalls.py"
# Of what the console never speaks to: nothing to prove.
NOT_OURS: Final = "not ours"

PITFALLS: Mapping[int, tuple[str, ...]] = {
    # Wire and decoding
    1: (
        UNIT + "test_decode.py::test_defaults_are_decoded_by_their_type",
        CONTRACT + "test_controllers.py::test_transitions_come_with_their_arguments",
    ),
    2: (MESSAGES + "test_decode.py::test_texts_of_any_length_come_out_as_they_went_in",),
    3: (
        UNIT + "test_decode.py::test_names_of_flags",
        UNIT + "test_generations_decode.py::test_the_fields_of_a_description_are_told_apart_by_content",
        CONTRACT + "test_controllers.py::test_status_tells_every_node",
    ),
    4: (UNIT + "test_decode.py::test_an_exit_code_only_for_the_dead", HERE + "::test_04_the_living_have_no_exit_code"),
    5: (CONTRACT + "test_refusals.py::test_both_flags_of_every_node_are_judged",),
    6: (HERE + "::test_06_a_32_bit_float_is_shown_as_it_was_meant",),
    7: (
        CONTRACT + "test_refusals.py::test_no_write_without_control",
        CONTRACT + "test_detection.py::test_a_refusal_in_the_wrong_message_is_understood",
    ),
    8: (HERE + "::test_08_a_success_without_data_is_no_status",),
    9: (HERE + "::test_09_an_answer_may_lack_its_token_and_bear_the_name_of_a_class",),
    10: (HERE + "::test_10_describe_fsm_carries_a_text_even_if_it_is_empty",),
    # Semantics
    11: (CONTRACT + "test_refusals.py::test_both_flags_of_every_node_are_judged",),
    12: (
        CONTRACT + "test_refusals.py::test_both_flags_of_every_node_are_judged",
        CONTRACT + "test_controllers.py::test_out_of_an_error_by_recomputing",
    ),
    13: (CONTRACT + "test_commands.py::test_surrender_is_judged_by_who_is_in_charge",),
    14: (HERE + "::test_14_another_token_under_the_same_name_is_a_stranger",),
    15: (
        CONTRACT + "test_refusals.py::test_g1_has_no_targets",
        HERE + "::test_15_an_excluded_application_of_g1_spoils_taking_control_and_it_is_taken",
    ),
    16: (
        HERE + "::test_16_g2_is_asked_for_two_keys_only",
        HERE + "::test_16_the_root_of_g2_is_named_without_a_slash",
        HERE + "::test_16_a_name_that_begins_another_is_ambiguous_in_g2",
    ),
    17: (
        UNIT + "test_decode.py::test_the_state_is_split_from_its_brackets",
        CONTRACT + "test_refusals.py::test_what_the_state_machine_refuses_has_words",
        CONTRACT + "test_refusals.py::test_a_wedged_controller_is_named_with_the_way_out",
        CONTRACT + "test_commands.py::test_a_transition_that_is_not_possible",
    ),
    18: (
        UNIT + "test_endpoints.py::test_no_poll_while_a_command_is_under_way",
        CONTRACT + "test_refusals.py::test_reads_wait_behind_a_transition_and_are_busy",
    ),
    19: (CONTRACT + "test_controllers.py::test_a_whole_run_transition_by_transition",),
    20: (HERE + "::test_20_the_state_machine_is_the_servers",),
    21: (HERE + "::test_21_criteria_of_a_query_are_alternatives_so_processes_are_killed_by_uuid",),
    22: (
        CONTRACT + "test_process_manager.py::test_an_exact_name_is_no_pattern",
        CONTRACT + "test_process_manager.py::test_a_pattern_that_drunc_would_fail_on_is_not_sent",
    ),
    23: (
        CONTRACT + "test_process_manager.py::test_restarting_what_was_killed_is_a_fault_of_druncs",
        HERE + "::test_23_any_exit_code_of_what_was_killed_is_a_success",
    ),
    24: (HERE + "::test_24_what_cannot_start_is_booted_and_found_dead",),
    25: (UNIT + "test_decode.py::test_a_dummy_process_has_no_tree_id",),
    26: (CONTRACT + "test_polling.py::test_processes_come_in_numeric_tree_order",),
    27: (HERE + "::test_27_lines_of_logs_have_neither_ends_nor_colours",),
    28: (MESSAGES + "test_decode.py::test_the_process_manager_is_told_by_its_topic",),
    29: (NOT_OURS,),
    30: (NOT_OURS,),
    31: (
        UNIT + "test_session_poll.py::test_an_empty_answer_can_be_a_hiccup",
        CONTRACT + "test_adapters.py::test_a_session_that_is_not_known_is_empty",
    ),
    32: (UNIT + "test_session_poll.py::test_a_rebooted_session_is_learnt_anew",),
    33: (NOT_OURS,),
    34: (HERE + "::test_34_the_session_manager_starts_nothing",),
    35: (
        MESSAGES + "test_decode.py::test_an_issue_chain_with_everything",
        MESSAGES + "test_decode.py::test_a_broadcast_whose_bytes_stand_in_full",
    ),
    36: (CONTRACT + "test_adapters.py::test_a_proxy_in_the_environment_is_not_used",),
    37: (HERE + "::test_37_lines_of_kubernetes_have_no_uuid",),
}


@pytest.mark.parametrize("number", range(1, 38))
def test_every_pitfall_is_proved(number: int) -> None:
    for place in PITFALLS[number]:
        if place == NOT_OURS:
            continue
        file, _, name = place.partition("::")
        assert name in _tests(Path(file)), f"{file} has no {name}"


def _tests(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.fixture(params=VARIANTS, ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with simulated(request.param) as made:
        yield made


def _in(*variants: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("site", variants, ids=str, indirect=True)


def _envelope(schema: Schema, name: str, payload: WireMessage | None = None, flag: int = 0) -> bytes:
    data = None if payload is None else schema.pack(payload)
    return bytes(
        schema.message(decode.PACKAGE + "Response")(name=name, data=data, flag=flag).SerializeToString(),
    )


@_in(G1, G2B, G3)
def test_04_the_living_have_no_exit_code(site: Site) -> None:
    assert {found.return_code for found in site.manager.processes("alice")} == {None}
    site.installation.kill(SESSION, "mlt", 0)
    (dead,) = site.manager.processes("alice", ProcessQuery(names=("mlt",)))
    assert (dead.status, dead.return_code) == (ProcessStatus.DEAD, 0)


@_in(G3)
def test_06_a_32_bit_float_is_shown_as_it_was_meant(site: Site) -> None:
    site.root.take_control("alice")
    site.execute("conf")
    site.execute("start", run_number=1, trigger_rate=0.1)
    run = site.root.status("alice").run
    assert run is not None
    assert run.trigger_rate_hz == 0.1


@_in(G2B)
def test_08_a_success_without_data_is_no_status(site: Site) -> None:
    # The real detection needs real answers; what the root says afterwards is what is tested.
    schema = load_g2("b")
    status = schema.message(decode.PACKAGE + "Status")(state="initial", sub_state="initial", included=True)
    whole = schema.message(decode.PACKAGE + "Response").FromString(_envelope(schema, ROOT, status))
    whole.children.add(name="passed-on")
    whole.children.add(name="refused", flag=2)
    path = "/dunedaq.druncschema.Controller/"
    answers = {path + rpc: saying(whole.SerializeToString()) for rpc in ("status", "recompute_status", "describe")}
    with serving(answers) as address:
        controller = site.adapters.controller(address)
        children = controller.status("alice").children
        assert children is not None
        assert [(child.name, child.state, child.children) for child in children] == [
            ("passed-on", None, None),
            ("refused", None, None),
        ]
        answers[path + "status"] = saying(_envelope(schema, ROOT))
        with pytest.raises(SchemaMismatchError, match="lacks its Status"):
            controller.status("alice")


@_in(G2B)
def test_09_an_answer_may_lack_its_token_and_bear_the_name_of_a_class(site: Site) -> None:
    schema = load_g1()
    refusal = schema.message(decode.PACKAGE + "PlainText")(text="The request does not hold a ProcessQuery")
    path = "/dunedaq.druncschema.ProcessManager/"
    answers = {
        path + "describe": saying(_envelope(schema, "process_manager")),
        path + "ps": saying(_envelope(schema, "SSHProcessManager", refusal, 8)),
    }
    with serving(answers) as address, pytest.raises(DruncError, match=r"SSHProcessManager: The request does not hold"):
        site.adapters.process_manager(address).processes("alice")


@_in(*VARIANTS[:3])
def test_10_describe_fsm_carries_a_text_even_if_it_is_empty(site: Site) -> None:
    # Without one the server fails, or refuses (contract 7.2).
    assert site.root.possible("alice") == ("conf",)


@_in(G1, G2B, G3)
def test_14_another_token_under_the_same_name_is_a_stranger(site: Site) -> None:
    conf = site.transition("conf")
    if site.variant is G1:
        address = site.installation.controller_address(SESSION)
        with connected(address, "Controller", "alice", "a token of her own") as shell:
            shell.call("take_control")
    else:
        _steal_under_the_same_name(site)
    assert site.root.holder("console") == "alice"
    with pytest.raises(NotInControlError):
        site.root.execute("alice", conf, {})
    outcome = execute(Order(1, "alice", SESSION, Action.EXECUTE_TRANSITION, "", conf, {}), site.root)
    assert outcome.state is CommandState.FAILED
    assert "another program is, under that name. Take control again." in outcome.text
    assert site.root.take_control("alice").succeeded
    assert site.execute("conf").succeeded


def _steal_under_the_same_name(site: Site) -> None:
    g3 = site.variant.generation == "G3"
    schema = load_g3() if g3 else load_g2("b")
    service = decode.PACKAGE + ("controller.Controller" if g3 else "Controller")
    method = schema.methods(service)["take_control"]
    request = method.request()
    request.token.user_name, request.token.token = "alice", "a token of her own"
    if g3:
        request.execute_along_path = request.execute_on_all_subsequent_children_in_path = True
    address = site.installation.controller_address(SESSION)
    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary(
            method.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString,
        )
        ask(request, timeout=10)


@_in(G1)
def test_15_an_excluded_application_of_g1_spoils_taking_control_and_it_is_taken(site: Site) -> None:
    site.root.take_control("alice")
    site.controller("df-controller").exclude("alice")
    outcome = execute(Order(1, "bob", SESSION, Action.TAKE_CONTROL, "", None, {}), site.root)
    assert outcome.state is CommandState.SUCCEEDED
    assert outcome.text.startswith(f"bob is in control of {SESSION}. Not of: {DF}")
    assert (site.root.holder("alice"), site.controller("df-controller").holder("alice")) == ("bob", "bob")


@_in(*VARIANTS[1:3])
def test_16_g2_is_asked_for_two_keys_only(site: Site) -> None:
    assert site.root.possible("alice") == ("conf",)
    assert len(site.root.transitions("alice")) == 9
    # It has no sequences of its own: what can be gone through is found out with the same keys.
    assert [found.name for found in site.root.sequences("alice")] == ["start_run", "stop_run", "shutdown"]


@_in(*LATER)
def test_16_the_root_of_g2_is_named_without_a_slash(site: Site) -> None:
    site.root.take_control("alice")
    for target in (Target(all_children=False), Target(ROOT, all_children=False)):
        assert site.root.exclude("alice", target).succeeded
        assert not site.root.status("alice").included
        site.root.include("alice", target)
        assert site.root.status("alice").included


def test_16_a_name_that_begins_another_is_ambiguous_in_g2() -> None:
    paths = [ROOT, DF, DF_01, f"{DF}/df-012", f"{ROOT}/df-controller-2", f"{ROOT}/ru-controller/df-01"]
    assert also_matched(DF_01, paths) == (f"{ROOT}/df-controller-2", f"{DF}/df-012")
    assert also_matched(f"{DF}/df-012", paths) == (f"{ROOT}/df-controller-2",)
    assert also_matched(f"{ROOT}/d.", paths) == (DF, f"{ROOT}/df-controller-2")
    assert also_matched(f"{ROOT}/(", paths) == also_matched(ROOT, paths) == ()


@_in(G1)
def test_20_the_state_machine_is_the_servers(site: Site) -> None:
    schema = load_g1()
    number = schema.message(decode.PACKAGE + "Argument")(name="fl_cmd_id")
    own = schema.message(decode.PACKAGE + "FSMCommandDescription")(name="master_send_fl_command", arguments=[number])
    described = schema.message(decode.PACKAGE + "FSMCommandsDescription")(commands=[own])
    path = "/dunedaq.druncschema.Controller/"
    answers = {
        path + "get_status": saying(_envelope(schema, ROOT)),
        path + "describe_fsm": saying(_envelope(schema, ROOT, described)),
    }
    with serving(answers) as address:
        (transition,) = site.adapters.controller(address).transitions("alice")
    assert (transition.name, transition.arguments[0].name, transition.arguments[0].mandatory) == (
        "master_send_fl_command",
        "fl_cmd_id",
        True,
    )


def _on_processes(site: Site, action: Action, *processes: Process, user: str = "alice") -> tuple[CommandState, str]:
    payload = {"processes": {process.uuid: process.name for process in processes}}
    outcome = execute_on_processes(Order(1, user, "", action, "", None, {}, payload), site.manager)
    return outcome.state, outcome.text


@_in(G1, G2B, G3)
def test_21_criteria_of_a_query_are_alternatives_so_processes_are_killed_by_uuid(site: Site) -> None:
    twin = site.manager.boot("alice", BootOrder("mlt", "hand-made", "alice", (("sleep", "100s"),)))
    either = site.manager.processes("alice", ProcessQuery(names=("mlt",), session="hand-made"))
    assert {found.session for found in either} == {SESSION, "hand-made"}
    assert _on_processes(site, Action.KILL, twin)[0] is CommandState.SUCCEEDED
    assert [found.session for found in site.manager.processes("alice", ProcessQuery(names=("mlt",)))] == [SESSION]


@_in(G1, G2B, G3)
def test_23_any_exit_code_of_what_was_killed_is_a_success(site: Site) -> None:
    (mlt,) = site.manager.processes("alice", ProcessQuery(names=("mlt",)))
    (df_01,) = site.manager.processes("alice", ProcessQuery(names=("df-01",)))
    site.installation.kill(SESSION, "df-01", -9)
    state, text = _on_processes(site, Action.KILL, mlt, df_01)
    assert (state, text) == (CommandState.SUCCEEDED, "2 of 2 processes killed.")


@_in(G1, G2B, G3)
def test_24_what_cannot_start_is_booted_and_found_dead(site: Site) -> None:
    nowhere = BootOrder("dummy", "hand-made", "alice", (("true",),), hosts=("no-such-host",))
    booted = site.manager.boot("alice", nowhere)
    this = ProcessQuery(uuids=(booted.uuid,))

    def dead() -> bool:
        return site.manager.processes("alice", this)[0].status is ProcessStatus.DEAD

    wait_until(dead, what="the end of the process")
    (process,) = site.manager.processes("alice", this)
    assert process.return_code == 255


@_in(G1, G2B, G3)
def test_27_lines_of_logs_have_neither_ends_nor_colours(site: Site) -> None:
    (process,) = site.manager.processes("alice", ProcessQuery(names=("df-01",)))
    this = ProcessQuery(uuids=(process.uuid,))
    before = site.manager.logs("alice", this, 1000)
    colourful = BootOrder("colours", "hand-made", "alice", (("echo", "\x1b[31;1mred\x1b[0m"),))
    booted = site.manager.boot("alice", colourful)
    lines = wait_until(
        lambda: [line for line in site.manager.logs("alice", ProcessQuery(uuids=(booted.uuid,)), 100) if "red" in line],
        what="the line",
    )
    assert lines == ["red"]
    # A snapshot: nothing came by itself.
    assert before == site.manager.logs("alice", this, 1000)
    site.manager.kill("alice", this)
    with pytest.raises(Exception, match="doesn't exist"):
        site.manager.logs("alice", this, 1)


@_in(G2B)
def test_34_the_session_manager_starts_nothing(site: Site) -> None:
    path = f"/{decode.PACKAGE}SessionManager/start_session"
    with pytest.raises(grpc.RpcError) as refused:
        site.channels.call(site.installation.session_manager_address or "", path, b"", 5)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not hasattr(site.adapters.session_manager(""), "start_session")


@_in(G1)
def test_37_lines_of_kubernetes_have_no_uuid(site: Site) -> None:
    schema = load_g1()
    line = schema.message(decode.PACKAGE + "LogLine")(line="without an end")
    path = "/dunedaq.druncschema.ProcessManager/"
    answers = {
        path + "describe": saying(_envelope(schema, "process_manager")),
        path + "logs": saying(_envelope(schema, "process_manager", line)),
    }
    with serving(answers) as address:
        manager = site.adapters.process_manager(address)
        assert manager.logs("alice", ProcessQuery(uuids=("u",)), 1) == ("without an end",)
