"""Commands from the service to the process manager and back."""

import json

import pytest

from models.commands import Command
from models.database import Database
from services.accounts.types import Identity, Role
from services.audit.types import AuditKind
from services.clock import utc_now
from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.process_types import Process, ProcessStatus
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, SESSION, Console
from tests.waiting import wait_until

ADMINISTRATOR = Identity("ada", Role.ADMINISTRATOR)


@pytest.fixture
def listed(console: Console) -> dict[str, Process]:
    """The processes of the session by name."""
    wait_until(lambda: console.queries.processes(SESSION), what="the processes")
    return {process.name: process for process in console.queries.processes(SESSION)}


def names(console: Console) -> set[str]:
    return {process.name for process in console.queries.processes(SESSION)}


def flags(view: CommandView) -> dict[str, tuple[bool, str]]:
    return {node.name: (node.succeeded, node.flag) for node in view.nodes}


def test_a_killed_process_is_gone_from_the_list_with_its_command(console: Console, listed: dict[str, Process]) -> None:
    done = console.done(console.process_commands.kill(ALICE, [listed["df-01"].uuid, listed["mlt"].uuid]))
    assert (done.state, flags(done)) == (CommandState.SUCCEEDED, {"df-01": (True, "DEAD"), "mlt": (True, "DEAD")})
    assert "2 of 2 processes killed" in done.text
    # The table changed together with the command.
    assert names(console) == set(listed) - {"df-01", "mlt"}
    assert [view.entry.kind for view in console.trail(done.id)] == [AuditKind.INTENT, AuditKind.OUTCOME]


def test_a_kill_does_not_wait_for_a_transition(
    console: Console, installation: Installation, listed: dict[str, Process]
) -> None:
    console.take_control()
    installation.slow(SESSION, "conf", 2.0)
    transition = console.commands.execute_transition(ALICE, SESSION, "conf", {})
    console.until("the command under way", lambda summary: summary.executing is not None)
    done = console.done(console.process_commands.kill(ALICE, [listed["hsi-fake-01"].uuid]))
    assert done.state is CommandState.SUCCEEDED
    assert not console.queries.command(transition).state.is_final
    console.done(transition)


def test_the_dead_are_flushed_and_the_living_stay(
    console: Console, installation: Installation, listed: dict[str, Process]
) -> None:
    installation.kill(SESSION, "mlt")
    wait_until(
        lambda: any(process.status is ProcessStatus.DEAD for process in console.queries.processes(SESSION)),
        what="the dead process",
    )
    done = console.done(console.process_commands.flush(ALICE, session=SESSION))
    assert (done.state, set(flags(done))) == (CommandState.SUCCEEDED, {"mlt"})
    assert names(console) == set(listed) - {"mlt"}


def test_a_restarted_process_keeps_its_uuid(console: Console, listed: dict[str, Process]) -> None:
    done = console.done(console.process_commands.restart(ALICE, listed["df-01"].uuid))
    assert (done.state, flags(done)) == (CommandState.SUCCEEDED, {"df-01": (True, "RUNNING")})
    assert {process.uuid for process in console.queries.processes(SESSION)} == {
        process.uuid for process in listed.values()
    }


def test_booting_from_text_and_booting_dummies(console: Console, listed: dict[str, Process]) -> None:
    assert listed
    text = json.dumps([{"name": f"p-{n}", "session": "hand-made", "commands": [["sleep", "100s"]]} for n in (1, 2)])
    done = console.done(console.process_commands.boot(ALICE, text))
    assert (done.state, set(flags(done)), done.session) == (CommandState.SUCCEEDED, {"p-1", "p-2"}, "hand-made")
    booted = {process.name: process.user for process in console.queries.processes("hand-made")}
    assert booted == {"p-1": "alice", "p-2": "alice"}
    dummies = console.done(console.process_commands.dummy_boot(ALICE, "dummies", processes=2))
    assert (dummies.state, set(flags(dummies))) == (CommandState.SUCCEEDED, {"dummy_boot_0", "dummy_boot_1"})


def test_terminate_leaves_nothing(console: Console, listed: dict[str, Process]) -> None:
    done = console.done(console.process_commands.terminate(ADMINISTRATOR, "the end of the shift"))
    assert done.state is CommandState.SUCCEEDED
    assert len(done.nodes) > len(listed)
    assert console.queries.processes() == ()


def test_what_is_not_listed_any_more_is_told(console: Console, database: Database) -> None:
    """The row still said that it is there; the look right before the write finds out."""
    with database.write() as tx:
        tx.add(
            Command(
                request_id="late",
                created_at=utc_now(),
                user_name="alice",
                remote_address="",
                session=SESSION,
                action=Action.KILL.value,
                target="mlt",
                arguments={},
                payload={"processes": {"gone": "mlt"}},
                state=CommandState.PENDING.value,
                text="",
            )
        )
    done = console.done(console.queries.last_commands(SESSION)[0].id)
    assert done.state is CommandState.FAILED
    assert "mlt" in done.text
    assert "Nothing was sent" in done.text
