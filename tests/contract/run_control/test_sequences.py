"""Sequences from the service to the controllers and back."""

from collections.abc import Mapping

from services.run_control.command_types import CommandState, CommandView
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, BOB, SESSION, Console
from tests.waiting import wait_until


def order(console: Console, sequence: str, **arguments: object) -> int:
    return console.sequences.execute(ALICE, SESSION, sequence, arguments)


def states(view: CommandView) -> Mapping[str, str]:
    return {step.transition: step.state.value for step in view.steps}


def test_a_run_is_started_and_stopped(console: Console) -> None:
    console.take_control()
    assert {sequence.name for sequence in console.session().sequences} == {"start_run", "stop_run", "shutdown"}
    started = console.done(order(console, "start_run", run_number=31427))
    assert (started.state, started.text) == (CommandState.SUCCEEDED, "Done: conf, start, enable_triggers.")
    assert all(step.started_at and step.finished_at for step in started.steps)
    session = console.session()
    assert (session.state, session.run.number) == ("running", 31427)
    stopped = console.done(order(console, "stop_run"))
    assert stopped.state is CommandState.SUCCEEDED
    # In configured nothing is left of shutdown but its optional end.
    assert console.session().state == "configured"
    again = console.done(order(console, "start_run", run_number=31428))
    assert states(again) == {"conf": "skipped", "start": "succeeded", "enable_triggers": "succeeded"}
    assert console.done(order(console, "shutdown")).state is CommandState.SUCCEEDED
    assert console.session().state == "initial"


def test_a_failed_grandchild_stops_it(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.fail(SESSION, "start", "df-01")
    done = console.done(order(console, "start_run", run_number=1))
    assert done.state is CommandState.FAILED
    assert states(done) == {"conf": "succeeded", "start": "failed", "enable_triggers": "waiting"}
    assert [node.name for node in done.nodes if not node.succeeded] == ["df-01"]
    assert console.session().state == "ready"


def test_a_person_aborts_it_between_steps(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.slow(SESSION, "conf", 1.0)
    command_id = order(console, "start_run", run_number=1)
    wait_until(lambda: states(console.queries.command(command_id))["conf"] == "executing", what="the first step")
    console.sequences.abort(BOB, command_id)
    done = console.done(command_id)
    assert (done.state, done.text) == (CommandState.FAILED, "bob aborted it: start was not sent.")
    assert states(done) == {"conf": "succeeded", "start": "waiting", "enable_triggers": "waiting"}
    assert console.session().state == "configured"
