"""What people see when something outside is gone: the last state, its age, which address it is, and the way back."""

import os
import signal
from collections.abc import Iterator

import pytest

from simulator.installation import Installation
from simulator.sessions import ROOT_CONTROLLER
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.console import Console, running_console
from tests.kafka import KafkaBroker, running_broker

SESSION = "local-1x1-config"
LINES = "#connection-backends .backend-line"
STATES = ".tree-row .tree-cell.is-state"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker of its own: it is stalled here."""
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def installation(broker: KafkaBroker) -> Iterator[Installation]:
    """An installation that talks all the time, and is stopped by the last test."""
    simulated = Installation((SESSION,), broker.address, chatter_hz=20)
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture(scope="module")
def console(
    broker: KafkaBroker, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """A console that watches them."""
    with running_console(
        tmp_path_factory.mktemp("console"),
        process_manager=installation.process_manager_address,
        connectivity=installation.connectivity_address,
        kafka=broker.address,
    ) as running:
        yield running


def lines(person: Person) -> str:
    """What stands above the page about addresses that do not answer."""
    return " ".join(person.texts(".backend-line"))


def newest(person: Person) -> int:
    """Id of the newest message in the feed."""
    script = """
        const ids = [];
        if (!document.querySelector('#messages-grid .ag-root')) return 0;
        dash_ag_grid.getApi('messages-grid').forEachNode(node => ids.push(Number(node.data.id)));
        return Math.max(0, ...ids);
    """
    return int(person.driver.execute_script(script))


@pytest.mark.timeout(120)
def test_kafka_gone_is_said_and_new_messages_come_when_it_is_back(new_person: NewPerson, broker: KafkaBroker) -> None:
    alice = new_person("alice").open("/messages?severity=FATAL,ERROR,WARNING,INFO,LOG,DEBUG")
    alice.wait_that(lambda: newest(alice) > 0, 10, "messages")
    broker.stall()
    try:
        alice.wait_that(lambda: broker.address in lines(alice), 15, "a line that names Kafka's address")
        kept = newest(alice)
    finally:
        broker.resume()
    alice.wait_that(lambda: newest(alice) > kept, 15, "new messages")
    alice.wait_that(lambda: broker.address not in lines(alice), 15, "the line to go")


@pytest.mark.timeout(120)
def test_a_console_that_hangs_is_said_and_comes_back(new_person: NewPerson, console: Console) -> None:
    alice = new_person("alice").open("/")
    alice.wait(".session-card")
    os.killpg(console.pid, signal.SIGSTOP)
    try:
        alice.wait("#connection-banner .banner-lost", 6)
    finally:
        os.killpg(console.pid, signal.SIGCONT)
    alice.wait("#connection-banner .banner-back", 15)
    alice.wait_gone("#connection-banner .banner-lost")


@pytest.mark.timeout(120)
def test_drunc_gone_leaves_the_last_state_with_its_age(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(f"/controller?session={SESSION}")
    alice.wait_that(lambda: len(alice.texts(STATES)) == 13, 10, "the tree")
    root, process_manager = installation.controller_address(SESSION), installation.process_manager_address
    # A root that stops after its children tells first that they are gone, and that would be the last state.
    installation.controller_down(SESSION, ROOT_CONTROLLER)
    installation.stop()
    alice.wait_that(lambda: root in lines(alice) and process_manager in lines(alice), 20, "lines that name both")
    alice.wait(".is-stale", 15)
    assert {text.strip() for text in alice.texts(STATES)} == {"initial"}
    alice.click("#controller-take-button")
    alice.wait_that(
        lambda: (
            "Nothing was sent" in alice.text("#controller-control-result")
            or "Nothing was changed" in alice.text("#controller-control-result")
        ),
        10,
        "the refusal",
    )
