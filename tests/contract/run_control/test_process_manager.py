"""The process manager's adapters of every generation against the simulated ones (contract 9)."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from services.errors import DruncError, InvalidInputError, NotFoundError, NotReachableError, NotSupportedError
from services.run_control.adapter import ProcessManagerAdapter
from services.run_control.process_types import BootOrder, ProcessQuery, ProcessStatus
from simulator.checks import SimulatorError
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.servers import aborting, saying, serving
from tests.contract.run_control.sites import G1, G2B, G3, Site, Variant, simulated
from tests.waiting import wait_until
from wire.schema import load_g1

DUMMY = BootOrder("dummy", "hand-made", "alice", (("sleep", "100s"), ("echo", "done")))
DIALECTS = {"G1": "/dunedaq.druncschema.ProcessManager/", "G3": "/dunedaq.druncschema.process_manager.ProcessManager/"}
NOWHERE = ProcessQuery(names=("nobody",))
CALLS: dict[str, Callable[[ProcessManagerAdapter], object]] = {
    "ps": lambda manager: manager.processes("alice"),
    "boot": lambda manager: manager.boot("alice", DUMMY),
    "kill": lambda manager: manager.kill("alice", NOWHERE),
    "flush": lambda manager: manager.flush("alice", NOWHERE),
    "restart": lambda manager: manager.restart("alice", NOWHERE),
    "terminate": lambda manager: manager.terminate("alice"),
    "logs": lambda manager: manager.logs("alice", NOWHERE, 10),
}


# The lay-outs of G2 and the refusals of G3 are the controllers' affair.
@pytest.fixture(params=[G1, G2B, G3], ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with simulated(request.param) as made:
        yield made


@pytest.fixture
def manager(site: Site) -> ProcessManagerAdapter:
    return site.manager


def test_the_life_of_a_process(manager: ProcessManagerAdapter) -> None:
    before = {process.uuid for process in manager.processes("alice")}
    booted = manager.boot("alice", DUMMY)
    # Simulated programs take no time here: whether it still runs is open.
    assert (booted.name, booted.session, booted.user) == ("dummy", "hand-made", "alice")
    this = ProcessQuery(uuids=(booted.uuid,))
    assert [found.uuid for found in manager.processes("alice", this)] == [booted.uuid]
    assert manager.restart("alice", this).uuid == booted.uuid
    lines = manager.logs("alice", this, 10)
    assert lines[0].startswith("SSHPM: Starting process")
    assert not any(line.endswith(("\r", "\n")) for line in lines)
    (killed,) = manager.kill("alice", this)
    assert (killed.uuid, killed.status) == (booted.uuid, ProcessStatus.DEAD)
    assert {process.uuid for process in manager.processes("alice")} == before
    with pytest.raises(NotFoundError):
        manager.logs("alice", this, 10)


def test_an_exact_name_is_no_pattern(manager: ProcessManagerAdapter) -> None:
    assert manager.processes("alice", ProcessQuery(names=("df",))) == ()
    assert manager.processes("alice", ProcessQuery(names=("d.-01",))) == ()
    assert {found.name for found in manager.processes("alice", ProcessQuery(patterns=("^d.-01$",)))} == {"df-01"}


def test_what_is_not_asked_for_matches_nothing(manager: ProcessManagerAdapter) -> None:
    manager.boot("alice", BootOrder("nobodys", "hand-made", "", (("sleep", "100s"),)))
    assert {found.session for found in manager.processes("alice", ProcessQuery(session=SESSION))} == {SESSION}
    assert manager.processes("alice", ProcessQuery()) == ()


def test_flush_removes_the_dead_and_leaves_what_runs(site: Site) -> None:
    query = ProcessQuery(session=SESSION)
    running = site.manager.processes("alice", query)
    assert {process.status for process in running} == {ProcessStatus.RUNNING}
    assert site.manager.flush("alice", query) == ()
    site.installation.kill(SESSION, "mlt", 127)
    (flushed,) = site.manager.flush("alice", query)
    assert (flushed.name, flushed.status, flushed.return_code) == ("mlt", ProcessStatus.DEAD, 127)
    assert len(site.manager.processes("alice", query)) == len(running) - 1


def test_terminate_kills_everything_of_everybody(manager: ProcessManagerAdapter) -> None:
    manager.boot("bob", BootOrder("bobs", "hand-made", "bob", (("sleep", "100s"),)))
    listed = {process.uuid for process in manager.processes("alice")}
    assert {process.uuid for process in manager.terminate("alice")} == listed
    assert manager.processes("alice") == ()


@pytest.mark.parametrize("call", [ProcessManagerAdapter.logs, ProcessManagerAdapter.restart])
def test_a_query_that_matches_none_or_several(manager: ProcessManagerAdapter, call: Callable[..., object]) -> None:
    more = (10,) if call is ProcessManagerAdapter.logs else ()
    ask = getattr(manager, call.__name__)
    with pytest.raises(NotFoundError, match="doesn't exist"):
        ask("alice", NOWHERE, *more)
    with pytest.raises(NotFoundError, match="more than 1"):
        ask("alice", ProcessQuery(session=SESSION), *more)


@pytest.mark.parametrize("pattern", ["*", "(", "a{2,1}", "a{99999999999}", "(?P<x>a)(?P<x>b)"])
def test_a_pattern_that_drunc_would_fail_on_is_not_sent(site: Site, pattern: str) -> None:
    site.manager.processes("alice")
    asked = list(site.channels.paths)
    with pytest.raises(InvalidInputError, match="regular expression"):
        site.manager.kill("alice", ProcessQuery(patterns=(pattern,)))
    assert site.channels.paths == asked


def test_a_process_needs_a_host(site: Site) -> None:
    site.manager.processes("alice")
    asked = list(site.channels.paths)
    with pytest.raises(InvalidInputError, match="no host"):
        site.manager.boot("alice", BootOrder("x", "s", "alice", (("true",),), hosts=()))
    assert site.channels.paths == asked


def test_restarting_what_was_killed_is_a_fault_of_druncs(manager: ProcessManagerAdapter) -> None:
    """The boot request is still known, the live entry is not (contract 9.4)."""
    booted = manager.boot("alice", DUMMY)
    this = ProcessQuery(uuids=(booted.uuid,))
    manager.kill("alice", this)
    with pytest.raises(DruncError, match=booted.uuid) as fault:
        manager.restart("alice", this)
    assert "Kafka" not in fault.value.message
    # G3 sends a status instead of a stack trace (contract 7.3).
    assert ("KeyError" in fault.value.message) is (manager.generation != "G3")
    assert ("Traceback" in fault.value.stack) is (manager.generation != "G3")


def test_a_process_manager_that_restarts_knows_nothing(site: Site) -> None:
    assert site.manager.processes("alice")
    site.installation.restart_process_manager()

    def listed() -> object:
        try:
            return site.manager.processes("alice")
        except NotReachableError:
            return None

    wait_until(lambda: listed() == (), what="the process manager that is back")


@pytest.mark.parametrize("rpc", CALLS)
def test_without_kafka_every_call_fails_and_the_cause_is_named(site: Site, rpc: str) -> None:
    path = DIALECTS["G3" if site.variant is G3 else "G1"]
    describe = saying(load_g1().message("dunedaq.druncschema.Response")().SerializeToString())
    answers = {
        path + "describe": describe,
        path + rpc: aborting(grpc.StatusCode.UNKNOWN, "Unexpected <class 'KafkaTimeoutError'>"),
    }
    with (
        serving(answers) as address,
        pytest.raises(DruncError, match=r"KafkaTimeoutError.*cannot reach its Kafka broker") as seen,
    ):
        CALLS[rpc](site.adapters.process_manager(address))
    assert "Kafka" in seen.value.next_step


@pytest.mark.parametrize("variant", [G1, G2B, G3], ids=str)
def test_a_process_manager_that_cannot_reach_kafka_until_it_can(variant: Variant) -> None:
    with simulated(variant, kafka_address="broker:9092") as site:
        assert len(site.manager.processes("alice")) == 14
        site.installation.kafka_down()
        for rpc, call in CALLS.items():
            with pytest.raises(DruncError, match="cannot reach its Kafka broker") as seen:
                call(site.manager)
            assert "UNKNOWN" in seen.value.message, rpc
        site.installation.kafka_down(down=False)
        # Nothing of it was executed, not even what kills everything.
        assert len(site.manager.processes("alice")) == 14


def test_without_kafka_nothing_of_it_can_be_down(site: Site) -> None:
    with pytest.raises(SimulatorError, match="no Kafka"):
        site.installation.kafka_down()


@pytest.mark.parametrize("site", [G1], ids=str, indirect=True)
def test_terminate_is_not_there_in_early_versions(site: Site) -> None:
    describe = saying(load_g1().message("dunedaq.druncschema.Response")().SerializeToString())
    with serving({DIALECTS["G1"] + "describe": describe}) as address:
        early = site.adapters.process_manager(address)
        with pytest.raises(NotSupportedError, match="everything"):
            early.terminate("alice")
        # It is no other generation for that.
        assert early.generation == "G1"
