"""Controllers of G2 and G3: recursion, targets, ownership, transitions, recovery (contract 8, 10, 11)."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from simulator.installation import Installation
from tests.contract.simulator.trees import G2Client, G3Client, asking
from tests.simulated import RecordingPublisher, child
from tests.waiting import wait_until
from wire import WireMessage, load_g2, load_rpc_status

SESSION = "cosmics"
CONFIGURATION = "local-1x1-config"
TOPIC = f"control.{SESSION}.root-controller"
Client = G2Client | G3Client


@pytest.fixture(params=["G2", "G3"])
def generation(request: pytest.FixtureRequest) -> str:
    """The generation of the session."""
    return str(request.param)


@pytest.fixture
def tree(generation: str, publisher: RecordingPublisher) -> Iterator[Installation]:
    """A freshly booted session whose name is not its configuration's."""
    yield from booted(generation, publisher)


def booted(generation: str, publisher: RecordingPublisher, **options: object) -> Iterator[Installation]:
    simulated = Installation(
        [f"{SESSION}:{CONFIGURATION}"],
        "broker:9092",
        publisher=publisher,
        generations={SESSION: generation},
        **options,  # type: ignore[arg-type]
    )
    try:
        simulated.start()
        publisher.clear()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def top(tree: Installation, generation: str) -> Iterator[Client]:
    """The root controller, asked by alice, who is a stranger to it."""
    with asking(tree.controller_address(SESSION), generation) as client:
        yield client


@pytest.fixture
def owned(top: Client) -> Client:
    """The root controller after alice took control."""
    assert top.ask("take_control").flag == 0
    return top


def names(response: WireMessage) -> set[str]:
    return {response.name}.union(*(names(node) for node in response.children))


def states(client: Client) -> dict[str, str]:
    """Return the state of every node by name."""
    found: dict[str, str] = {}

    def collect(node: WireMessage) -> None:
        found[node.name] = client.body(node).state
        for below in node.children:
            collect(below)

    collect(client.ask("status"))
    return found


def test_status_is_recursive(top: Client) -> None:
    assert set(states(top).values()) == {"initial"}
    assert len(states(top)) == 13
    application = top.body(child(top.ask("status"), "df-controller", "df-01"))
    assert (application.sub_state, application.included, application.in_error) == ("idle", True, False)


def test_descriptions_tell_end_points_and_the_session(tree: Installation, top: Client) -> None:
    response = top.ask("describe")
    root = top.body(response)
    assert (root.type, root.name, root.session) == ("controller", "root-controller", SESSION)
    assert root.endpoint == f"grpc://{tree.controller_address(SESSION)}"
    application = top.body(child(response, "ru-controller", "ru-01"))
    assert (application.type, application.info) == ("daq_application", "conn apa1")
    assert application.endpoint.startswith("rest://")


def test_announcements(top: Client, publisher: RecordingPublisher) -> None:
    top.ask("status", below=False)
    assert publisher.broadcasts(TOPIC) == [
        ("ACK", "User 'alice' executing 'status'"),
        ("COMMAND_EXECUTION_SUCCESS", "User 'alice' successfully executed 'status'"),
    ]


def test_ownership_is_a_tree(top: Client) -> None:
    assert top.text(top.ask("who_is_in_charge")) == "controller_init_token"
    taken = top.ask("take_control")
    assert top.text(taken) == "alice took control on root-controller"
    assert top.text(child(taken, "df-controller")) == "alice took control on df-controller"
    assert child(taken, "df-controller", "df-01").flag == 2
    surrendered = top.ask("surrender_control")
    assert (surrendered.flag, top.text(surrendered)) == (0, "Could not surrender control on root-controller")
    asked = top.ask("who_is_in_charge")
    assert [top.text(asked), top.text(child(asked, "df-controller"))] == ["", ""]


def test_stranger_is_refused(top: Client) -> None:
    refused = top.ask("exclude")
    assert (refused.flag, top.text(refused)) == (3, "User alice is not in control of Controller")


def test_control_not_taken_of_a_child_that_is_down(tree: Installation, top: Client) -> None:
    tree.controller_down(SESSION, "trg-controller")
    taken = top.ask("take_control")
    expected = "alice took control on root-controller, could not take control for all children"
    assert (taken.flag, top.text(taken)) == (0, expected)
    assert child(taken, "trg-controller").flag == 6


def test_a_whole_run(owned: Client) -> None:
    for transition, state in [
        ("conf", "configured"),
        ("start", "ready"),
        ("enable_triggers", "running"),
        ("disable_triggers", "ready"),
        ("drain_dataflow", "dataflow_drained"),
        ("stop_trigger_sources", "trigger_sources_stopped"),
        ("stop", "configured"),
        ("scrap", "initial"),
    ]:
        response = owned.execute(transition, run_number=42)
        assert (response.flag, owned.fsm_flag(response)) == (0, 0)
        assert len(names(response)) == 13
        assert set(states(owned).values()) == {state}


def test_transition_that_is_not_allowed_is_refused_politely(owned: Client) -> None:
    response = owned.execute("enable_triggers")
    assert (response.flag, owned.fsm_flag(response), len(response.children)) == (0, 2, 0)
    assert states(owned)["df-01"] == "initial"


def test_wedged_controller_refuses_until_recomputed(tree: Installation, owned: Client) -> None:
    tree.wedge(SESSION)
    assert owned.fsm_flag(owned.execute("conf")) == 2
    owned.ask("recompute_status")
    assert owned.fsm_flag(owned.execute("conf")) == 0


def test_transition_of_a_part(owned: Client) -> None:
    response = owned.execute("conf", "root-controller/df-controller")
    assert names(response) == {"root-controller", "df-controller", "tp-stream-writer", "dfo-01", "df-01"}
    now = states(owned)
    assert (now["root-controller"], now["df-controller"], now["df-01"]) == ("initial", "configured", "configured")
    owned.ask("recompute_status")
    assert owned.body(owned.ask("status", below=False)).in_error


def test_failure_below_is_told_and_recomputed(tree: Installation, generation: str, owned: Client) -> None:
    tree.fail(SESSION, "conf", "df-01")
    response = owned.execute("conf")
    # G3 tells upwards, G2 does not (contract 10.5, step 6).
    told = 1 if generation == "G3" else 0
    assert owned.fsm_flag(child(response, "df-controller", "df-01")) == 1
    assert owned.fsm_flag(child(response, "df-controller")) == told
    assert owned.fsm_flag(response) == told
    status = owned.ask("status")
    assert owned.body(status).in_error is (generation == "G3")
    df_01 = owned.body(child(status, "df-controller", "df-01"))
    assert (df_01.in_error, df_01.sub_state) == (True, "idle" if generation == "G3" else "executing_cmd")
    owned.ask("exclude", "root-controller/df-controller/df-01", along=False)
    owned.ask("recompute_status")
    after = owned.ask("status")
    assert not owned.body(after).in_error
    assert not owned.body(child(after, "df-controller")).in_error
    assert owned.fsm_flag(owned.execute("start", run_number=1)) == 0


def test_excluded_part_is_skipped(generation: str, owned: Client) -> None:
    response = owned.ask("exclude", "root-controller/df-controller", along=False)
    shown = "'df-controller'" if generation == "G3" else "df-controller"
    assert owned.text(child(response, "df-controller")) == f"{shown} excluded"
    assert owned.text(child(response, "df-controller", "df-01")) == "'df-01' excluded"
    again = owned.ask("exclude", "root-controller/df-controller", along=False, below=False)
    assert (again.flag, owned.text(child(again, "df-controller"))) == (0, f"{shown} is already excluded")
    assert "df-controller" not in names(owned.execute("conf"))
    status = owned.ask("status")
    assert not owned.body(child(status, "df-controller")).included
    assert owned.body(status).included


def test_expert_command(owned: Client) -> None:
    fitting = '{"id": "x", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "any"}'
    response = owned.ask("execute_expert_command", payload=fitting)
    assert names(response) == names(owned.ask("status"))
    assert not owned.body(child(owned.ask("status"), "df-controller", "df-01")).in_error
    wrong = fitting.replace("ANY", "running").replace("any", "running")
    owned.ask("execute_expert_command", "root-controller/df-controller/df-01", wrong, along=False)
    assert owned.body(child(owned.ask("status"), "df-controller", "df-01")).in_error


def test_silent_application_is_in_error(tree: Installation, top: Client) -> None:
    tree.silence(SESSION, "df-01")
    assert top.body(child(top.ask("status"), "df-controller", "df-01")).in_error


def test_steal(tree: Installation, top: Client) -> None:
    tree.steal(SESSION, "mallory")
    asked = top.ask("who_is_in_charge")
    assert {top.text(asked), top.text(child(asked, "df-controller"))} == {"mallory"}


@pytest.mark.parametrize(
    "path",
    [
        "/dunedaq.druncschema.Controller/get_status",
        "/dunedaq.druncschema.Controller/{}",
        "/dunedaq.druncschema.controller.Controller/status",
    ],
)
def test_other_generations_are_unimplemented(tree: Installation, generation: str, path: str) -> None:
    # What the generation itself serves is replaced by what it does not.
    path = path.format("to_error" if generation == "G2" else "status")
    if generation == "G3":
        path = path.replace("controller.Controller/status", "controller.Controller/get_status")
    with grpc.insecure_channel(tree.controller_address(SESSION)) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(path, bytes, bytes)(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.fixture
def g2(publisher: RecordingPublisher) -> Iterator[G2Client]:
    """The root controller of a G2 session, owned by alice."""
    for tree in booted("G2", publisher):
        with grpc.insecure_channel(tree.controller_address(SESSION)) as channel:
            client = G2Client(channel, "alice")
            client.ask("take_control")
            yield client


def test_g2_payloads(g2: G2Client) -> None:
    whole = g2.send("status", None)
    assert len(names(whole)) == 13
    for response in (
        g2.send("describe_fsm", None),
        g2.ask("describe_fsm"),
        g2.ask("execute_fsm_command", payload="conf"),
        g2.send("status", g2.make("PlainText", text="x")),
    ):
        assert (response.name, response.flag) == ("root-controller", 8)
        assert g2.body(response).DESCRIPTOR.name == "PlainText"


def test_g2_keys(g2: G2Client) -> None:
    assert [c.name for c in g2.body(g2.ask("describe_fsm", payload="")).commands] == ["conf"]
    assert len(g2.body(g2.ask("describe_fsm", payload="all-transitions")).commands) == 9
    assert g2.ask("describe_fsm", payload="conf").flag == 7


def test_g2_targets(g2: G2Client) -> None:
    hit = g2.ask("status", "df", along=False, below=False)
    assert not hit.HasField("data")
    assert [node.name for node in hit.children] == ["df-controller"]
    several = g2.ask("status", "df-controller/df", along=False, below=False)
    assert {node.name for node in several.children[0].children} == {"dfo-01", "df-01"}
    slash = g2.ask("status", "/root-controller", along=False, below=False)
    assert (slash.flag, slash.HasField("data"), len(slash.children)) == (0, False, 0)
    assert g2.ask("status", "/elsewhere").flag == 1
    nowhere = g2.ask("status", "elsewhere", along=False)
    assert (nowhere.flag, len(nowhere.children)) == (0, 0)


def test_g2_recomputing_without_children_fails(g2: G2Client) -> None:
    for segment in ("ru-controller", "df-controller", "trg-controller", "hsi-fake-controller"):
        g2.ask("exclude", f"root-controller/{segment}", along=False)
    assert g2.ask("recompute_status").flag == 7


@pytest.mark.parametrize("right", ["a", "b"])
def test_g2_layouts_are_told_apart_by_a_read(publisher: RecordingPublisher, right: str) -> None:
    for tree in booted("G2", publisher, g2_layout=right):
        with grpc.insecure_channel(tree.controller_address(SESSION)) as channel:
            answered = {
                layout: G2Client(channel, "alice", layout).ask("status", "root-controller", below=False)
                for layout in ("a", "b")
            }
    wrong = "a" if right == "b" else "b"
    assert (answered[right].flag, len(answered[right].children)) == (0, 0)
    assert answered[wrong].flag == 7
    assert load_g2("a").unpack(answered[wrong].data).DESCRIPTOR.name == "Stacktrace"


@pytest.fixture
def g3(publisher: RecordingPublisher) -> Iterator[G3Client]:
    """The root controller of a G3 session, owned by alice."""
    for tree in booted("G3", publisher):
        with grpc.insecure_channel(tree.controller_address(SESSION)) as channel:
            client = G3Client(channel, "alice")
            client.ask("take_control")
            yield client


def test_g3_exceptions_are_statuses_with_details(g3: G3Client) -> None:
    g3.execute("conf")
    with pytest.raises(grpc.RpcError) as caught:
        g3.execute("start")
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    error: Any = caught.value
    assert "run_number" in error.details()
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    rpc = load_rpc_status()
    status = rpc.message("google.rpc.Status").FromString(packed)
    assert (status.code, rpc.unpack(status.details[0]).DESCRIPTOR.name) == (13, "ErrorInfo")
    assert states(g3)["root-controller"] == "configured"


def test_g3_run_info_and_sequences(g3: G3Client) -> None:
    assert not g3.body(g3.ask("status")).HasField("run_info")
    g3.execute("conf")
    g3.execute("start", run_number=7, run_type="prod")
    run = g3.body(g3.ask("status")).run_info
    assert (run.run_number, run.run_type, run.run_config_name) == (7, "PROD", CONFIGURATION)
    sequences = {s.id: list(s.command_ids) for s in g3.body(g3.ask("describe_fsm", payload="")).sequences}
    assert sequences["start_run"] == ["conf", "start", "enable_triggers"]


def test_g3_answers_reads_and_refuses_others_during_a_transition(publisher: RecordingPublisher) -> None:
    for tree in booted("G3", publisher):
        tree.slow(SESSION, "conf", 2.0)
        with asking(tree.controller_address(SESSION), "G3") as client:
            client.ask("take_control")
            transition = threading.Thread(target=client.execute, args=("conf",))
            transition.start()
            wait_until(
                lambda: client.body(client.ask("status", below=False)).sub_state == "propagating-conf",
                5,
                "the transition's start",
            )
            assert client.fsm_flag(client.execute("conf")) == 2
            transition.join(10)
            assert client.body(client.ask("status", below=False)).state == "configured"


def test_g3_targets_are_exact(g3: G3Client) -> None:
    assert g3.ask("status", "df-controller").flag == 8
    assert not g3.ask("status", "root-controller/df", along=False).children
    found = g3.ask("status", "root-controller/df-controller/df-01", along=False)
    assert names(found) == {"root-controller", "df-controller", "df-01"}
    assert not found.HasField("status")


def test_g3_to_error_and_back(g3: G3Client) -> None:
    g3.ask("to_error", "root-controller/df-controller", along=False, below=False)
    assert g3.body(child(g3.ask("status"), "df-controller")).in_error
    g3.ask("recompute_status")
    assert not g3.body(child(g3.ask("status"), "df-controller")).in_error


def test_g3_faulty_refusal_cannot_be_read(publisher: RecordingPublisher) -> None:
    for tree in booted("G3", publisher, faulty_refusals=True):
        with asking(tree.controller_address(SESSION), "G3") as client:
            with pytest.raises(grpc.RpcError) as caught:
                client.ask("exclude")
            assert caught.value.code() is grpc.StatusCode.INTERNAL
            assert caught.value.details() == "Exception deserializing response!"
