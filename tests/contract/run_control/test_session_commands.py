"""Whole sessions, from the service through the run control service and back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from models.database import Database
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.clock import utc_now
from services.run_control.command_types import CommandState
from services.run_control.config import RunControlConfig
from services.run_control.session_commands import SessionCommandService
from services.run_control.session_types import Configuration
from simulator.installation import Installation
from simulator.layouts import CONFIGURATION_FILE
from tests.contract.run_control.conftest import ALICE, SESSION, Console, config_for
from tests.waiting import wait_until

CONFIGURATION = Configuration(CONFIGURATION_FILE, SESSION)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """The only generation with such a service."""
    simulated = Installation(sessions=(SESSION,), generations={SESSION: "G3"}, process_manager_generation="G3")
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def config(installation: Installation) -> RunControlConfig:
    return replace(config_for(installation), run_control_address=installation.run_control_address)


@pytest.fixture
def service(console: Console, database: Database) -> SessionCommandService:
    audit = AuditTrail(database, utc_now)
    return SessionCommandService(database, audit, utc_now, console.config, on_submit=console.worker.wake)


def test_a_session_from_nothing_to_nothing(console: Console, service: SessionCommandService) -> None:
    started = console.done(service.start(ALICE, "shift-7", CONFIGURATION))
    assert (started.state, started.text) == (CommandState.SUCCEEDED, "shift-7 was started. Processes listed: 14.")
    console.until("the new session", lambda summary: summary.polled_at is not None, "shift-7")
    ended = console.done(service.end(ALICE, "shift-7"))
    assert (ended.state, ended.text) == (CommandState.SUCCEEDED, "shift-7 was ended.")
    wait_until(lambda: [found.name for found in console.queries.sessions()] == [SESSION], 20, "its end")
    kinds = [view.entry.kind for view in console.trail(ended.id)]
    assert kinds == [AuditKind.INTENT, AuditKind.OUTCOME]


def test_what_the_service_refuses(console: Console, service: SessionCommandService) -> None:
    refused = console.done(service.start(ALICE, "shift-7", Configuration(CONFIGURATION_FILE, "no-such-config")))
    assert refused.state is CommandState.FAILED
    assert "session id not found" in refused.text
    # It ends only what it started itself.
    foreign = console.done(service.end(ALICE, SESSION))
    assert foreign.state is CommandState.FAILED
    assert console.session().error is None


def test_a_service_that_is_gone(console: Console, service: SessionCommandService, installation: Installation) -> None:
    installation.stop()
    lost = console.done(service.start(ALICE, "shift-7", CONFIGURATION))
    assert lost.state is CommandState.UNKNOWN
    assert "the outcome is unknown" in lost.text
