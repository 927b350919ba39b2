"""Pages on a phone: what they are for is on the first screen, without scrolling sideways."""

from collections.abc import Mapping

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, WIDE, Person
from tests.browser.test_feed import rows

SMALL = (360, 640)
PHONES = pytest.mark.parametrize("size", [NARROW, SMALL], ids=["400", "360"])
BOX = """
const found = document.querySelector(arguments[0]), box = found?.getBoundingClientRect();
return box && {left: box.left, right: box.right, top: box.top, bottom: box.bottom};
"""
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
    alice.wait_that(lambda: len(rows(alice, "id")) >= 3, 10, "messages in the feed")
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
