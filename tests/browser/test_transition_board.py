"""The transition board in a browser: what failed stands out, and its cell leads to answer, log and messages of then."""

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.browser.test_controller import choose, fill, get_control, page_of
from tests.browser.test_feed import rows
from tests.kafka import KafkaBroker

SESSION = "local-1x1-config"
FAILED = "#controller-board td.is-failed"
CELLS = "#controller-board [data-run]"
PANEL = "#controller-cell-panel"
# Longer than messages from before a transition are shown with it.
CONF_S = 6.0


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """One session; its first transition takes a while."""
    simulated = Installation((SESSION,), kafka_broker.address, time_scale=0.3)
    simulated.start()
    simulated.slow(SESSION, "conf", CONF_S)
    yield simulated
    simulated.stop()


def execute(person: Person, transition: str, **arguments: str) -> str:
    """Send a transition and return what came of it."""
    choose(person, transition)
    for name, value in arguments.items():
        fill(person, name, value)
    person.click("#controller-execute-button")
    person.wait_that(
        lambda: transition in (said := person.text("#controller-form-result")) and ", took" in said,
        30,
        f"the end of {transition}",
    )
    return person.text("#controller-form-result")


def cell_of(person: Person, node: str, column: int) -> Any:
    """The cell of a node, as Selenium's element: 0 is the name."""
    script = """
        const named = [...document.querySelectorAll('#controller-board [data-node]')];
        return named.find(name => name.innerText === arguments[0]).closest('tr').cells[arguments[1]];
    """
    return person.driver.execute_script(script, node, column)


def focused(person: Person) -> Any:
    return person.driver.switch_to.active_element


@pytest.mark.timeout(240)
def test_a_failed_cell_leads_to_its_answer_its_log_and_its_messages_of_then(
    new_person: NewPerson, installation: Installation
) -> None:
    alice = page_of(new_person("alice"), SESSION)
    get_control(alice)
    installation.raise_issue(SESSION, "df-01", "WARNING", "long before the start")
    execute(alice, "conf")
    installation.raise_issue(SESSION, "df-01", "ERROR", "no space left on device")
    installation.raise_issue(SESSION, "ru-01", "ERROR", "said by another")
    installation.write_log(SESSION, "df-01", ["ERROR no space left on device"])
    installation.fail(SESSION, "start", "df-01")
    assert "df-01" in execute(alice, "start", run_number="31430")

    # Two columns: the failed one says so by word, in its head and at the node.
    alice.wait_that(lambda: len(alice.find("#controller-board thead th")) == 3, 10, "two transitions")
    heads = alice.texts("#controller-board thead th")
    assert ["conf" in heads[1], "failed" in heads[1]] == [True, False]
    assert ["start" in heads[2], "failed" in heads[2], "run 31430" in heads[2]] == [True] * 3
    failed = cell_of(alice, "df-01", 2)
    assert "failed" in failed.text
    assert "failed" not in cell_of(alice, "df-01", 1).text
    assert "failed" in failed.accessible_name

    failed.click()
    said = alice.wait_text(PANEL, "Answer")
    assert "df-01, start" in said
    assert "FSM_FAILED" in said
    assert failed.get_attribute("aria-selected") == "true"

    alice.click(f"{PANEL} a[href*='/log']")
    alice.wait_text("#log-grid", "no space left on device")
    assert "df-01" in alice.text("main h1") + alice.text("#log-head")

    alice.driver.back()
    alice.wait(FAILED)
    cell_of(alice, "df-01", 2).click()
    alice.wait_text(PANEL, "df-01, start")
    alice.click(f"{PANEL} a[href^='/messages']")
    alice.wait_that(
        lambda: any("no space left on device" in text for text in rows(alice, "text")), 20, "the node's message"
    )
    assert set(rows(alice, "application")) == {"df-01"}
    assert not any("long before" in text or "by another" in text for text in rows(alice, "text"))
    # Without the time they are there: the filter kept them away, and nothing else.
    alice.open(f"/messages?session={SESSION}&application=df-01")
    alice.wait_that(lambda: any("long before" in text for text in rows(alice, "text")), 20, "what was said before")


@pytest.mark.timeout(180)
def test_the_board_is_walked_through_by_keyboard(new_person: NewPerson, installation: Installation) -> None:
    alice = page_of(new_person("alice"), SESSION)
    alice.wait(CELLS)
    stops = alice.find("#controller-board [tabindex='0']")
    assert [stop.text for stop in stops] == ["root-controller"]
    stops[0].send_keys(Keys.ARROW_RIGHT)
    assert focused(alice).get_attribute("data-run")
    focused(alice).send_keys(Keys.ARROW_DOWN)
    assert focused(alice) != stops[0]
    focused(alice).send_keys(Keys.ENTER)
    title = alice.wait_text("#controller-cell-title", ", conf")
    chosen = focused(alice)
    assert (chosen.get_attribute("aria-selected"), chosen.aria_role) == ("true", "gridcell")
    assert len(alice.find("#controller-board [tabindex='0']")) == 1
    # The last one to the left is the name: Enter selects the node in the tree.
    chosen.send_keys(Keys.ARROW_LEFT)
    node = focused(alice).text
    assert title.startswith(f"{node},")
    cell_of(alice, node, 1).click()
    alice.wait_gone(PANEL)
    cell_of(alice, node, 1).click()
    alice.wait(PANEL)
    alice.click("#controller-cell-close-button")
    alice.wait_gone(PANEL)
    assert focused(alice) == cell_of(alice, node, 1)
    focused(alice).send_keys(Keys.ARROW_LEFT)
    focused(alice).send_keys(Keys.ENTER)
    alice.wait_text("#controller-node-title", node)
