"""Control is asked for in the middle of a command, and handed over when that has ended."""

from collections.abc import Iterator

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.test_controller import ask_for_control, choose, get_control, page_of
from tests.kafka import KafkaBroker

SESSION = "local-1x1-config"


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """One session in which everything is well."""
    simulated = Installation((SESSION,), kafka_broker.address, time_scale=0.3)
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.mark.timeout(240)
def test_control_is_handed_over_when_the_command_under_way_has_ended_however(
    new_person: NewPerson, installation: Installation
) -> None:
    alice, bob = page_of(new_person("alice"), SESSION), page_of(new_person("bob"), SESSION)
    # The command waits for this one, until it dies.
    installation.silence(SESSION, "df-01")
    get_control(alice)
    choose(alice, "conf")
    alice.click("#controller-execute-button")
    alice.wait_text("#controller-form-result", "in progress")
    bob.wait_text("#controller-holder", "alice")
    ask_for_control(bob, "When you are through.")
    alice.wait_text("#control-asked", "conf is under way")
    assert not alice.find("#control-grant-button")[0].is_displayed()
    alice.click("#control-promise-button")
    bob.wait_text("#control-mine", "You get it as soon as conf has ended.")
    alice.click("#control-take-back-button")
    bob.wait_text("#control-mine", "It ends by itself")
    alice.click("#control-promise-button")
    bob.wait_text("#control-mine", "You get it as soon as conf has ended.")
    installation.kill(SESSION, "df-01")
    bob.wait_text("#control-news", "alice handed control of local-1x1-config over to you", 30)
    bob.wait_text("#controller-holder", "you")
    assert "took control" not in alice.text("#control-news")
