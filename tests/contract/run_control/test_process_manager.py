"""The process manager's adapter against the simulated one."""

from collections.abc import Iterator

import pytest

from services.errors import InvalidInputError, NotFoundError, NotSupportedError
from services.run_control.adapter import ProcessManagerAdapter
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.support import Deadlines
from services.run_control.types import BootOrder, ProcessQuery, ProcessStatus, Target
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION

DUMMY = BootOrder("dummy", "hand-made", "alice", (("sleep", "100s"), ("echo", "done")))


@pytest.fixture
def adapters() -> Iterator[DetectingAdapters]:
    made = DetectingAdapters(Channels(), Deadlines(5, 30))
    yield made
    made.close()


@pytest.fixture
def manager(adapters: DetectingAdapters, installation: Installation) -> ProcessManagerAdapter:
    return adapters.process_manager(installation.process_manager_address)


def test_the_life_of_a_process(manager: ProcessManagerAdapter) -> None:
    before = {process.uuid for process in manager.processes("alice")}
    booted = manager.boot("alice", DUMMY)
    # Simulated programs take no time here: whether it still runs is open.
    assert (booted.name, booted.session, booted.user) == ("dummy", "hand-made", "alice")
    this = ProcessQuery(uuids=(booted.uuid,))
    assert [found.uuid for found in manager.processes("alice", this)] == [booted.uuid]
    assert manager.restart("alice", this).uuid == booted.uuid
    assert manager.logs("alice", this, 5)
    (killed,) = manager.kill("alice", this)
    assert (killed.uuid, killed.status) == (booted.uuid, ProcessStatus.DEAD)
    assert {process.uuid for process in manager.processes("alice")} == before


def test_an_exact_name_is_no_pattern(manager: ProcessManagerAdapter) -> None:
    assert manager.processes("alice", ProcessQuery(names=("df",))) == ()
    assert manager.processes("alice", ProcessQuery(names=("d.-01",))) == ()
    assert {found.name for found in manager.processes("alice", ProcessQuery(patterns=("^d.-01$",)))} == {"df-01"}


def test_what_is_not_asked_for_matches_nothing(manager: ProcessManagerAdapter) -> None:
    manager.boot("alice", BootOrder("nobodys", "hand-made", "", (("sleep", "100s"),)))
    assert {found.session for found in manager.processes("alice", ProcessQuery(session=SESSION))} == {SESSION}
    assert manager.processes("alice", ProcessQuery()) == ()


def test_flush_leaves_what_runs(manager: ProcessManagerAdapter) -> None:
    query = ProcessQuery(session=SESSION)
    running = manager.processes("alice", query)
    assert {process.status for process in running} == {ProcessStatus.RUNNING}
    assert manager.flush("alice", query) == ()
    assert manager.processes("alice", query) == running


def test_terminate_kills_everything(manager: ProcessManagerAdapter) -> None:
    listed = {process.uuid for process in manager.processes("alice")}
    assert {process.uuid for process in manager.terminate("alice")} == listed
    assert manager.processes("alice") == ()


def test_a_query_that_matches_none_or_several_has_no_log(manager: ProcessManagerAdapter) -> None:
    with pytest.raises(NotFoundError, match="doesn't exist"):
        manager.logs("alice", ProcessQuery(names=("nobody",)), 10)
    with pytest.raises(NotFoundError, match="more than 1"):
        manager.restart("alice", ProcessQuery(session=SESSION))


def test_what_drunc_would_fail_on_is_not_sent(manager: ProcessManagerAdapter) -> None:
    with pytest.raises(InvalidInputError, match="regular expression"):
        manager.kill("alice", ProcessQuery(patterns=("*",)))
    with pytest.raises(InvalidInputError, match="no host"):
        manager.boot("alice", BootOrder("x", "s", "alice", (("true",),), hosts=()))


def test_a_g1_controller_acts_on_all_below_it_only(adapters: DetectingAdapters, installation: Installation) -> None:
    root = adapters.controller(installation.controller_address(SESSION))
    root.take_control("alice")
    with pytest.raises(NotSupportedError, match="part of the tree"):
        root.exclude("alice", Target("root-controller/df-controller"))
    excluded = root.exclude("alice")
    assert excluded.succeeded
    assert len(excluded.nodes) > 1
    assert root.status("alice").included is False
    assert root.include("alice").succeeded
    assert root.status("alice").included is True
    assert [found.name for found in root.sequences("alice")] == ["start_run", "stop_run", "shutdown"]
    for refused in (root.recompute_status, root.to_error):
        with pytest.raises(NotSupportedError):
            refused("alice")
    with pytest.raises(NotSupportedError):
        root.execute_expert_command("alice", "{}")
