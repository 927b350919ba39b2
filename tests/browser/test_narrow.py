"""Pages on a phone: what they are for is on the first screen, without scrolling sideways."""

from collections.abc import Mapping

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, WIDE, Person
from tests.browser.test_feed import rows
from tests.browser.test_main_job import SESSION

SMALL = (360, 640)
PHONES = pytest.mark.parametrize("size", [NARROW, SMALL], ids=["400", "360"])
BOX = """
const found = document.querySelector(arguments[0]), box = found?.getBoundingClientRect();
return box && {left: box.left, right: box.right, top: box.top, bottom: box.bottom};
"""
ALARMS = "#alarms-grid .ag-center-cols-container .ag-row"
FOLD = "#messages-filters-button"
SEVERITIES = "#messages-severity-checklist"


def box(person: Person, css: str) -> Mapping[str, float]:
    """Where an element is in the window, pixels."""
    person.wait(css)
    found: Mapping[str, float] = person.driver.execute_script(BOX, css)
    return found


@PHONES
@pytest.mark.timeout(120)
def test_the_feed_begins_on_the_first_screen(
    new_person: NewPerson, installation: Installation, size: tuple[int, int]
) -> None:
    installation.flood(3, severity="ERROR")
    alice = new_person("alice").resize(size).open("/messages?severity=FATAL,ERROR&muted=show")
    alice.wait_that(lambda: len(rows(alice, "id")) >= 3, 30, "messages in the feed")
    alice.wait_text("#messages-filters-set", "2 set: severity, show muted")
    first, bar = box(alice, "#messages-grid .ag-row"), box(alice, ".bottom-bar")
    assert first["bottom"] <= bar["top"]
    text = box(alice, "#messages-grid .ag-row .message-text")
    assert 0 <= text["left"] < text["right"] <= size[0]

    fold = alice.wait(FOLD)
    assert fold.get_attribute("aria-expanded") == "false"
    assert not alice.find(SEVERITIES)[0].is_displayed()
    fold.send_keys(Keys.ENTER)
    alice.wait(SEVERITIES)
    assert fold.get_attribute("aria-expanded") == "true"
    alice.click("#messages-muted-checklist input")
    alice.wait_text("#messages-filters-set", "1 set: severity")
    fold.send_keys(Keys.ENTER)
    alice.wait_gone(SEVERITIES)
    alice.resize(WIDE)
    assert alice.wait(SEVERITIES).is_displayed()
    assert not fold.is_displayed()


@PHONES
@pytest.mark.timeout(120)
def test_an_alarm_is_read_without_scrolling_sideways(
    new_person: NewPerson, installation: Installation, size: tuple[int, int]
) -> None:
    installation.flood(1, severity="ERROR")
    victor = new_person("victor").resize(size).open("/alarms")
    victor.wait_text(f"{ALARMS} .alarm-what", "Flood", 30)
    victor.wait_gone("#alarms-grid [col-id='subject']")
    for part in (f"{ALARMS} .alarm-what", f"{ALARMS} [col-id='at_ms']", "#alarms-acknowledge-all"):
        place = box(victor, part)
        assert 0 <= place["left"] < place["right"] <= size[0]
        assert place["bottom"] <= box(victor, ".bottom-bar")["top"]
    told = victor.text(f"{ALARMS} .alarm-what")
    assert told.startswith("medium\n")
    assert told.endswith("-config, active")
    # Wide again, each has its column again.
    victor.resize(WIDE)
    victor.wait("#alarms-grid [col-id='subject']")
    assert victor.text(f"{ALARMS} .alarm-what") in told.splitlines()


@PHONES
@pytest.mark.timeout(120)
def test_a_process_and_its_status_are_seen_without_scrolling_sideways(
    new_person: NewPerson, size: tuple[int, int]
) -> None:
    victor = new_person("victor").resize(size).open(f"/processes?q={SESSION}%20tp-stream-writer")
    row = "#processes-grid .ag-center-cols-container .ag-row"
    victor.wait(f"{row} .process-name", 30)
    # The columns were moved together for the phone.
    victor.wait_that(lambda: box(victor, f"{row} [col-id='session']")["left"] < size[0], 10, "narrow columns")
    assert victor.text(f"{row} [col-id='name']") == "tp-stream-writer"
    for part in (
        "[col-id='name'] .process-name",
        "[col-id='status'] .badge-state",
        "[col-id='session'] .ag-cell-value",
    ):
        place = box(victor, f"{row} {part}")
        assert 0 <= place["left"] < place["right"] <= size[0]
    assert victor.texts("#notices > *") == []
    name, status = box(victor, f"{row} .process-name"), box(victor, f"{row} [col-id='status']")
    assert name["right"] <= status["left"]
