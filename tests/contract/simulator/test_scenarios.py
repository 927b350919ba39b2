"""Scenarios played in a whole installation, and parts of the tree that are excluded or in error by order."""

from collections.abc import Iterator

import pytest

from simulator.checks import SimulatorError
from simulator.installation import Installation
from simulator.player import Outcome, Player, Progress
from simulator.scenario import read_scenario, shipped_scenarios
from tests.contract.simulator.trees import asking
from tests.simulated import RawClient, RecordingPublisher, g1, payload
from tests.waiting import wait_until

SESSION = "local-1x1-config"
HEAD = "title: T\nteaches: something\nsteps:\n"
FAST = 1_000.0


@pytest.fixture
def player(small: Installation) -> Iterator[Player]:
    """Plays in ``small``."""
    made = Player(small, FAST)
    yield made
    made.stop()


def ended(player: Player) -> Progress:
    def progress() -> Progress | None:
        known = player.progress
        return known if known is not None and known.outcome is not Outcome.PLAYING else None

    found = wait_until(progress, 20, "the end of the scenario")
    assert found is not None
    return found


def test_steps_wait_for_their_state(small: Installation, player: Player, held: RawClient) -> None:
    text = "  - when: {state: configured}\n  - after: 5\n    order: kill\n    with: {name: mlt, exit_code: 7}\n"
    player.play(read_scenario(HEAD + text))
    wait_until(lambda: player.progress and player.progress.step == 1, 10, "the first step")
    assert player.progress is not None
    assert player.progress.doing == "waits for root-controller to be configured"
    assert small.processes(SESSION)["mlt"]
    held.execute("conf")
    assert ended(player) == Progress("T", 2, 2, "came to its end", Outcome.DONE)
    assert not small.processes(SESSION)["mlt"]


def test_only_one_plays_at_a_time_and_it_can_be_stopped(player: Player) -> None:
    waiting = read_scenario(HEAD + "  - when: {state: running}\n")
    player.play(waiting)
    with pytest.raises(SimulatorError, match="plays already"):
        player.play(waiting)
    player.stop()
    assert ended(player).outcome is Outcome.STOPPED
    player.play(waiting)


def test_patience_ends(player: Player) -> None:
    player.play(read_scenario(HEAD + "  - when: {state: running, within: 0.01}\n"))
    found = ended(player)
    assert (found.outcome, found.step) == (Outcome.FAILED, 1)
    assert found.doing == "line 4: waited 0.01 s in vain for root-controller to be running"


def test_an_order_that_cannot_be_carried_out_ends_it(player: Player) -> None:
    player.play(read_scenario(HEAD + "  - say: a\n  - order: kill\n    with: {name: nobody}\n  - order: reset\n"))
    found = ended(player)
    assert (found.outcome, found.step) == (Outcome.FAILED, 2)
    assert found.doing == f"line 5: {SESSION} has no process 'nobody'"


def test_unknown_session_is_refused(player: Player) -> None:
    with pytest.raises(SimulatorError, match=f"no session 'nowhere'; there are {SESSION}"):
        player.play(read_scenario(HEAD + "  - say: a\n"), "nowhere")


@pytest.mark.parametrize("name", ["alarm-flood", "lost-process-manager"])
def test_what_waits_for_nobody_plays_to_its_end(player: Player, name: str) -> None:
    player.play(read_scenario(shipped_scenarios()[name]))
    assert ended(player).outcome is Outcome.DONE


def test_a_boot_that_dies_and_one_that_holds(small: Installation, player: Player, manager: RawClient) -> None:
    player.play(read_scenario(shipped_scenarios()["boot-that-dies"]))
    assert ended(player).outcome is Outcome.DONE
    this = g1("ProcessQuery", names=["^mlt$"])

    def code() -> int:
        (listed,) = payload(manager.call("ps", this)).values
        return int(listed.return_code)

    assert code() == 139
    manager.call("restart", this)
    wait_until(lambda: code() == 134, what="its second death")
    manager.call("restart", this)
    assert small.processes(SESSION)["mlt"]


def test_a_shift_with_a_trip(
    small: Installation, player: Player, held: RawClient, publisher: RecordingPublisher
) -> None:
    player.play(read_scenario(shipped_scenarios()["trip-in-a-shift"]))
    held.execute("conf")
    held.execute("start", run_number=g1("int_msg", value=7))
    held.execute("enable_triggers")
    assert ended(player).outcome is Outcome.DONE
    assert not small.processes(SESSION)["ru-01"]
    spoken = b"".join(record.value for record in publisher.records)
    assert spoken.index(b"Bias current of crate 1 rises") < spoken.index(b"Bias of crate 1 tripped")
    assert b"ru-01 does not answer any more" in spoken


def test_g1_controllers_are_excluded_and_included(small: Installation, root: RawClient) -> None:
    small.exclude(SESSION, "df-controller")
    assert not root.children_status()["df-controller"].included
    with pytest.raises(SimulatorError, match="df-controller is already excluded"):
        small.exclude(SESSION, "df-controller")
    small.include(SESSION, "df-controller")
    assert root.children_status()["df-controller"].included
    with pytest.raises(SimulatorError, match="not a controller"):
        small.exclude(SESSION, "df-01")
    small.to_error(SESSION, "df-controller")
    assert root.children_status()["df-controller"].in_error


@pytest.mark.parametrize("generation", ["G2", "G3"])
def test_parts_of_a_tree_are_excluded_and_in_error(generation: str) -> None:
    session = "cosmics"
    installation = Installation(
        [f"{session}:{SESSION}"], publisher=RecordingPublisher(), generations={session: generation}
    )
    try:
        installation.start()
        with asking(installation.controller_address(session), generation) as root:
            root.ask("take_control")

            def statuses() -> dict[str, tuple[bool, bool]]:
                found: dict[str, tuple[bool, bool]] = {}
                waiting = [root.ask("status")]
                while waiting:
                    node = waiting.pop()
                    own = root.body(node)
                    found[node.name] = (own.included, own.in_error)
                    waiting += node.children
                return found

            installation.exclude(session, "df-controller")
            installation.exclude(session, "mlt")
            included = {name for name, (is_included, _) in statuses().items() if is_included}
            assert not included & {"df-controller", "df-01", "mlt"}
            assert {"root-controller", "trg-controller", "ru-01"} <= included
            installation.include(session, "df-controller")
            assert statuses()["df-controller"] == (True, False)
            installation.to_error(session, "ru-controller")
            assert statuses()["ru-controller"] == (True, True)
    finally:
        installation.stop()
