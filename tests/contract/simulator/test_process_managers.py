"""Process managers of G2 and G3 where they differ from G1 (contract 5.2, 6.3, 7, 9)."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from simulator.installation import Installation
from tests.contract.simulator.trees import G3_PROCESS_MANAGER, SHARED, unary
from tests.simulated import RawClient, RecordingPublisher, connected, g1, payload, said
from tests.waiting import wait_until
from wire import WireMessage, load_g2, load_g3

SESSION = "cosmics"
Ask = Callable[..., WireMessage]


def booted(generation: str) -> Iterator[Installation]:
    simulated = Installation(
        [f"{SESSION}:local-1x1-config"],
        "broker:9092",
        publisher=RecordingPublisher(),
        generations={SESSION: generation},
        process_manager_generation=generation,
    )
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def g2() -> Iterator[RawClient]:
    """A process manager of G2: on the wire as G1."""
    for simulated in booted("G2"):
        with connected(simulated.process_manager_address, "ProcessManager") as client:
            yield client


@pytest.fixture
def third() -> Iterator[Installation]:
    """An installation of G3."""
    yield from booted("G3")


@pytest.fixture
def g3(third: Installation) -> Iterator[Ask]:
    """Ask the process manager of G3."""
    with grpc.insecure_channel(third.process_manager_address) as channel:
        yield asking(channel)


def asking(channel: grpc.Channel) -> Ask:
    schema = load_g3()
    token = schema.message(f"{SHARED}.Token")(user_name="alice", token="alice-token")

    def ask(rpc: str, **fields: object) -> WireMessage:
        request = schema.methods(G3_PROCESS_MANAGER)[rpc].request(token=token, **fields)
        return unary(channel, G3_PROCESS_MANAGER, rpc, request, schema)

    return ask


def named(processes: WireMessage) -> dict[str, WireMessage]:
    return {value.process_description.metadata.name: value for value in processes.values}


def test_g2_describe_tells_its_log(g2: RawClient) -> None:
    packed = g2.call("describe").data
    description = load_g2("a").unpack(packed)
    assert (description.type, description.name, description.session) == (
        "process_manager",
        "process_manager",
        "dunedaq",
    )
    assert description.info.endswith(".log")
    assert len(description.commands) == 8


def test_g2_refuses_a_bad_payload_in_the_name_of_its_class(g2: RawClient) -> None:
    response = g2.call("ps")
    assert (response.name, response.flag) == ("SSHProcessManager", 8)
    assert "ProcessQuery" in said(response)
    (logged,) = g2.call("logs")
    assert logged.flag == 8


def test_g2_terminates_without_data_and_leaves_first(g2: RawClient) -> None:
    ended = [value.process_description.metadata for value in payload(g2.call("terminate")).values]
    assert len(ended) == 14
    depths = [metadata.tree_id.count(".") for metadata in ended]
    assert depths == sorted(depths, reverse=True)
    assert not payload(g2.call("ps", g1("ProcessQuery", names=[".*"]))).values


def test_g2_logs_end_as_in_a_terminal(g2: RawClient) -> None:
    request = g1("LogRequest", query=g1("ProcessQuery", names=["^df-01$"]), how_far=2)
    assert all(payload(response).line.endswith("\r\n") for response in g2.call("logs", request))


def test_g2_processes_tell_session_and_configuration_apart(g2: RawClient) -> None:
    (df_01,) = payload(g2.call("ps", g1("ProcessQuery", names=["^df-01$"]))).values
    description = df_01.process_description
    assert (description.metadata.session, description.metadata.tree_id) == (SESSION, "0.1.2")
    args = list(description.executable_and_arguments[1].args)
    assert args[:6] == ["-s", SESSION, "-k", "local-1x1-config", "-n", "df-01"]
    assert description.process_logs_path.endswith(f"_{SESSION}_df-01.txt")


def test_g3_ps_has_no_return_code_of_the_living(third: Installation, g3: Ask) -> None:
    third.kill(SESSION, "df-01", 0)
    listed = g3("ps", names=[".*"])
    assert (listed.name, listed.token.user_name, len(listed.values)) == ("process_manager", "alice", 14)
    known = named(listed)
    assert (known["df-01"].status_code, known["df-01"].HasField("return_code")) == (1, True)
    assert (known["ru-01"].status_code, known["ru-01"].HasField("return_code")) == (0, False)
    assert known["ru-01"].remote_pid.isdigit()


def test_g3_life_of_a_process(g3: Ask) -> None:
    description = {
        "metadata": {"user": "alice", "session": "mine", "name": "dummy"},
        "executable_and_arguments": [{"exec": "echo", "args": ["hello"]}],
    }
    booted = g3("boot", process_description=description, process_restriction={"allowed_hosts": ["localhost"]})
    (value,) = booted.values
    uuids = [{"uuid": value.uuid.uuid}]
    query = {"uuids": uuids, "user": "nobody", "session": "nothing"}
    wait_until(lambda: g3("ps", **query).values[0].status_code == 1, 5, "the end of the echo")
    lines = g3("logs", query=query)
    assert (lines.uuid.uuid, lines.lines[-1]) == (value.uuid.uuid, "hello\n")
    assert g3("restart", **query).values[0].uuid.uuid == value.uuid.uuid
    assert len(g3("kill", **query).values) == 1
    assert not g3("flush", **query).values
    assert len(g3("terminate").values) == 14


def test_g3_logs_of_a_bad_query_are_told_in_band(g3: Ask) -> None:
    lines = g3("logs", query={"names": ["nobody"], "user": "nobody", "session": "nothing"})
    assert (lines.flag, list(lines.lines)) == (8, ["The process corresponding to the query doesn't exist"])


@pytest.mark.parametrize(
    ("rpc", "fields", "code"),
    [
        ("restart", {"names": [".*"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ("boot", {}, grpc.StatusCode.INTERNAL),
        ("ps", {"names": ["*"]}, grpc.StatusCode.UNKNOWN),
    ],
)
def test_g3_errors_are_statuses(g3: Ask, rpc: str, fields: dict[str, object], code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        g3(rpc, **fields)
    assert caught.value.code() is code


def test_g3_restarted_process_manager_knows_nothing(third: Installation, g3: Ask) -> None:
    address = third.process_manager_address
    third.restart_process_manager()
    assert third.process_manager_address == address
    with grpc.insecure_channel(address) as channel:
        assert not asking(channel)("ps", names=[".*"]).values
