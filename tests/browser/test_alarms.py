"""Alarms in a browser: raised by what happens, seen on every page, answered by name, read with guidance."""

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, WIDE, Person

SESSION = "local-2x3-config"
WHOLE = (
    "document.querySelector('.cell-alarms .badge-state').getBoundingClientRect().right"
    " < document.querySelector('.strip-cells').getBoundingClientRect().right"
)


def read(person: Person, what: str) -> None:
    """Choose the alarm that says so, and wait until it is shown beside the list."""
    rows = "#alarms-grid .ag-center-cols-container .ag-row"
    person.wait_text("#alarms-grid", what, 20)
    place = next(place for place, text in enumerate(person.texts(rows)) if what in text)
    identity = person.find(rows)[place].get_attribute("row-id")
    person.click(f"{rows}[row-id='{identity}'] [col-id='subject']")
    person.wait_text("#alarms-details", what)


@pytest.mark.timeout(180)
def test_an_alarm_is_raised_read_shelved_and_acknowledged(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open("/")
    alice.wait(".session-card")
    victor = new_person("victor").open("/alarms")
    victor.wait_text("#alarms-sub", "none")
    installation.kill(SESSION, "df-03", exit_code=137)
    # Every page says so, also in the title of the tab.
    alice.wait_text(".cell-alarms", "medium")
    alice.wait_that(lambda: "alarm" in alice.driver.title, 10, "the title")
    # The strip has more to say than fits at some widths; it never cuts the alarms.
    for width in (1400, 1000, 800):
        alice.resize((width, 900))
        assert alice.driver.execute_script(f"return {WHOLE}"), width
    alice.resize(WIDE)
    alice.click(".strip-link")
    alice.wait_text("#alarms-grid", "df-03", 20)
    read(alice, "exit code 137")
    alice.wait_text("#alarms-details", "Read the last lines of its log")
    alice.click("#alarms-shelve")
    alice.wait_text("#alarms-result", "needs a reason")
    alice.wait("#alarms-reason").send_keys("spare part <b>ordered")
    alice.click("#alarms-shelve")
    alice.wait_text("#alarms-result", "1 alarm shelved")
    alice.wait_text("#alarms-details", "spare part <b>ordered")
    # What the others say of the lost process still waits.
    alice.wait_text("#alarms-sub", "1 answered")
    victor.wait_text("#alarms-grid", "shelved by alice")
    alice.click("#alarms-unshelve")
    alice.wait_text("#alarms-sub", "0 answered")
    # Who may only look is told so, and nothing happens.
    victor.click("#alarms-acknowledge-all")
    victor.wait_text("#notices", "may not")
    alice.click("#alarms-acknowledge-all")
    alice.wait_text("#alarms-result", "acknowledged, by alice")
    victor.wait_text("#alarms-grid", "acknowledged by alice")
    victor.wait_text(".cell-alarms", "none")


@pytest.mark.timeout(180)
def test_a_new_alarm_is_announced_once_a_burst_where_it_was_asked_for(
    new_person: NewPerson, installation: Installation
) -> None:
    alice = new_person("alice").open("/alarms")
    alice.wait_text("#alarms-rates", "in these ten minutes")
    count = "window.heard = 0; const Real = AudioContext; window.AudioContext = class extends Real {"
    alice.driver.execute_script(f"{count} constructor() {{ super(); window.heard += 1; }} }}")
    pressed = "[data-alarm-choice='sound-{}'][aria-pressed='true']"
    alice.wait(pressed.format("off"))
    alice.click("[data-alarm-choice='sound-on']")
    alice.wait(pressed.format("on"))
    tried = alice.driver.execute_script("return window.heard")
    assert tried == 1
    installation.kill(SESSION, "df-01", exit_code=1)
    alice.wait_that(lambda: alice.driver.execute_script("return window.heard") == tried + 1, 20, "a sound")
    installation.kill(SESSION, "df-02", exit_code=1)
    alice.wait_text("#alarms-grid", "df-02", 20)
    assert alice.driver.execute_script("return window.heard") == tried + 1


@pytest.mark.timeout(120)
def test_the_alarms_fit_a_phone(new_person: NewPerson) -> None:
    victor = new_person("victor").open("/alarms").resize(NARROW)
    victor.wait_text("#alarms-rates", "in these ten minutes")
    assert victor.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
