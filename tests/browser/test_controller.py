"""The controller page in a browser: nodes, sequences, the check before a start, and control between people."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.kafka import KafkaBroker

SMALL, LARGE = "local-1x1-config", "local-2x3-config"
ROW = ".tree-row[data-path$='/{}']"


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """One session of G1, which can do less, and one of G3."""
    simulated = Installation(kafka_address=kafka_broker.address, time_scale=0.3, generations={LARGE: "G3"})
    simulated.start()
    yield simulated
    simulated.stop()


def page_of(person: Person, session: str) -> Person:
    person.open(f"/controller?session={session}")
    person.wait_that(lambda: len(person.find(".tree-row")) > 5, 15, "the tree")
    return person


def get_control(person: Person, reason: str = "It is my turn.") -> None:
    """Take control from whoever has it; from another person with a reason."""
    person.wait("#controller-holder .holder")
    if "you" in person.text("#controller-holder"):
        return
    person.click("#controller-take-button[aria-disabled='false']")
    person.wait_that(
        lambda: ", took" in person.text("#controller-control-result") or bool(person.find("#controller-take-dialog")),
        10,
        "an answer to taking control",
    )
    if person.find("#controller-take-dialog"):
        person.wait("#controller-take-reason-input").send_keys(reason)
        person.click("#controller-take-confirm-button")
    person.wait_text("#controller-control-result", ", took")
    person.wait_text("#controller-holder", "you")


def act(person: Person, action: str) -> None:
    person.click(f'button[id*=\'"key":"{action}"\'][aria-disabled="false"]')


def wait_row(person: Person, node: str, *, excluded: bool) -> None:
    person.wait_that(
        lambda: ("excluded" in person.text(ROW.format(node))) is excluded, 10, f"{node} with excluded {excluded}"
    )


@pytest.mark.timeout(180)
def test_nodes_are_excluded_and_included_together(new_person: NewPerson) -> None:
    alice = page_of(new_person("alice"), LARGE)
    get_control(alice)
    alice.click(ROW.format("df-01"))
    alice.wait_text("#controller-node", "df-controller/df-01")
    alice.click(f"{ROW.format('ru-02')} .tree-check")
    alice.wait_text("#controller-node-actions-title", "2 nodes selected")
    act(alice, "exclude")
    result = alice.wait_text("#controller-node-result", ", took")
    assert "exclude" in result
    for node in ("df-01", "ru-02"):
        wait_row(alice, node, excluded=True)
    # The answers stay, and so does the selection.
    assert alice.text("#controller-node-actions-title") == "2 nodes selected"
    act(alice, "include")
    for node in ("df-01", "ru-02"):
        wait_row(alice, node, excluded=False)


@pytest.mark.timeout(180)
def test_what_cannot_be_done_to_a_node_says_why(new_person: NewPerson) -> None:
    bob = page_of(new_person("bob"), SMALL)
    exclude = 'button[id*=\'"key":"exclude"\']'
    assert bob.wait(exclude).get_attribute("title") == "Select nodes in the tree first."
    get_control(bob)
    bob.click(ROW.format("df-01"))
    bob.wait_text("#controller-node-obstacle", "df-01 by itself")
    assert bob.wait(exclude).get_attribute("aria-disabled") == "true"
    bob.click(ROW.format("df-controller"))
    bob.wait(f"{exclude}[aria-disabled='false']")


@pytest.mark.timeout(180)
def test_the_tree_is_searched_and_selected_by_keyboard(new_person: NewPerson) -> None:
    alice = page_of(new_person("alice"), LARGE)
    alice.wait("#controller-search").send_keys("df-0")
    alice.wait_text("#controller-found", "3 found")
    assert alice.texts(".tree-row:not([hidden]) .is-node") == [
        "root-controller",
        "df-controller",
        "df-01",
        "df-02",
        "df-03",
    ]
    first = alice.wait(".tree-row[tabindex='0']")
    first.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    alice.driver.switch_to.active_element.send_keys(Keys.SPACE)
    alice.wait_text("#controller-node-actions-title", "df-01")
    alice.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    alice.wait_text("#controller-node-actions-title", "nothing selected")


@pytest.mark.timeout(120)
def test_what_has_an_age_no_more_is_not_struck_any_more(new_person: NewPerson) -> None:
    alice = page_of(new_person("alice"), SMALL)
    # As when a command begins while the last poll is late: its drawing tells no age.
    script = """
        const known = document.querySelector('#controller-tree [data-stale-after-s]');
        known.classList.add('is-stale');
        ['data-at-ms', 'data-stale-after-s'].forEach(name => known.removeAttribute(name));
        window.known = known;
    """
    alice.driver.execute_script(script)
    struck = "return window.known.classList.contains('is-stale')"
    alice.wait_that(lambda: not alice.driver.execute_script(struck), 5, "the mark to go")


def fill(person: Person, argument: str, value: str) -> None:
    field = person.wait(f'#controller-form input[id*=\'"key":"{argument}"\']')
    field.clear()
    field.send_keys(value)


def choose(person: Person, name: str) -> None:
    """Open the form of a transition or sequence."""
    person.click(f'button[id*=\'"key":"{name}"\']')
    person.wait_text("#controller-form-head", name)


@pytest.mark.timeout(180)
def test_a_sequence_stops_at_the_step_that_fails(new_person: NewPerson, installation: Installation) -> None:
    installation.fail(SMALL, "start", "df-01")
    # Long enough to be seen under way, however busy the machine.
    installation.slow(SMALL, "conf", 5.0)
    alice = page_of(new_person("alice"), SMALL)
    get_control(alice)
    choose(alice, "start_run")
    alice.click("#controller-execute-button")
    # A mandatory argument of a later step is asked for before the first one is sent.
    alice.wait_text("#controller-form", "run_number is mandatory")
    fill(alice, "run_number", "31428")
    alice.click("#controller-execute-button")
    alice.wait_that(lambda: "in progress" in alice.text("#controller-progress .steps"), 10, "the steps under way")
    installation.slow(SMALL, "conf", 0.0)
    result = alice.wait_text("#controller-form-result", ", took", 30)
    assert "Stopped at start" in result
    steps = alice.texts("#controller-form-result .command-steps .command-node")
    assert [step.split(maxsplit=1)[0] for step in steps] == ["conf", "start", "enable_triggers"]
    assert ["done" in steps[0], "failed" in steps[1], "not reached" in steps[2]] == [True] * 3
    assert "df-01" in result


@pytest.mark.timeout(180)
def test_a_start_is_kept_back_while_a_process_is_dead(new_person: NewPerson, installation: Installation) -> None:
    alice = page_of(new_person("alice"), LARGE)
    get_control(alice)
    choose(alice, "start_run")
    fill(alice, "run_number", "31429")
    alice.wait_text("#controller-preflight", "Before start_run: go")
    installation.kill(LARGE, "ru-01", exit_code=255)
    alice.wait_text("#controller-preflight", "ru-01 dead")
    assert "no-go" in alice.text("#controller-preflight .check-head")
    alice.click("#controller-execute-button")
    assert "ru-01 dead" in alice.wait_text("#controller-form-result", "Nothing was sent")
    # Somebody who knows better may: the box stands beside the button.
    assert alice.wait("#controller-in-spite-input").is_displayed()


def ask_for_control(person: Person, reason: str) -> None:
    person.click("#controller-ask-button[aria-disabled='false']")
    person.wait("#controller-ask-reason-input").send_keys(reason)
    person.click("#controller-ask-send-button")
    person.wait_text("#control-mine", "You asked alice")


@pytest.mark.timeout(240)
def test_control_is_asked_for_declined_granted_and_forced(new_person: NewPerson) -> None:
    alice, bob = page_of(new_person("alice"), SMALL), page_of(new_person("bob"), SMALL)
    get_control(alice)
    bob.wait_text("#controller-holder", "alice")
    ask_for_control(bob, "Night shift takes over.")
    # The holder is asked on every page.
    alice.open("/messages")
    alice.wait_text("#control-asked", "bob asks for control of local-1x1-config")
    assert "Night shift takes over." in alice.text("#control-asked")
    alice.wait("#control-answer-input").send_keys("Calibration, ten minutes.")
    alice.click("#control-decline-button")
    alice.wait_gone("#control-asked")
    bob.wait_text("#control-news", "alice keeps control of local-1x1-config. \u201cCalibration, ten minutes.\u201d")
    assert "alice" in bob.text("#controller-holder")

    ask_for_control(bob, "And now?")
    alice.wait_text("#control-asked", "And now?")
    alice.click("#control-grant-button")
    bob.wait_text("#controller-holder", "you")
    bob.wait_text("#control-news", "alice handed control of local-1x1-config over to you")
    # It went in good order: nobody lost anything.
    alice.wait_text("#strip", "bob")
    assert "took control" not in alice.text("#control-news")

    page_of(alice, SMALL)
    get_control(alice, reason="bob is at lunch")
    bob.wait_text("#control-news", "alice took control of local-1x1-config from you")
    assert "bob is at lunch" in bob.text("#control-news")


@pytest.mark.timeout(180)
def test_control_lost_to_a_shell_is_told_and_commands_are_refused(
    new_person: NewPerson, installation: Installation
) -> None:
    alice = page_of(new_person("alice"), SMALL)
    get_control(alice, reason="My turn again")
    installation.steal(SMALL, "shell_user")
    alice.wait_text("#control-news", "shell_user took control of local-1x1-config from you")
    assert "another program" in alice.text("#control-news")
    alice.wait_text("#strip", "shell_user")
    choose(alice, "conf")
    alice.click("#controller-execute-button")
    refusal = alice.wait_text("#controller-form-result", "shell_user is in control")
    assert "Nothing was sent" in refusal
