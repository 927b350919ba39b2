"""Announcements, refusals and in-band errors of contract 7, over real gRPC."""

import grpc
import pytest

from simulator.installation import Installation
from tests.simulated import RawClient, RecordingPublisher, blamed, g1, payload, said, text

ROOT_TOPIC = "control.local-1x1-config.root-controller"
MANAGER_TOPIC = "control.dunedaq.process_manager"
ATTEMPT = ("ACK", "User 'alice' attempting to execute '{}'")
SUCCESS = ("COMMAND_EXECUTION_SUCCESS", "User 'alice' successfully executed '{}'")


def announced(rpc: str, *, ended: bool = True) -> list[tuple[str, str]]:
    kinds = (ATTEMPT, SUCCESS) if ended else (ATTEMPT,)
    return [(kind, template.format(rpc)) for kind, template in kinds]


def test_reads_are_announced_before_and_after(root: RawClient, publisher: RecordingPublisher) -> None:
    root.call("get_status")
    assert publisher.broadcasts(ROOT_TOPIC) == announced("get_status")


def test_emitter_names_node_and_session(root: RawClient, publisher: RecordingPublisher) -> None:
    root.call("ls")
    record = publisher.records[0]
    message = g1("BroadcastMessage").FromString(record.value)
    assert (message.emitter.process, message.emitter.session) == ("root-controller", "local-1x1-config")
    assert record.key is None


def test_process_manager_speaks_on_the_topic_of_its_os_user(manager: RawClient, publisher: RecordingPublisher) -> None:
    manager.call("ps", g1("ProcessQuery"))
    assert publisher.broadcasts(MANAGER_TOPIC) == announced("ps")


def test_refused_call_is_announced_and_ends(root: RawClient, publisher: RecordingPublisher) -> None:
    """Ownership is checked before the payload is looked at."""
    response = root.call("execute_fsm_command")
    assert (response.name, response.flag) == ("root-controller", 3)
    assert said(response) == "User alice is not in control of Controller"
    assert response.token.user_name == "alice"
    assert publisher.broadcasts(ROOT_TOPIC) == announced("execute_fsm_command")


@pytest.mark.parametrize("data", [None, g1("int_msg", value=1)])
def test_missing_or_wrong_payload_is_an_unhandled_name_error(
    held: RawClient, publisher: RecordingPublisher, data: object
) -> None:
    publisher.clear()
    response = held.call("execute_fsm_command", data)
    assert response.flag == 7
    assert blamed(response).startswith("NameError: ")
    assert response.token.token == "alice-token"
    assert not response.children
    assert publisher.broadcasts(ROOT_TOPIC) == announced("execute_fsm_command", ended=False)


def test_describe_fsm_and_the_queries_want_their_payload(root: RawClient, manager: RawClient) -> None:
    assert root.call("describe_fsm").flag == 7
    assert root.call("describe_fsm", text("")).flag == 0
    for rpc in ("ps", "kill", "flush", "restart", "terminate", "boot"):
        response = manager.call(rpc)
        assert (response.name, response.flag) == ("process_manager", 7)


def test_include_does_not_look_at_its_payload(held: RawClient) -> None:
    assert said(held.call("exclude", g1("FSMCommand", command_name="exclude"))) == (
        "root-controller and children excluded"
    )


def test_drunc_exception_has_its_own_flag(manager: RawClient) -> None:
    response = manager.call("boot", g1("BootRequest"))
    assert response.flag == 6
    assert blamed(response) == "drunc.exceptions.DruncCommandException: No allowed host provided! bailing"
    assert payload(response).text[-1] == ""


def test_streams_end_their_announcement_even_after_an_exception(
    manager: RawClient, publisher: RecordingPublisher
) -> None:
    (response,) = manager.call("logs", g1("LogRequest"))
    assert response.flag == 6
    assert publisher.broadcasts(MANAGER_TOPIC) == announced("logs")


def test_token_travels_on_writes_only(held: RawClient, manager: RawClient) -> None:
    taken = held.call("take_control")
    assert taken.token.user_name == "alice"
    assert {node.token.user_name for node in taken.children} == {"alice"}
    for rpc in ("get_status", "get_children_status", "describe", "ls", "who_is_in_charge"):
        assert not held.call(rpc).HasField("token")
    assert not manager.call("ps", g1("ProcessQuery")).HasField("token")


@pytest.mark.parametrize(
    "path",
    [
        "/dunedaq.druncschema.Controller/status",
        "/dunedaq.druncschema.controller.Controller/status",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_other_generations_and_services_are_unimplemented(small: Installation, path: str) -> None:
    with grpc.insecure_channel(small.controller_address("local-1x1-config")) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(path, bytes, bytes)(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
