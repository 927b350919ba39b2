"""What the poller writes of a real installation."""

from models.database import Database
from services.clock import utc_now
from services.revisions import current
from services.run_control.backend_types import BackendKind, BackendView
from services.run_control.node_types import NodeKind
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import INITIAL_HOLDER
from simulator.installation import Installation
from tests.contract.run_control.conftest import SESSION, Console
from tests.waiting import wait_until


def test_every_session_of_the_process_manager_is_found(console: Console) -> None:
    console.until("the second session", lambda summary: summary.polled_at is not None, "local-2x3-config")
    first, second = console.queries.sessions()
    assert (first.name, first.processes_running, first.nodes_total) == (SESSION, 14, 13)
    assert (second.name, second.processes_running, second.nodes_total) == ("local-2x3-config", 17, 16)


def test_a_booted_session_at_a_glance(console: Console, installation: Installation) -> None:
    session = console.session()
    assert (session.state, session.sub_state, session.in_error, session.included) == (
        "initial",
        "initial",
        False,
        True,
    )
    assert (session.holder, session.possible) == (INITIAL_HOLDER, ("conf",))
    assert (session.root_name, session.generation) == ("root-controller", "G1")
    assert session.root_address == installation.controller_address(SESSION)
    assert session.run.number is None
    start = next(transition for transition in session.transitions if transition.name == "start")
    described = {argument.name: (argument.mandatory, argument.default) for argument in start.arguments}
    assert described == {
        "run_number": (True, None),
        "disable_data_storage": (False, False),
        "trigger_rate": (False, 0.0),
        "run_type": (False, "TEST"),
        "file_logbook_post": (False, ""),
    }


def test_the_tree_is_in_the_order_of_the_configuration(console: Console) -> None:
    nodes = console.queries.tree(SESSION)
    assert [node.path for node in nodes] == [
        "root-controller",
        "root-controller/ru-controller",
        "root-controller/ru-controller/ru-01",
        "root-controller/df-controller",
        "root-controller/df-controller/tp-stream-writer",
        "root-controller/df-controller/dfo-01",
        "root-controller/df-controller/df-01",
        "root-controller/trg-controller",
        "root-controller/trg-controller/tc-maker-1",
        "root-controller/trg-controller/mlt",
        "root-controller/hsi-fake-controller",
        "root-controller/hsi-fake-controller/hsi-fake-01",
        "root-controller/hsi-fake-controller/hsi-fake-to-tc-app",
    ]
    assert {node.kind for node in nodes if node.depth == 2} == {NodeKind.APPLICATION}
    assert {node.kind for node in nodes if node.depth < 2} == {NodeKind.CONTROLLER}
    assert {node.state for node in nodes} == {"initial"}
    by_name = {node.name: node for node in nodes}
    assert (by_name["df-controller"].endpoint or "").startswith("grpc://")
    assert (by_name["df-01"].endpoint or "").startswith("rest://")


def test_processes_come_in_numeric_tree_order(console: Console) -> None:
    processes = wait_until(lambda: console.queries.processes(SESSION), what="the processes")
    assert [(process.tree_id, process.name) for process in processes[:4]] == [
        ("1.0.0", "root-controller"),
        ("1.0.1", "local-connection-server"),
        ("1.1.0", "ru-controller"),
        ("1.1.1", "ru-01"),
    ]
    assert {process.status for process in processes} == {ProcessStatus.RUNNING}
    assert {process.return_code for process in processes} == {None}


def test_a_killed_process_is_dead_with_its_exit_code(console: Console, installation: Installation) -> None:
    installation.kill(SESSION, "df-01", exit_code=139)

    def dead() -> Process | None:
        found = [process for process in console.queries.processes(SESSION) if process.status is ProcessStatus.DEAD]
        return found[0] if found else None

    process = wait_until(dead, what="the dead process")
    assert process is not None
    assert (process.name, process.return_code) == ("df-01", 139)
    assert process.ended_at is not None
    console.until("the counts", lambda summary: (summary.processes_running, summary.processes_dead) == (13, 1))
    # Its controller notices that the port does not answer.
    wait_until(lambda: console.nodes()["df-01"].in_error, what="the node's error")
    assert console.nodes()["df-controller"].state == "initial"


def test_a_controller_that_is_gone_keeps_its_subtree(console: Console, installation: Installation) -> None:
    address = installation.controller_address(SESSION, "df-controller")
    installation.controller_down(SESSION, "df-controller")
    wait_until(lambda: console.nodes()["df-controller"].in_error, 20, what="the lost controller")
    nodes = console.nodes()
    assert nodes["df-controller"].state is None
    assert nodes["df-01"].state == "initial"
    assert nodes["df-01"].kind is NodeKind.APPLICATION

    def lost() -> BackendView | None:
        found = [backend for backend in console.queries.backends() if backend.address == address]
        return found[0] if found and not found[0].reachable else None

    backend = wait_until(lost, what="the lost address")
    assert backend is not None
    assert address in (backend.error or "")
    # The others are polled as before.
    seen = console.session().polled_at
    console.until("the next poll", lambda summary: summary.polled_at != seen and summary.error is None)


def test_stolen_control_is_noticed(console: Console, installation: Installation) -> None:
    installation.steal(SESSION, "mallory")
    session = console.until("the new holder", lambda summary: summary.holder == "mallory")
    assert session.holder_since is not None


def test_a_quiet_installation_bumps_nothing(console: Console, database: Database) -> None:
    console.until("the second session", lambda summary: summary.polled_at is not None, "local-2x3-config")
    wait_until(lambda: len(console.queries.processes()) == 31, what="the processes")
    wait_until(lambda: len(console.queries.backends()) == 12, what="ten controllers and two services")

    def quiet_for_three_polls() -> bool:
        with database.read() as tx:
            before = current(tx)
        for _ in range(3):
            seen = console.session().polled_at
            console.until("the next poll", lambda summary, seen=seen: summary.polled_at != seen)  # type: ignore[misc]
        with database.read() as tx:
            return current(tx) == before

    wait_until(quiet_for_three_polls, what="revisions that stay while ages grow")


def test_what_vanishes_is_removed(console: Console, installation: Installation) -> None:
    uuids = {process.uuid for process in wait_until(lambda: console.queries.processes(SESSION), what="processes")}
    address = console.session().root_address
    installation.reset()
    wait_until(
        lambda: (
            {process.uuid for process in console.queries.processes(SESSION)}.isdisjoint(uuids)
            and len(console.queries.processes(SESSION)) == 14
        ),
        what="the new processes",
    )
    console.until("the new root", lambda summary: summary.root_address not in (None, address) and not summary.error)


def test_drunc_gone_and_back(installation: Installation, console: Console) -> None:
    address = installation.controller_address(SESSION)
    installation.controller_down(SESSION, "root-controller")
    lost = console.until("the error", lambda summary: summary.error is not None and address in summary.error)
    assert (lost.state, lost.holder) == ("initial", INITIAL_HOLDER)
    assert lost.error_since is not None
    assert len(console.nodes()) == 13
    assert lost.polled_at is not None
    assert lost.polled_at < utc_now()
    # Meanwhile the other session is polled as ever.
    other = console.session("local-2x3-config").polled_at
    console.until("the other session", lambda summary: summary.polled_at != other, "local-2x3-config")
    installation.reset()
    back = console.until("the recovery", lambda summary: summary.error is None and summary.polled_at != lost.polled_at)
    assert back.root_address == installation.controller_address(SESSION)
    assert back.error_since is None


def test_the_whole_installation_gone(console: Console, installation: Installation) -> None:
    wait_until(lambda: console.queries.processes(SESSION), what="the processes")
    installation.stop()

    def all_lost() -> bool:
        backends = {backend.kind: backend for backend in console.queries.backends()}
        wanted = (BackendKind.PROCESS_MANAGER, BackendKind.CONNECTIVITY)
        return all(kind in backends and not backends[kind].reachable for kind in wanted)

    wait_until(all_lost, what="both services to be known as lost")
    console.until("the session's error", lambda summary: summary.error is not None)
    assert len(console.queries.processes(SESSION)) == 14
    backends = {backend.kind: backend for backend in console.queries.backends()}
    error = backends[BackendKind.PROCESS_MANAGER].error or ""
    assert console.config.process_manager_address in error
    assert backends[BackendKind.PROCESS_MANAGER].answered_at is not None
