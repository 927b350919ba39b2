"""Session manager of G2 and G3, and the run control service of G3 (contract 5.3, 6.4, 6.5, 15)."""

from collections.abc import Iterator

import grpc
import pytest

from simulator.installation import Installation
from tests.contract.simulator.trees import SHARED, asking, unary
from tests.simulated import RecordingPublisher
from wire import Schema, WireMessage, load_g2, load_g3

SESSION = "cosmics"
CONFIGURATION = "local-1x1-config"
FILE = "config/daqsystemtest/example-configs.data.xml"
G2_MANAGER = f"{SHARED}.SessionManager"
G3_MANAGER = f"{SHARED}.session_manager.SessionManager"
RUN_CONTROL = f"{SHARED}.run_control.RunControl"


def booted(generation: str) -> Iterator[Installation]:
    simulated = Installation(
        [f"{SESSION}:{CONFIGURATION}"] if generation != "G1" else [CONFIGURATION],
        publisher=RecordingPublisher(),
        generations={SESSION: generation} if generation != "G1" else {},
        process_manager_generation=generation,
    )
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def third() -> Iterator[Installation]:
    """An installation of G3."""
    yield from booted("G3")


def ask(address: str | None, service: str, rpc: str, schema: Schema, **fields: object) -> WireMessage:
    assert address is not None
    token = schema.message(f"{SHARED}.Token")(user_name="alice", token="alice-token")
    with grpc.insecure_channel(address) as channel:
        request = schema.methods(service)[rpc].request(token=token, **fields)
        return unary(channel, service, rpc, request, schema)


def test_g1_has_neither() -> None:
    for simulated in booted("G1"):
        assert (simulated.session_manager_address, simulated.run_control_address) == (None, None)


def test_g2_session_manager_lists() -> None:
    schema = load_g2("b")
    for simulated in booted("G2"):
        address = simulated.session_manager_address
        answers = {
            rpc: schema.unpack(ask(address, G2_MANAGER, rpc, schema).data)
            for rpc in ("describe", "list_all_sessions", "list_all_configs")
        }
        with pytest.raises(grpc.RpcError) as caught:
            ask(address, G2_MANAGER, "start_session", schema)
        assert simulated.run_control_address is None
    assert (answers["describe"].type, answers["describe"].session) == ("session_manager", "session_manager")
    (active,) = answers["list_all_sessions"].active_sessions
    assert (active.name, active.user, active.config_key.session_id) == (SESSION, "dunedaq", CONFIGURATION)
    assert CONFIGURATION in [key.session_id for key in answers["list_all_configs"].config_keys]
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_g3_session_manager_lists(third: Installation) -> None:
    sessions = ask(third.session_manager_address, G3_MANAGER, "list_all_sessions", load_g3())
    assert (sessions.name, sessions.token.user_name) == ("session_manager", "alice")
    assert [(active.name, active.config_key.file) for active in sessions.active_sessions] == [(SESSION, FILE)]
    keys = ask(third.session_manager_address, G3_MANAGER, "list_all_configs", load_g3()).config_keys
    assert "local-2x3-config" in [key.session_id for key in keys]
    assert ask(third.session_manager_address, G3_MANAGER, "describe", load_g3()).type == "session_manager"


def test_sessions_without_processes_are_not_listed(third: Installation) -> None:
    third.restart_process_manager()
    answer = ask(third.session_manager_address, G3_MANAGER, "list_all_sessions", load_g3())
    assert not answer.active_sessions


@pytest.mark.parametrize(
    ("file", "configuration", "name", "outcome"),
    [
        (FILE, CONFIGURATION, "free", 0),
        ("elsewhere.xml", CONFIGURATION, "free", 1),
        (FILE, "nonsense", "free", 2),
        (FILE, CONFIGURATION, SESSION, 3),
        (FILE, CONFIGURATION, "a.b", 4),
    ],
)
def test_validating_a_session(third: Installation, file: str, configuration: str, name: str, outcome: int) -> None:
    fields = {"path_to_configuration_file": file, "ssesion_id": configuration, "session_name": name}
    answer = ask(third.run_control_address, RUN_CONTROL, "validate_session", load_g3(), **fields)
    assert answer.result.status == outcome


def test_starting_and_ending_a_session(third: Installation) -> None:
    def order(rpc: str, name: str, **fields: object) -> int:
        known = {"path_to_configuration_file": FILE, "session_name": name}
        answer = ask(third.run_control_address, RUN_CONTROL, rpc, load_g3(), **known, **fields)
        return int(answer.result.status)

    assert order("end_session", "mine") == 8
    assert order("start_session", "mine", session_id=CONFIGURATION) == 0
    with asking(third.controller_address("mine"), "G3") as root:
        assert root.ask("status").status.state == "initial"
    # One session at a time.
    assert order("start_session", "other", session_id=CONFIGURATION) == 8
    assert order("end_session", "mine") == 0
    sessions = ask(third.session_manager_address, G3_MANAGER, "list_all_sessions", load_g3()).active_sessions
    assert [active.name for active in sessions] == [SESSION]
    assert order("start_session", "mine", session_id=CONFIGURATION) == 0
