"""Several workers share one database: one is on duty, the others stand by."""

from datetime import timedelta

import pytest

from models.commands import Command
from models.coordination import Lease
from models.database import Database
from services.clock import utc_now
from services.health import AlreadyStartedError
from services.run_control.command_types import Action, CommandState
from services.run_control.worker import LEASE, RunControlWorker
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, SESSION, Console, config_for
from tests.waiting import wait_until

CRASHED = "crashed-host-1"


def test_one_polls_the_other_stands_by_and_takes_over(console: Console, database: Database) -> None:
    standby = RunControlWorker(console.config, database, utc_now)
    standby.start()
    try:
        wait_until(lambda: standby.health().state == "ok", what="the standby")
        assert standby.health().details["duty"] == "standby"
        assert console.worker.health().details["duty"] == "active"
        fence = console.worker.health().details["fence"]
        console.worker.stop(10)
        wait_until(lambda: standby.health().details["duty"] == "active", what="the takeover")
        assert standby.health().details["fence"] != fence
        seen = console.session().polled_at
        console.until("a poll of the new one", lambda summary: summary.polled_at != seen)
        # It executes commands as well, found without being woken.
        assert console.take_control().state is CommandState.SUCCEEDED
    finally:
        standby.stop(10)


def test_what_a_crashed_worker_left_is_unknown(installation: Installation, database: Database) -> None:
    worker = RunControlWorker(config_for(installation), database, utc_now)
    with database.write() as tx:
        # It still holds the lease, and had sent a command.
        tx.add(Lease(name=LEASE, holder=CRASHED, fence=7, expires_at=utc_now() + timedelta(hours=1)))
        tx.add(_executing_command())
    worker.start()
    try:
        wait_until(lambda: worker.health().state == "ok", what="the standby")
        assert worker.health().details["duty"] == "standby"
        with database.write() as tx:
            tx.get_one(Lease, LEASE).expires_at = utc_now()

        def closed() -> bool:
            with database.read() as tx:
                row = tx.get(Command, 1)
                return row is not None and row.state == CommandState.UNKNOWN.value

        wait_until(closed, what="the closed command")
        # A lease that a busy machine kept from being renewed in time is still this tour of duty's.
        wait_until(lambda: worker.health().details["fence"] == 8, what="the renewed lease")
    finally:
        worker.stop(10)


def _executing_command() -> Command:
    return Command(
        id=1,
        request_id="r",
        created_at=utc_now(),
        user_name="alice",
        remote_address="",
        session=SESSION,
        action=Action.EXECUTE_TRANSITION.value,
        target="root-controller",
        transition="conf",
        arguments={},
        state=CommandState.EXECUTING.value,
        claimed_at=utc_now(),
        claimed_by=f"{CRASHED}#7",
        text="",
    )


def test_stopping_under_way_leaves_the_outcome_unknown(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.slow(SESSION, "conf", 4)
    command_id = console.commands.execute_transition(ALICE, SESSION, "conf", {})
    wait_until(lambda: console.queries.command(command_id).state is CommandState.EXECUTING, what="the claim")
    wait_until(lambda: console.worker.health().details["commands_running"] == 1, what="the thread")
    with pytest.raises(TimeoutError):
        console.worker.stop(2)
    assert console.queries.command(command_id).state is CommandState.UNKNOWN
    assert console.worker.health().state == "stopped"


def test_a_worker_starts_once(console: Console) -> None:
    with pytest.raises(AlreadyStartedError):
        console.worker.start()


def test_health_tells_what_it_does(console: Console) -> None:
    health = console.worker.health()
    assert (health.name, health.state, health.last_error) == ("run_control", "ok", None)
    assert health.turned_at is not None
    assert health.details["sessions"] == 2
