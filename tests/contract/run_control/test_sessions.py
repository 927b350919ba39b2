"""Where the worker finds sessions: process manager, session manager, connectivity service of the site or their own."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import pytest
import requests

from models.database import Database
from services.clock import utc_now
from services.run_control.backend_types import BackendKind
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.process_types import BootOrder
from services.run_control.queries import RunControlQueries
from services.run_control.session_types import Configuration, SessionOrder, SessionSource, SessionSummary
from services.run_control.support import Deadlines
from services.run_control.worker import RunControlWorker
from simulator.installation import Installation
from simulator.layouts import CONFIGURATION_FILE, LAYOUTS, OPERATOR
from tests.contract.run_control.conftest import SESSION, config_for
from tests.contract.run_control.servers import serving
from tests.waiting import wait_until


@pytest.fixture(params=["G2", "G3"])
def site(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation with a session manager."""
    simulated = Installation(
        sessions=(SESSION,), generations={SESSION: request.param}, process_manager_generation=request.param
    )
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


class Watching:
    """A worker on duty with the addresses of a test."""

    def __init__(self, installation: Installation, database: Database, **addresses: object) -> None:
        self.config = replace(config_for(installation), **addresses)  # type: ignore[arg-type]
        self.worker = RunControlWorker(self.config, database, utc_now)
        self.queries = RunControlQueries(database, utc_now)

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop(10)

    def session(self, name: str = SESSION) -> SessionSummary | None:
        return next((found for found in self.queries.sessions() if found.name == name), None)

    def until_known_by(self, *sources: SessionSource, name: str = SESSION) -> SessionSummary:
        def known() -> SessionSummary | None:
            found = self.session(name)
            return found if found and found.sources >= set(sources) and found.polled_at else None

        session = wait_until(known, 15, f"{name} known by {sources}")
        assert session is not None
        return session

    def backend(self, kind: BackendKind) -> tuple[str, str | None, bool] | None:
        found = [view for view in self.queries.backends() if view.kind is kind]
        return (found[0].address, found[0].generation, found[0].reachable) if found else None


def test_the_session_manager_tells_owner_and_configuration(site: Installation, database: Database) -> None:
    with Watching(site, database, session_manager_address=site.session_manager_address) as watching:
        session = watching.until_known_by(SessionSource.SESSION_MANAGER, SessionSource.PROCESS_MANAGER)
        configurations = wait_until(watching.queries.configurations, 15, "the configurations")
        backend = watching.backend(BackendKind.SESSION_MANAGER)
    assert (session.owner, session.configuration) == (OPERATOR, Configuration(CONFIGURATION_FILE, SESSION))
    assert [configuration.id for configuration in configurations] == list(LAYOUTS)
    assert backend == (site.session_manager_address, site.process_manager_generation, True)


def test_a_session_manager_that_publishes_itself_needs_no_setting(site: Installation, database: Database) -> None:
    with Watching(site, database) as watching:
        session = watching.until_known_by(SessionSource.SESSION_MANAGER)
        backend = watching.backend(BackendKind.SESSION_MANAGER)
        names = {found.name for found in watching.queries.sessions()}
    assert session.configuration == Configuration(CONFIGURATION_FILE, SESSION)
    assert backend == (site.session_manager_address, site.process_manager_generation, True)
    assert names == {SESSION}


def _publish_manager(installation: Installation, address: str) -> None:
    entry = {"uid": "session_manager_control", "uri": f"grpc://{address}", "data_type": "RunControlMessage"}
    requests.post(
        f"http://{installation.connectivity_address}/publish",
        json={"partition": "session_manager", "connections": [{**entry, "connection_type": 0}]},
        timeout=5,
    ).raise_for_status()


def test_a_session_manager_that_moved_is_found_where_it_is_now(
    installation: Installation, site: Installation, database: Database
) -> None:
    """The connectivity service knows an address where nobody listens, and then the right one."""
    _publish_manager(installation, "127.0.0.1:1")
    with Watching(installation, database) as watching:
        wait_until(
            lambda: watching.backend(BackendKind.SESSION_MANAGER) == ("127.0.0.1:1", None, False), 15, "the lost one"
        )
        _publish_manager(installation, site.session_manager_address or "")
        watching.until_known_by(SessionSource.SESSION_MANAGER)


def test_the_connectivity_service_tells_of_sessions_that_no_manager_knows(
    installation: Installation, database: Database
) -> None:
    with serving({}) as nobody, Watching(installation, database, process_manager_address=nobody) as watching:
        first = watching.until_known_by(SessionSource.CONNECTIVITY)
        second = watching.until_known_by(SessionSource.CONNECTIVITY, name="local-2x3-config")
    assert (first.state, second.state) == ("initial", "initial")
    assert first.sources == {SessionSource.CONNECTIVITY}
    assert (first.owner, first.configuration) == (None, None)


def test_a_session_with_a_connectivity_service_of_its_own(installation: Installation, database: Database) -> None:
    own = {SESSION: installation.connectivity_address}
    with Watching(installation, database, connectivity_address="127.0.0.1:1", connectivity_by_session=own) as watching:
        session = watching.until_known_by(SessionSource.PROCESS_MANAGER)
        other = wait_until(lambda: watching.session("local-2x3-config"), 15, "the other session")
    assert session.error is None
    assert other is not None
    assert "127.0.0.1:1" in (other.error or "")


def test_a_session_whose_processes_name_its_connectivity_service(
    installation: Installation, database: Database
) -> None:
    server, _, port = installation.connectivity_address.rpartition(":")
    names_it = BootOrder(
        "names-it",
        SESSION,
        "alice",
        (("echo", "hello"),),
        environment={"CONNECTION_SERVER": server, "CONNECTION_PORT": port},
    )
    adapters = DetectingAdapters(Channels(), Deadlines(5, 30))
    try:
        adapters.process_manager(installation.process_manager_address).boot("alice", names_it)
    finally:
        adapters.close()
    with Watching(installation, database, connectivity_address="127.0.0.1:1") as watching:
        session = watching.until_known_by(SessionSource.PROCESS_MANAGER)
        other = wait_until(lambda: watching.session("local-2x3-config"), 15, "the other session")
    assert session.error is None
    assert other is not None
    assert "127.0.0.1:1" in (other.error or "")


def test_whether_a_run_control_service_listens(installation: Installation, database: Database) -> None:
    with serving({}) as address, Watching(installation, database, run_control_address=address) as watching:
        wait_until(lambda: watching.backend(BackendKind.RUN_CONTROL_SERVICE) == (address, "G3", True), 15, "its answer")
    with Watching(installation, database, run_control_address=address) as watching:
        wait_until(lambda: watching.backend(BackendKind.RUN_CONTROL_SERVICE) == (address, "G3", False), 15, "its end")


def test_a_session_that_ended_is_marked_and_not_forgotten(database: Database) -> None:
    simulated = Installation(sessions=(SESSION,), generations={SESSION: "G3"}, process_manager_generation="G3")
    adapters = DetectingAdapters(Channels(), Deadlines(5, 30))
    try:
        simulated.start()
        service = adapters.run_control_service(simulated.run_control_address or "")
        order = SessionOrder("second", Configuration(CONFIGURATION_FILE, SESSION))
        with Watching(simulated, database, session_manager_address=simulated.session_manager_address) as watching:
            assert service.start_session("alice", order).succeeded
            watching.until_known_by(SessionSource.SESSION_MANAGER, SessionSource.PROCESS_MANAGER, name="second")
            assert service.end_session("alice", order).succeeded
            wait_until(lambda: watching.session("second") is None, 20, "its end")
            (gone,) = watching.queries.vanished_sessions()
            assert watching.session() is not None
    finally:
        adapters.close()
        simulated.stop()
    assert (gone.name, gone.root_name, gone.configuration) == ("second", "root-controller", order.configuration)
    assert gone.vanished_at is not None
    assert gone.first_seen_at is not None
    assert gone.first_seen_at < gone.vanished_at
    assert gone.sources == frozenset()
