"""The run control worker and services against a simulated installation."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditView
from services.clock import utc_now
from services.run_control.command_types import CommandView
from services.run_control.commands import CommandLimits, CommandService
from services.run_control.config import RunControlConfig
from services.run_control.node_commands import NodeCommandService
from services.run_control.node_types import Node
from services.run_control.process_commands import ProcessCommandService
from services.run_control.queries import RunControlQueries
from services.run_control.sequences import SequenceService
from services.run_control.session_types import SessionSummary
from services.run_control.worker import RunControlWorker
from simulator.installation import Installation
from tests.waiting import wait_until

SESSION = "local-1x1-config"
ALICE = Identity("alice", Role.OPERATOR, "192.0.2.1")
BOB = Identity("bob", Role.OPERATOR, "192.0.2.2")


@dataclass(frozen=True)
class Console:
    """A worker on duty, and what a page has."""

    config: RunControlConfig
    worker: RunControlWorker
    queries: RunControlQueries
    commands: CommandService
    node_commands: NodeCommandService
    sequences: SequenceService
    process_commands: ProcessCommandService
    audit: AuditTrail

    def session(self, name: str = SESSION) -> SessionSummary:
        return self.queries.session(name)

    def until(self, what: str, condition: Callable[[SessionSummary], bool], name: str = SESSION) -> SessionSummary:
        def seen() -> SessionSummary | None:
            found = [summary for summary in self.queries.sessions() if summary.name == name]
            return found[0] if found and condition(found[0]) else None

        found = wait_until(seen, 15, what)
        assert found is not None
        return found

    def nodes(self, name: str = SESSION) -> Mapping[str, Node]:
        return {node.name: node for node in self.queries.tree(name)}

    def done(self, command_id: int) -> CommandView:
        found = wait_until(lambda: _if_final(self.queries.command(command_id)), 15, "the end of the command")
        assert found is not None
        return found

    def take_control(self, identity: Identity = ALICE) -> CommandView:
        return self.done(self.commands.take_control(identity, SESSION))

    def execute(self, transition: str, **arguments: object) -> CommandView:
        return self.done(self.commands.execute_transition(ALICE, SESSION, transition, arguments))

    def trail(self, command_id: int) -> list[AuditView]:
        return [view for view in reversed(self.audit.newest()) if view.entry.command_id == command_id]


def _if_final(view: CommandView) -> CommandView | None:
    return view if view.state.is_final else None


def config_for(installation: Installation) -> RunControlConfig:
    return RunControlConfig(
        installation.process_manager_address,
        installation.connectivity_address,
        poll_interval_s=0.2,
        rpc_deadline_s=1.0,
        # A machine that stands still for a second must not end a tour of duty.
        lease_ttl_s=4.0,
        # A single look; what watching longer shows is in test_boots.py.
        boot_grace_s=0.0,
    )


@pytest.fixture
def config(installation: Installation) -> RunControlConfig:
    return config_for(installation)


@contextmanager
def running_console(config: RunControlConfig, database: Database) -> Iterator[Console]:
    """A worker on duty, and services in front of it."""
    worker = RunControlWorker(config, database, utc_now)
    audit = AuditTrail(database, utc_now)
    limits = CommandLimits.for_polling(config.poll_interval_s)
    running = Console(
        config,
        worker,
        RunControlQueries(database, utc_now),
        CommandService(database, audit, utc_now, limits, worker.wake),
        NodeCommandService(database, audit, utc_now, limits, worker.wake),
        SequenceService(database, audit, utc_now, limits, worker.wake),
        ProcessCommandService(database, audit, utc_now, worker.wake),
        audit,
    )
    worker.start()
    try:
        running.until("the first poll", lambda summary: summary.polled_at is not None)
        yield running
    finally:
        worker.stop(10)


@pytest.fixture
def console(config: RunControlConfig, database: Database) -> Iterator[Console]:
    with running_console(config, database) as running:
        yield running
