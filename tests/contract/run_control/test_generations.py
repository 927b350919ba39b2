"""Adapters of every generation, found by asking, against simulated installations."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from services.errors import NotFoundError, NotInControlError, NotSupportedError, RefusedError, UnknownCallError
from services.run_control.adapter import ControllerAdapter, NodeStatus
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.generations import Generation
from services.run_control.support import Deadlines
from services.run_control.types import (
    Action,
    ArgumentValue,
    BootOrder,
    CommandResult,
    Configuration,
    NodeKind,
    ProcessQuery,
    SessionOrder,
    Target,
)
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION
from wire.schema import G2Layout


@dataclass(frozen=True)
class Variant:
    generation: str
    layout: G2Layout = "b"
    faulty_refusals: bool = False


VARIANTS = [
    Variant("G1"),
    Variant("G2", "a"),
    Variant("G2", "b"),
    Variant("G3"),
    Variant("G3", faulty_refusals=True),
]
START: Mapping[str, ArgumentValue] = {"run_number": 77, "run_type": "TEST", "trigger_rate": 2.5}
# Those with targets.
LATER = VARIANTS[1:]


@dataclass(frozen=True)
class Site:
    variant: Variant
    installation: Installation
    adapters: DetectingAdapters

    @property
    def root(self) -> ControllerAdapter:
        return self.adapters.controller(self.installation.controller_address(SESSION))

    def execute(self, name: str, **arguments: ArgumentValue) -> CommandResult:
        transition = next(found for found in self.root.transitions("alice") if found.name == name)
        return self.root.execute("alice", transition, arguments)


@pytest.fixture(params=VARIANTS, ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    variant: Variant = request.param
    installation = Installation(
        sessions=(SESSION,),
        generations={SESSION: variant.generation},
        process_manager_generation=variant.generation,
        g2_layout=variant.layout,
        faulty_refusals=variant.faulty_refusals,
    )
    adapters = DetectingAdapters(Channels(), Deadlines(5, 30))
    try:
        installation.start()
        yield Site(variant, installation, adapters)
    finally:
        adapters.close()
        installation.stop()


def below(status: NodeStatus) -> Iterator[NodeStatus]:
    yield status
    for child in status.children or ():
        yield from below(child)


def test_the_generation_is_found_by_asking(site: Site) -> None:
    root = site.root
    manager = site.adapters.process_manager(site.installation.process_manager_address)
    assert (root.generation, manager.generation) == ("", "")
    root.status("console")
    manager.processes("console")
    assert (root.generation, manager.generation) == (site.variant.generation, site.variant.generation)
    assert {Action.TAKE_CONTROL, Action.EXECUTE_TRANSITION} <= root.actions


def test_the_tree_is_told_alike(site: Site) -> None:
    described = site.root.describe("console")
    assert (described.name, described.kind) == ("root-controller", NodeKind.CONTROLLER)
    segments = {child.name: child for child in described.children}
    assert segments["df-controller"].kind is NodeKind.CONTROLLER
    assert {child.name: child.kind for child in segments["df-controller"].children}["df-01"] is NodeKind.APPLICATION
    status = site.root.status("console")
    assert (status.name, status.state, status.in_error) == ("root-controller" if status.name else "", "initial", False)
    if site.variant.generation != "G1":
        # Four segments, eight applications and the root, in one answer.
        assert len(list(below(status))) == 13
        assert all(node.state == "initial" for node in below(status))
    assert {child.name for child in site.root.children_status("console")} == set(segments)


def test_a_run_by_sequence(site: Site) -> None:
    root = site.root
    with pytest.raises(NotInControlError):
        site.execute("conf")
    assert root.take_control("alice").succeeded
    assert root.holder("bob") == "alice"
    (start_run,) = [found for found in root.sequences("alice") if found.name.replace("-", "_") == "start_run"]
    assert start_run.optional == {"conf"}
    for name in start_run.transitions:
        assert name in root.possible("alice")
        result = site.execute(name, **(START if name == "start" else {}))
        assert result.succeeded, result.text
        assert len(result.nodes) == 13
    status = root.status("console")
    assert status.state == "running"
    if site.variant.generation == "G3":
        assert status.run is not None
        assert (status.run.number, status.run.type, status.run.trigger_rate_hz) == (77, "TEST", 2.5)


def test_release_is_judged_by_the_holder(site: Site) -> None:
    site.root.take_control("alice")
    site.root.release_control("alice")
    assert site.root.holder("console") == ""


def test_a_failed_application_fails_the_command(site: Site) -> None:
    site.root.take_control("alice")
    site.installation.fail(SESSION, "conf", "df-01")
    result = site.execute("conf")
    assert not result.succeeded
    failed = {node.name: node for node in result.nodes if not node.succeeded}
    assert failed["df-01"].fsm_flag == "FSM_FAILED"
    assert failed["df-01"].detail
    assert "df-01" in result.text


def test_what_is_not_possible_is_a_failure_with_words(site: Site) -> None:
    site.root.take_control("alice")
    result = site.execute("stop")
    assert not result.succeeded
    assert "not possible" in result.text


def test_the_life_of_a_process(site: Site) -> None:
    manager = site.adapters.process_manager(site.installation.process_manager_address)
    order = BootOrder("dummy", "hand-made", "alice", (("echo", "hello"), ("sleep", "5s")))
    booted = manager.boot("alice", order)
    this = ProcessQuery(uuids=(booted.uuid,))
    assert [found.name for found in manager.processes("alice", this)] == ["dummy"]
    lines = manager.logs("alice", this, 10)
    assert "SSHPM" in lines[0]
    assert not any(line.endswith(("\r", "\n")) for line in lines)
    assert manager.restart("alice", this).uuid == booted.uuid
    assert [found.uuid for found in manager.kill("alice", this)] == [booted.uuid]
    with pytest.raises(NotFoundError):
        manager.logs("alice", this, 10)
    with pytest.raises(NotFoundError):
        manager.restart("alice", ProcessQuery(session=SESSION))
    listed = {found.uuid for found in manager.processes("alice")}
    assert {found.uuid for found in manager.terminate("alice")} == listed


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_a_part_of_the_tree(site: Site) -> None:
    root = site.root
    root.take_control("alice")
    excluded = root.exclude("alice", Target("root-controller/df-controller"))
    assert excluded.succeeded, excluded.text
    included = {node.name: node.included for node in below(root.status("alice"))}
    assert (included["root-controller"], included["df-controller"], included["df-01"]) == (True, False, False)
    result = site.execute("conf")
    assert result.succeeded, result.text
    states = {node.name: node.state for node in below(root.status("alice"))}
    assert (states["root-controller"], states["df-01"]) == ("configured", "initial")
    assert root.include("alice", Target("root-controller/df-controller")).succeeded


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_out_of_an_error_by_recomputing(site: Site) -> None:
    root = site.root
    root.take_control("alice")
    site.installation.fail(SESSION, "conf", "df-01")
    site.execute("conf")
    # Two levels up a parent of G2 stays well (contract 10.5).
    assert {node.name: node.in_error for node in below(root.status("alice"))}["df-controller"]
    refused = site.execute("start", run_number=1)
    assert not refused.succeeded
    assert root.exclude("alice", Target("root-controller/df-controller")).succeeded
    recomputed = root.recompute_status("alice")
    assert not root.status("alice").in_error, recomputed.text


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_an_expert_command_is_answered_by_applications(site: Site) -> None:
    root = site.root
    root.take_control("alice")
    command = {"id": "record", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "ANY"}
    result = root.execute_expert_command("alice", json.dumps(command), Target("root-controller/df-controller/df-01"))
    assert "df-01" in {node.name for node in result.nodes}
    assert result.succeeded, result.text


def test_nodes_are_put_in_error_in_g3_only(site: Site) -> None:
    site.root.take_control("alice")
    if site.variant.generation != "G3":
        with pytest.raises(NotSupportedError):
            site.root.to_error("alice")
        return
    assert site.root.to_error("alice", Target("root-controller/df-controller")).succeeded
    assert {node.name: node.in_error for node in below(site.root.status("alice"))}["df-controller"]


def test_a_foreign_command_is_not_executed(site: Site) -> None:
    site.root.take_control("alice")
    with pytest.raises((NotInControlError, RefusedError)):
        site.root.exclude("bob")
    assert site.root.status("alice").included


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_the_session_manager_lists_sessions_and_configurations(site: Site) -> None:
    address = site.installation.session_manager_address
    assert address
    manager = site.adapters.session_manager(address)
    (session,) = manager.sessions("alice")
    assert session.name == SESSION
    assert manager.generation == site.variant.generation
    assert session.configuration.id in {found.id for found in manager.configurations("alice")}


@pytest.mark.parametrize("site", [Variant("G3")], ids=str, indirect=True)
def test_the_run_control_service_starts_and_ends_a_session(site: Site) -> None:
    address = site.installation.run_control_address
    assert address
    service = site.adapters.run_control_service(address)
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
