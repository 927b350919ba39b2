"""The adapters of controllers, of every generation, found by asking, against simulated installations.

What refuses and what fails is in `test_refusals`, the process manager in `test_process_manager`.
"""

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from services.errors import NotSupportedError, UnknownCallError
from services.run_control.channels import Channels
from services.run_control.command_types import Action
from services.run_control.detection import DetectingAdapters
from services.run_control.fsm_types import Argument, ArgumentType
from services.run_control.generations import Generation
from services.run_control.node_types import NodeKind, Target
from services.run_control.process_types import BootOrder, ProcessQuery
from services.run_control.session_types import Configuration, SessionOrder
from services.run_control.support import Deadlines
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.sites import DF, DF_01, G1, G3, LATER, NODES, ROOT, START, VARIANTS, Site, simulated
from wire.schema import load_g1, load_g2, load_g3

PACKAGE = "dunedaq.druncschema."
EXPERT = json.dumps({"id": "record", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "ANY"})
# Calls that nothing in the console needs, or that no server has.
NOT_NEEDED = {
    "G1": {"Controller/ls"},
    "G2": {"SessionManager/describe", "SessionManager/load_config"}
    | {f"SessionManager/{rpc}_session" for rpc in ("start", "stop")},
    "G3": {f"process_manager.ProcessManager/{rpc}" for rpc in ("log_on_server", "echo_on_server")}
    | {f"run_control.RunControl/{rpc}" for rpc in ("validate_session", "log_on_server")}
    | {"session_manager.SessionManager/describe"},
}


@pytest.fixture(params=VARIANTS, ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with simulated(request.param) as made:
        yield made


@pytest.fixture
def held(site: Site) -> Site:
    """The site after alice took control of it."""
    assert site.root.take_control("alice").succeeded
    return site


def test_the_generation_is_found_by_asking(site: Site) -> None:
    assert (site.root.generation, site.manager.generation) == ("", "")
    site.root.status("console")
    site.manager.processes("console")
    generation = site.variant.generation
    assert (site.root.generation, site.manager.generation) == (generation, generation)
    assert {Action.TAKE_CONTROL, Action.EXECUTE_TRANSITION} <= site.root.actions


def test_describe_tells_the_tree(site: Site) -> None:
    described = site.root.describe("console")
    assert (described.name, described.kind) == (ROOT, NodeKind.CONTROLLER)
    segments = {child.name: child for child in described.children}
    assert list(segments) == sorted(segments)
    assert segments["df-controller"].kind is NodeKind.CONTROLLER
    assert {child.name: child.kind for child in segments["df-controller"].children}["df-01"] is NodeKind.APPLICATION
    assert {child.name for child in site.root.children_status("console")} == set(segments)


def test_status_tells_every_node(site: Site) -> None:
    nodes = site.nodes()
    assert len(nodes) == NODES
    assert {(node.state, node.in_error, node.included) for node in nodes.values()} == {("initial", False, True)}
    assert (nodes["df-01"].sub_state, nodes[ROOT].sub_state) == ("idle", "initial")


def test_transitions_come_with_their_arguments(site: Site) -> None:
    transitions = {found.name: found for found in site.root.transitions("console")}
    assert list(transitions) == [
        *("conf", "start", "enable_triggers", "disable_triggers", "drain_dataflow", "stop_trigger_sources"),
        *("stop", "scrap", "change_rate"),
    ]
    assert transitions["start"].arguments == (
        Argument("run_number", ArgumentType.INT, mandatory=True),
        Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=0.0),
        Argument("run_type", ArgumentType.STRING, mandatory=False, default="TEST", choices=("PROD", "TEST")),
        Argument("file_logbook_post", ArgumentType.STRING, mandatory=False, default=""),
    )
    # Segment controllers have no actions, so no arguments (contract 12.2).
    assert not any(found.arguments for found in site.controller("df-controller").transitions("console"))


def test_a_whole_run_transition_by_transition(held: Site) -> None:
    root = held.root
    (start_run,) = [found for found in root.sequences("alice") if found.name == "start_run"]
    (shutdown,) = [found for found in root.sequences("alice") if found.name == "shutdown"]
    assert start_run.optional == {"conf"}
    for name in start_run.transitions:
        assert name in root.possible("alice")
        result = held.execute(name, **(START if name == "start" else {}))
        assert result.succeeded, result.text
        assert len(result.nodes) == NODES
    status = root.status("console")
    assert (status.state, root.possible("alice")) == ("running", ("disable_triggers", "change_rate"))
    if held.variant.generation == "G3":
        assert status.run is not None
        assert (status.run.number, status.run.type, status.run.trigger_rate_hz) == (77, "TEST", 2.5)
    # Its destination is empty: the state stays (contract 22.19).
    assert held.execute("change_rate", trigger_rate=0.1).succeeded
    assert root.status("console").state == "running"
    for name in shutdown.transitions:
        assert held.execute(name).succeeded
    assert {node.state for node in held.nodes().values()} == {"initial"}


def test_control_is_taken_of_every_controller_from_whomever(held: Site) -> None:
    assert held.root.holder("bob") == "alice"
    assert held.controller("df-controller").holder("bob") == "alice"
    stolen = held.root.take_control("bob")
    assert stolen.succeeded, stolen.text
    assert {held.root.holder("alice"), held.controller("df-controller").holder("alice")} == {"bob"}


def test_control_is_released_whatever_the_answer_says(held: Site) -> None:
    held.root.release_control("alice")
    assert held.root.holder("console") == ""
    # In G1 the children are not asked (contract 8.3).
    assert held.controller("df-controller").holder("console") == ("alice" if held.variant is G1 else "")


def test_a_part_is_excluded_and_included(held: Site) -> None:
    excluded = held.set_part_included(included=False)
    assert excluded.succeeded, excluded.text
    included = {name: node.included for name, node in held.nodes().items()}
    assert (included[ROOT], included["df-controller"], included["df-01"]) == (True, False, False)
    assert held.set_part_included(included=True).succeeded
    assert all(node.included for node in held.nodes().values())


def test_the_whole_tree_is_excluded_and_included(held: Site) -> None:
    assert held.root.exclude("alice").succeeded
    assert not any(node.included for node in held.nodes().values())
    assert held.root.include("alice").succeeded
    assert all(node.included for node in held.nodes().values())


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_what_is_excluded_takes_no_part(held: Site) -> None:
    held.set_part_included(included=False)
    result = held.execute("conf")
    assert result.succeeded, result.text
    nodes = held.nodes()
    assert (nodes[ROOT].state, nodes["ru-01"].state, nodes["df-01"].state) == ("configured", "configured", "initial")


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
@pytest.mark.parametrize(
    ("target", "changed"),
    [
        (Target(DF), {"df-controller", "df-01", "dfo-01", "tp-stream-writer"}),
        (Target(DF, all_children=False), {"df-controller"}),
        (Target(DF_01), {"df-01"}),
        (Target(DF_01, along_path=True), {ROOT, "df-controller", "df-01"}),
        (Target(all_children=False), {ROOT}),
    ],
)
def test_targets_choose_who_makes_a_transition(held: Site, target: Target, changed: set[str]) -> None:
    result = held.root.execute("alice", held.transition("conf"), {}, target)
    assert result.succeeded, result.text
    assert {name for name, node in held.nodes().items() if node.state == "configured"} == changed


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_out_of_an_error_by_recomputing(held: Site) -> None:
    held.installation.fail(SESSION, "conf", "df-01")
    held.execute("conf")
    # Two levels up a parent of G2 stays well (contract 10.5).
    assert held.nodes()["df-controller"].in_error
    assert held.nodes()[ROOT].in_error is (held.variant.generation == "G3")
    assert not held.execute("start", run_number=1).succeeded
    assert held.root.exclude("alice", Target(DF)).succeeded
    recomputed = held.root.recompute_status("alice")
    nodes = held.nodes()
    assert not nodes[ROOT].in_error, recomputed.text
    # A parent of G2 went on without the part that failed; now it is where the others are.
    assert nodes[ROOT].state == nodes["ru-01"].state
    assert held.execute(held.root.possible("alice")[0], run_number=1).succeeded


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
@pytest.mark.parametrize("target", [Target(), Target(DF_01)], ids=["all", "one"])
def test_an_expert_command_is_answered_by_applications(held: Site, target: Target) -> None:
    result = held.root.execute_expert_command("alice", EXPERT, target)
    assert result.succeeded, result.text
    answered = {node.name for node in result.nodes if node.detail and "appname" in node.detail}
    assert answered == ({"df-01"} if target.path else {name for name in held.nodes() if "controller" not in name})


@pytest.mark.parametrize("site", [G3], ids=str, indirect=True)
def test_nodes_are_put_in_error(held: Site) -> None:
    assert held.root.to_error("alice", Target(DF)).succeeded
    in_error = {name for name, node in held.nodes().items() if node.in_error}
    assert in_error == {"df-controller", "df-01", "dfo-01", "tp-stream-writer"}


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_the_session_manager_lists_sessions_and_configurations(site: Site) -> None:
    manager = site.adapters.session_manager(site.installation.session_manager_address or "")
    (session,) = manager.sessions("alice")
    assert session.name == SESSION
    assert manager.generation == site.variant.generation
    assert session.configuration.id in {found.id for found in manager.configurations("alice")}


@pytest.mark.parametrize("site", [G3], ids=str, indirect=True)
def test_the_run_control_service_starts_and_ends_a_session(site: Site) -> None:
    service = site.adapters.run_control_service(site.installation.run_control_address or "")
    nowhere = SessionOrder("other", Configuration("no-such-file.data.xml", "no-such-id"))
    refused = service.start_session("alice", nowhere)
    assert not refused.succeeded
    assert "not found" in refused.text
    manager = site.adapters.session_manager(site.installation.session_manager_address or "")
    (session,) = manager.sessions("alice")
    second = SessionOrder("second", session.configuration)
    started = service.start_session("alice", second)
    assert started.succeeded, started.text
    assert {found.name for found in manager.sessions("alice")} == {SESSION, "second"}
    ended = service.end_session("alice", second)
    assert ended.succeeded, ended.text
    assert [found.name for found in manager.sessions("alice")] == [SESSION]


@pytest.mark.parametrize("site", [G1, *LATER[1:3]], ids=str, indirect=True)
def test_every_call_of_a_generation_is_made(held: Site) -> None:
    """The schema says what there is; what is not asked for is named above."""
    root, manager = held.root, held.manager
    held.nodes()
    root.describe("alice")
    root.holder("alice")
    root.possible("alice")
    held.execute("conf")
    root.exclude("alice")
    root.include("alice")
    if held.variant is not G1:
        root.recompute_status("alice")
        root.execute_expert_command("alice", EXPERT)
        sessions = held.adapters.session_manager(held.installation.session_manager_address or "")
        sessions.sessions("alice")
        sessions.configurations("alice")
    with nullcontext() if Action.TO_ERROR in root.actions else pytest.raises(NotSupportedError):
        root.to_error("alice", Target(DF_01))
    root.release_control("alice")
    order = BootOrder("dummy", "hand-made", "alice", (("true",),))
    this = ProcessQuery(uuids=(manager.boot("alice", order).uuid,))
    assert manager.processes("alice", this)
    manager.logs("alice", this, 1)
    manager.restart("alice", this)
    manager.flush("alice", this)
    manager.kill("alice", this)
    if held.installation.run_control_address:
        service = held.adapters.run_control_service(held.installation.run_control_address)
        second = SessionOrder("second", sessions.sessions("alice")[0].configuration)
        service.start_session("alice", second)
        service.end_session("alice", second)
    manager.terminate("alice")
    assert _paths(held.variant.generation) - set(held.channels.paths) == {
        f"/{PACKAGE}{call}" for call in NOT_NEEDED[held.variant.generation]
    }


def _paths(generation: str) -> set[str]:
    """Return the paths of all calls that a generation's servers have."""
    services = {
        "G1": (load_g1(), ("Controller", "ProcessManager")),
        "G2": (load_g2("b"), ("Controller", "ProcessManager", "SessionManager")),
        "G3": (
            load_g3(),
            (
                *("controller.Controller", "process_manager.ProcessManager"),
                *("session_manager.SessionManager", "run_control.RunControl"),
            ),
        ),
    }
    schema, names = services[generation]
    return {method.path for name in names for method in schema.methods(PACKAGE + name).values()}


def test_g1_has_no_session_manager() -> None:
    adapters = DetectingAdapters(Channels(), Deadlines(1, 1), Generation.G1)
    with pytest.raises(NotSupportedError, match="list sessions"):
        adapters.session_manager("127.0.0.1:1").sessions("alice")
    adapters.close()


def test_an_exchanged_server_is_found_anew() -> None:
    adapters = DetectingAdapters(Channels(), Deadlines(5, 30))
    pinned = DetectingAdapters(Channels(), Deadlines(5, 30), Generation.G3)
    installation = Installation(sessions=(SESSION,))
    installation.start()
    try:
        address = installation.controller_address(SESSION)
        root = adapters.controller(address)
        root.status("console")
        assert root.generation == "G1"
        wrong = pinned.controller(address)
        with pytest.raises(UnknownCallError):
            wrong.status("console")
        assert wrong.generation == ""
    finally:
        adapters.close()
        pinned.close()
        installation.stop()
