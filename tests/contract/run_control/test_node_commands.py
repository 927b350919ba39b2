"""Commands for parts of the tree, from the service to the controllers and back."""

from services.run_control.command_types import CommandState
from services.run_control.node_types import Target
from simulator.installation import Installation
from tests.contract.run_control.conftest import ALICE, SESSION, Console
from tests.simulated import connected
from tests.waiting import wait_until

DF = "root-controller/df-controller"


def test_a_part_is_excluded_and_included_through_its_own_controller(console: Console) -> None:
    console.take_control()
    wait_until(lambda: console.nodes()["df-controller"].endpoint, what="the address")
    done = console.done(console.node_commands.exclude(ALICE, SESSION, Target(DF)))
    assert (done.state, done.target) == (CommandState.SUCCEEDED, DF)
    assert {node.name for node in done.nodes} >= {"df-controller", "df-01"}
    wait_until(
        lambda: not console.nodes()["df-controller"].included and not console.nodes()["df-01"].included,
        what="the excluded part",
    )
    assert console.nodes()["root-controller"].included
    done = console.done(console.node_commands.include(ALICE, SESSION, Target(DF)))
    assert done.state is CommandState.SUCCEEDED
    wait_until(lambda: all(node.included for node in console.nodes().values()), what="the whole tree")


def test_an_excluded_tree_takes_no_transition(console: Console) -> None:
    console.take_control()
    done = console.done(console.node_commands.exclude(ALICE, SESSION))
    assert done.state is CommandState.SUCCEEDED
    # The session's row changed together with the command's.
    assert console.session().included is False
    assert "excluded" in (console.commands.why_not(ALICE, console.session(), "conf") or "")


def test_the_part_belongs_to_somebody_else(console: Console, installation: Installation) -> None:
    """The session is alice's, but it is the part's own controller that decides what is done to it."""
    console.take_control()
    with connected(installation.controller_address(SESSION, "df-controller"), "Controller", "mallory") as mallory:
        mallory.call("take_control")
    wait_until(lambda: console.nodes()["df-controller"].endpoint, what="the address")
    done = console.done(console.node_commands.exclude(ALICE, SESSION, Target(DF)))
    assert done.state is CommandState.FAILED
    assert "mallory is in control of this part" in done.text
    assert "Nothing was sent" in done.text


def test_several_parts_are_excluded_by_one_command(console: Console) -> None:
    console.take_control()
    wait_until(lambda: all(node.endpoint for node in console.nodes().values()), what="the addresses")
    parts = [Target(f"root-controller/{name}") for name in ("ru-controller", "df-controller")]
    done = console.done(console.node_commands.exclude(ALICE, SESSION, *parts))
    assert done.state is CommandState.SUCCEEDED, done.text
    assert done.text == "2 of 2 parts of the tree done."
    assert {node.name for node in done.nodes} >= {"ru-controller", "df-controller", "df-01"}
    wait_until(
        lambda: (
            {name for name, node in console.nodes().items() if node.included is False}
            >= {"ru-controller", "df-controller", "df-01"}
        ),
        what="the excluded parts",
    )
