"""Commands from the service to the controllers and back."""

import threading

import grpc
import pytest

from models.commands import Command
from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.types import AuditKind
from services.clock import utc_now
from services.errors import (
    InvalidInputError,
    NotInControlError,
    NotPermittedError,
    RefusedError,
)
from services.run_control.command_types import Action, CommandState
from services.run_control.session_types import INITIAL_HOLDER, RunInfo
from simulator import g1
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, BOB, SESSION, Console
from tests.waiting import wait_until

VIEWER = Identity("victor", Role.VIEWER)


def test_a_freshly_booted_tree_belongs_to_itself(console: Console) -> None:
    with pytest.raises(NotInControlError, match=INITIAL_HOLDER) as refused:
        console.commands.execute_transition(ALICE, SESSION, "conf", {})
    assert refused.value.holder == INITIAL_HOLDER
    assert "Take control first" in refused.value.next_step
    assert [view.entry.kind for view in console.audit.newest()] == [AuditKind.REFUSAL]
    assert console.queries.last_commands(SESSION) == ()


def test_taking_control(console: Console) -> None:
    taken = console.take_control()
    assert taken.state is CommandState.SUCCEEDED
    assert {node.name for node in taken.nodes if node.path.count("/") < 2} >= {"root-controller", "df-controller"}
    assert all(node.succeeded for node in taken.nodes)
    assert console.session().holder == "alice"
    assert [view.entry.kind for view in console.trail(taken.id)] == [AuditKind.INTENT, AuditKind.OUTCOME]


def test_a_transition_changes_every_node(console: Console) -> None:
    console.take_control()
    done = console.execute("conf")
    assert (done.state, len(done.nodes)) == (CommandState.SUCCEEDED, 13)
    assert {node.fsm_flag for node in done.nodes} == {"FSM_EXECUTED_SUCCESSFULLY"}
    # The row of the session changed together with the command's.
    session = console.session()
    assert (session.state, session.possible) == ("configured", ("start", "scrap"))
    wait_until(lambda: {node.state for node in console.queries.tree(SESSION)} == {"configured"}, what="all nodes")


def test_start_with_a_run_number_tells_the_run(console: Console) -> None:
    console.take_control()
    console.execute("conf")
    started = console.execute("start", run_number="31427", trigger_rate="2.5", run_type="prod", file_logbook_post="")
    assert started.state is CommandState.SUCCEEDED
    assert started.arguments == {"run_number": 31427, "trigger_rate": 2.5, "run_type": "PROD"}
    run = console.session().run
    assert (run.number, run.type, run.trigger_rate_hz, run.storage_disabled) == (31427, "PROD", 2.5, False)
    for transition in ("drain_dataflow", "stop_trigger_sources"):
        console.execute(transition)
    assert console.session().run.number == 31427
    console.execute("stop")
    console.until("the end of the run", lambda summary: summary.run.number is None)


def test_a_run_that_somebody_else_started_is_unknown(console: Console, installation: Installation) -> None:
    installation.steal(SESSION, "mallory")
    address = installation.controller_address(SESSION)
    _execute_as_shell(address, "mallory", "conf")
    _execute_as_shell(address, "mallory", "start", run_number=7)
    ready = console.until("the run", lambda summary: summary.state == "ready")
    assert ready.run == RunInfo()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({}, "run_number"), ({"run_number": "many"}, "run_number"), ({"run_number": 1, "run_type": "X"}, "run_type")],
)
def test_bad_arguments_are_not_sent(console: Console, arguments: dict[str, object], field: str) -> None:
    console.take_control()
    console.execute("conf")
    with pytest.raises(InvalidInputError) as refused:
        console.commands.execute_transition(ALICE, SESSION, "start", arguments)
    assert refused.value.field == field
    assert console.session().state == "configured"


def test_a_failed_grandchild_makes_the_command_failed(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.fail(SESSION, "conf", "df-01")
    done = console.execute("conf")
    assert done.state is CommandState.FAILED
    failed = {node.path: node for node in done.nodes if not node.succeeded}
    assert set(failed) == {"root-controller/df-controller/df-01"}
    assert failed["root-controller/df-controller/df-01"].fsm_flag == "FSM_FAILED"
    assert "root-controller/df-controller/df-01" in done.text
    # The root went on all the same, its grandchild did not (contract 10.5).
    assert console.session().state == "configured"
    wait_until(lambda: console.nodes()["df-01"].in_error, what="the node's error")
    assert console.nodes()["df-01"].state == "initial"
    outcome = console.trail(done.id)[-1].entry
    assert list(outcome.arguments["failed"]) == ["root-controller/df-controller/df-01"]


def test_stolen_control_refuses_naming_the_thief(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.steal(SESSION, "mallory")
    console.until("the new holder", lambda summary: summary.holder == "mallory")
    with pytest.raises(NotInControlError, match="mallory") as refused:
        console.commands.execute_transition(ALICE, SESSION, "conf", {})
    assert refused.value.holder == "mallory"


def test_control_stolen_at_the_last_moment(console: Console, installation: Installation, database: Database) -> None:
    """The order was stored while the row still said alice; the check right before the write finds out."""
    console.take_control()
    installation.steal(SESSION, "mallory")
    with database.write() as tx:
        tx.add(_order_of_alice())
    done = console.done(console.queries.last_commands(SESSION)[0].id)
    assert done.state is CommandState.FAILED
    assert "mallory is in control" in done.text
    assert "Nothing was sent" in done.text
    assert console.session().state == "initial"


def _order_of_alice() -> Command:
    return Command(
        request_id="late",
        created_at=utc_now(),
        user_name="alice",
        remote_address="",
        session=SESSION,
        action=Action.EXECUTE_TRANSITION.value,
        target="root-controller",
        transition="conf",
        arguments={},
        state=CommandState.PENDING.value,
        text="",
    )


def test_taking_control_from_a_person_needs_a_reason(console: Console) -> None:
    console.take_control()
    with pytest.raises(InvalidInputError, match="alice") as refused:
        console.commands.take_control(BOB, SESSION)
    assert refused.value.field == "reason"
    forced = console.done(console.commands.take_control(BOB, SESSION, "alice went home"))
    assert forced.state is CommandState.SUCCEEDED
    assert console.session().holder == "bob"
    assert console.trail(forced.id)[0].entry.arguments == {"reason": "alice went home"}


def test_surrender_is_judged_by_who_is_in_charge(console: Console) -> None:
    console.take_control()
    released = console.done(console.commands.release_control(ALICE, SESSION))
    # drunc says FAILED although control is free (contract 8.3).
    assert released.nodes[0].flag == "FAILED"
    assert released.state is CommandState.SUCCEEDED
    session = console.session()
    assert session.holder == ""
    assert session.held_by_nobody


def test_a_viewer_may_do_nothing(console: Console) -> None:
    with pytest.raises(NotPermittedError):
        console.commands.take_control(VIEWER, SESSION)
    with pytest.raises(NotPermittedError):
        console.commands.execute_transition(VIEWER, SESSION, "conf", {})


def test_one_command_at_a_time_in_a_session(console: Console, installation: Installation) -> None:
    console.take_control()
    installation.slow(SESSION, "conf", 1.5)
    first = console.commands.execute_transition(ALICE, SESSION, "conf", {})
    with pytest.raises(RefusedError, match=f"conf of alice \\(command {first}\\)"):
        console.commands.execute_transition(ALICE, SESSION, "conf", {})
    executing = console.until("the command under way", lambda summary: summary.executing is not None).executing
    assert executing is not None
    assert executing.id == first
    # The other session takes commands meanwhile.
    other = console.done(console.commands.take_control(BOB, "local-2x3-config"))
    assert other.state is CommandState.SUCCEEDED
    assert not console.queries.command(first).state.is_final
    assert console.done(first).state is CommandState.SUCCEEDED


def test_somebody_elses_transition_is_busy_not_lost(console: Console, installation: Installation) -> None:
    """A transition that a shell executes keeps the single-threaded controller from answering."""
    installation.slow(SESSION, "conf", 2.5)
    installation.steal(SESSION, "mallory")
    address = installation.controller_address(SESSION)
    shell = threading.Thread(target=_execute_as_shell, args=(address, "mallory", "conf"))
    shell.start()
    busy = console.until("the busy controller", lambda summary: "busy" in (summary.error or ""))
    assert address in (busy.error or "")
    assert busy.state == "initial"
    root = next(backend for backend in console.queries.backends() if backend.address == address)
    assert root.reachable
    after = console.until("the end of it", lambda summary: summary.error is None and summary.state == "configured")
    assert after.run.number is None
    shell.join()


def _execute_as_shell(address: str, user: str, transition: str, **integers: int) -> None:
    arguments = {name: g1.pack(g1.make("int_msg", value=value)) for name, value in integers.items()}
    with grpc.insecure_channel(address) as channel:
        order = g1.make("FSMCommand", command_name=transition, arguments=arguments)
        request = g1.request(g1.token_message(g1.owner_of(user)), order)
        g1.Stub(channel, g1.CONTROLLER).call("execute_fsm_command", request, 20)


def test_a_transition_that_is_not_possible(console: Console) -> None:
    console.take_control()
    with pytest.raises(RefusedError, match="initial"):
        console.commands.execute_transition(ALICE, SESSION, "start", {"run_number": 1})
    session = console.session()
    assert "initial" in (console.commands.why_not(ALICE, session, "start") or "")
    assert console.commands.why_not(ALICE, session, "conf") is None
    assert "bob" not in (console.commands.why_not(BOB, session, "conf") or "")
    assert "alice" in (console.commands.why_not(BOB, session, "conf") or "")


def test_a_wedged_root_is_refused_with_the_way_out(console: Console, installation: Installation) -> None:
    console.take_control()
    console.execute("conf")
    installation.wedge(SESSION)
    stuck = console.until("the wedge", lambda summary: summary.sub_state == "preparing-start")
    assert (stuck.state, stuck.in_error) == ("configured", False)
    with pytest.raises(RefusedError, match="preparing-start") as refused:
        console.commands.execute_transition(ALICE, SESSION, "start", {"run_number": 1})
    assert "boot it anew" in refused.value.next_step
