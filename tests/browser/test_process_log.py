"""The log of a process in a browser: followed, searched, linked, a hundred thousand lines, and never markup."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.console import Console
from tests.waiting import wait_until

SESSION = "local-1x1-config"
MANY = 100_000
GRID = "const api = window.dash_ag_grid.getApi('log-grid'); "


def look_at(person: Person, console: Console, name: str, query: str = "", timeout_s: float = 30) -> Person:
    """Open the log of a process of the session by its UUID."""

    def uuid() -> str:
        items = console.log_in("alice").get(f"{console.url}/api/v1/processes", timeout=10).json()["items"]
        return next((str(item["uuid"]) for item in items if (item["session"], item["name"]) == (SESSION, name)), "")

    found = person.wait_for(uuid, 20, f"{name} among the processes")
    person.open(f"/processes/{found}/log?session={SESSION}{query}")
    person.wait("#log-grid .ag-row", timeout_s)
    return person


def grid(person: Person, expression: str) -> object:
    return person.driver.execute_script(f"{GRID} return {expression}")


def last_line(person: Person) -> str:
    return str(grid(person, "api.getDisplayedRowAtIndex(api.getDisplayedRowCount() - 1)?.data.text ?? ''"))


def is_at_end(person: Person) -> bool:
    return bool(grid(person, "api.getLastDisplayedRowIndex() >= api.getDisplayedRowCount() - 1"))


def top(person: Person) -> object:
    return grid(person, "api.getVerticalPixelRange().top")


@pytest.mark.timeout(180)
def test_a_log_is_followed_but_never_moves_under_a_reader(
    new_person: NewPerson, console: Console, installation: Installation
) -> None:
    installation.write_log(SESSION, "df-01", [f"INFO line {number}" for number in range(300)])
    alice = look_at(new_person("alice"), console, "df-01")
    alice.wait_text(".page-sub", "df-01")
    alice.wait_that(lambda: is_at_end(alice), 10, "the end of the log")
    installation.write_log(SESSION, "df-01", ["ERROR <b>this</b> is text"])
    alice.wait_that(lambda: last_line(alice) == "ERROR <b>this</b> is text", 10, "the new line")
    alice.wait_that(lambda: is_at_end(alice), 5, "the view to follow")
    alice.wait("#log-grid .row-error .log-text")
    assert alice.find("#log-grid .log-text b") == []

    alice.driver.execute_script(f"{GRID} api.ensureIndexVisible(100, 'top')")
    alice.wait_that(lambda: not is_at_end(alice), 5, "another place")
    before = top(alice)
    installation.write_log(SESSION, "df-01", ["WARNING below"])
    alice.wait_that(lambda: last_line(alice) == "WARNING below", 10, "the line below")
    assert top(alice) == before
    alice.click("#log-end-button")
    alice.wait_that(lambda: is_at_end(alice), 5, "the end")

    alice.click("#log-follow")
    installation.write_log(SESSION, "df-01", ["INFO while paused"])
    alice.click("#log-wrap")
    alice.wait("#log-grid .ag-cell-wrap-text")
    assert last_line(alice) == "WARNING below"
    alice.click("#log-follow")
    alice.wait_that(lambda: last_line(alice) == "INFO while paused", 10, "no gap after the pause")


@pytest.mark.timeout(180)
def test_search_link_and_download(
    new_person: NewPerson, console: Console, installation: Installation, tmp_path: Path
) -> None:
    installation.write_log(SESSION, "tc-maker-1", [f"record {number} (a.b)" for number in range(500)])
    alice = look_at(new_person("alice"), console, "tc-maker-1")
    alice.driver.switch_to.active_element.send_keys("/")
    alice.driver.switch_to.active_element.send_keys("record 7")
    alice.wait_text("#log-found", "1 of 11 found")
    alice.driver.switch_to.active_element.send_keys(Keys.ENTER)
    alice.wait_text("#log-found", "2 of 11 found")
    assert set(alice.texts("#log-grid mark")) == {"record 7"}
    alice.click("#log-previous-button")
    alice.wait_text("#log-found", "1 of 11 found")
    alice.click("#log-only")
    alice.wait_that(lambda: grid(alice, "api.getDisplayedRowCount()") == 11, 5, "only the lines found")
    # What means something in an expression is plain text here.
    field = alice.wait("#log-search")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("333 (a.")
    alice.wait_text("#log-found", "1 of 1 found")

    address = alice.wait("#log-link a").get_attribute("href")
    parts = urlsplit(str(address))
    installation.write_log(SESSION, "tc-maker-1", [f"later {number}" for number in range(50)])
    bob = new_person("bob").open(f"{parts.path}?{parts.query}")
    bob.wait("#log-grid .ag-row", 20)
    bob.wait_that(
        lambda: grid(bob, "api.getSelectedRows().map(row => row.text).join()") == "record 333 (a.b)", 20, "the line"
    )
    bob.click("#log-download-button")
    files = wait_until(lambda: list(tmp_path.glob("log-*.txt")), 10, "the file")
    assert files is not None
    assert "record 499 (a.b)\n" in files[0].read_text()


@pytest.mark.timeout(300)
def test_a_hundred_thousand_lines_are_a_window_of_some(
    new_person: NewPerson, console: Console, installation: Installation
) -> None:
    installation.write_log(SESSION, "ru-01", (f"INFO record {number}" for number in range(MANY)))
    # All lines come in one answer, through two programs in Python: on a slow machine that takes half a minute.
    alice = look_at(new_person("alice"), console, "ru-01", f"&lines={MANY}", timeout_s=120)
    alice.wait_that(lambda: grid(alice, "api.getDisplayedRowCount()") == MANY, 10, "all lines")
    assert len(alice.find("#log-grid .ag-center-cols-container .ag-row")) < 120
    alice.driver.execute_script(f"{GRID} api.ensureIndexVisible(0)")
    field = alice.wait("#log-search")
    field.send_keys("record 98765")
    alice.wait_text("#log-found", "1 of 1 found", 20)
    alice.wait("#log-grid mark")


@pytest.mark.timeout(120)
def test_what_cannot_be_read_says_why(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/processes/nobody/log")
    alice.wait_text("#log-problem", "This log cannot be read any more")
    alice.wait_text("#log-problem", "killed or flushed")
    victor = new_person("victor").open("/processes/nobody/log")
    victor.wait_text("#log-problem", "You may not read logs")


@pytest.mark.timeout(120)
def test_the_table_leads_to_the_log_without_a_reload(new_person: NewPerson) -> None:
    alice = new_person("alice").open(f"/processes?session={SESSION}&q={SESSION} df-controller")
    alice.wait("#processes-grid .ag-row")
    alice.driver.execute_script("window.notReloaded = true")
    alice.click("#processes-grid .ag-row [col-id=log] a")
    alice.wait_text(".page-sub", "df-controller")
    alice.wait("#log-grid .ag-row", 20)
    assert alice.driver.execute_script("return window.notReloaded")
    assert f"session={SESSION}" in alice.driver.current_url
