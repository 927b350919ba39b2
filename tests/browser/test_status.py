"""The status page in a browser: it follows what happens by itself, and shows bytes from outside as text."""

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW

TOPIC = "control.local-2x3-config.df-03"


@pytest.mark.timeout(120)
def test_the_status_follows_the_pipeline(new_person: NewPerson, installation: Installation) -> None:
    victor = new_person("victor").open("/")
    victor.wait(".session-card")
    victor.click(".rail a[href^='/status']")
    victor.wait_text("#status-workers", "run control")
    victor.wait_text("#status-addresses", "process manager")
    victor.wait_text("#status-topics", "control.local-2x3-config.root-controller")
    victor.wait_text("#status-quarantine", "The quarantine is empty")
    victor.driver.execute_script("window.notReloaded = true")
    installation.publish_raw(TOPIC, b"<img src=x onerror=alert(1)> is no message")
    victor.wait_text("#status-quarantine", f"{TOPIC}[0]")
    victor.click("#status-quarantine summary")
    victor.wait_text("#status-quarantine pre", "<img src=x onerr")
    assert victor.find("#status-quarantine img") == []
    reported = victor.text("#status-topics")
    victor.wait_that(lambda: victor.text("#status-topics") != reported, 10, "the next report")
    # What was opened stays open through updates.
    assert victor.find("#status-quarantine details[open]")
    # An empty record is one as well: the page goes on.
    installation.publish_raw(TOPIC, b"")
    victor.wait_text("#status-quarantine", "empty")
    assert victor.driver.execute_script("return window.notReloaded") is True


@pytest.mark.timeout(120)
def test_the_status_fits_a_phone(new_person: NewPerson) -> None:
    victor = new_person("victor").open("/status").resize(NARROW)
    victor.wait_text("#status-workers", "retention")
    # In neither direction: what is only for screen readers would else scroll the frame away.
    root = "document.documentElement.scroll"
    assert victor.driver.execute_script(f"return {root}Width <= innerWidth && {root}Height <= innerHeight")
    assert victor.texts("#status-workers thead th")[0] == "Worker"
    victor.click(".bottom-bar .more summary")
    assert "Status" in victor.text(".sheet")
