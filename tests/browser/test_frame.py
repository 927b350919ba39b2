"""The frame in a browser: it says when the server is gone, comes back by itself, and keeps what people were doing."""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, Person
from tests.waiting import wait_until

SESSION = "local-2x3-config"
LOST = "#connection-banner .banner-lost"
BACK = "#connection-banner .banner-back"


def go_offline(person: Person, *, offline: bool) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def grid(person: Person, expression: str) -> object:
    """Ask AG Grid about the table of processes."""
    return person.driver.execute_script(f"const api = dash_ag_grid.getApi('processes-grid'); {expression}")


def view_of_the_table(person: Person) -> object:
    """What a person has set up in the table: selection, order, filters, scroll position."""
    return grid(
        person,
        """return JSON.stringify([
            api.getSelectedRows().map(row => row.uuid).sort(),
            api.getColumnState().filter(column => column.sort).map(column => [column.colId, column.sort]),
            api.getFilterModel(),
            api.getVerticalPixelRange().top,
        ]);""",
    )


@pytest.mark.timeout(120)
def test_a_lost_connection_is_said_and_ends_without_a_reload(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/")
    alice.wait(".session-card")
    alice.wait_that(lambda: alice.text("#strip-age .age").endswith(" s"), 5, "the age of the data")
    alice.driver.execute_script("window.notReloaded = true")
    go_offline(alice, offline=True)
    said = alice.wait(LOST, 4).text
    assert "Connection to the console lost" in said
    assert "What you see is from" in said
    go_offline(alice, offline=False)
    alice.wait(BACK, 10)
    assert alice.driver.execute_script("return window.notReloaded") is True
    # Chromium itself complains about each request that failed meanwhile.
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in alice.problems())


@pytest.mark.timeout(120)
def test_the_table_keeps_what_a_person_set_up(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open("/processes").resize((1600, 500))
    alice.wait(".ag-row")
    alice.click(".ag-header-cell[col-id='name'] .ag-header-cell-label")
    grid(alice, "api.getDisplayedRowAtIndex(2).setSelected(true); api.ensureIndexVisible(20, 'top')")
    alice.wait_text("#processes-shown", "1 selected")
    before = view_of_the_table(alice)
    dead = alice.text("#processes-count-dead")
    installation.kill(SESSION, "tc-maker-1", exit_code=143)
    alice.wait_that(lambda: alice.text("#processes-count-dead") != dead, 10, "one more dead")
    terminated = "let n; api.forEachNode(row => { if (row.data.return_code === 143) n = row.data.name }); return n"
    alice.wait_that(lambda: grid(alice, terminated) == "tc-maker-1", 5, "which one, in the table")
    assert view_of_the_table(alice) == before


@pytest.mark.timeout(120)
def test_the_view_of_the_table_is_in_the_address(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/processes?q=ru-0")
    alice.wait(".ag-row")
    alice.click("[data-status='running']")
    alice.wait_that(lambda: "status=running" in alice.driver.current_url, 5, "the status in the address")
    assert "q=ru-0" in alice.driver.current_url
    shown = alice.text("#processes-shown")
    names = json.loads(
        str(grid(alice, "const n = []; api.forEachNodeAfterFilter(r => n.push(r.data.name)); return JSON.stringify(n)"))
    )
    assert names
    assert all("ru-0" in name for name in names)
    alice.driver.refresh()
    alice.wait_text("#processes-shown", shown)


@pytest.mark.timeout(120)
def test_theme_zone_and_keys_are_choices_that_stay(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/processes")
    alice.wait(".ag-row")
    alice.click(".user-menu-button")
    alice.click(".menu-right [data-theme-choice='light']")
    alice.click(".menu-right [data-keys-choice='off']")
    alice.driver.refresh()
    alice.wait(".ag-row")
    assert alice.driver.execute_script("return document.documentElement.dataset.bsTheme") == "light"
    body = alice.find("body")[0]
    body.send_keys("?")
    assert not alice.driver.execute_script("return document.getElementById('help-dialog').open")
    alice.click(".user-menu-button")
    alice.click(".menu-right [data-keys-choice='on']")
    body.send_keys(Keys.ESCAPE)
    body.send_keys("/")
    wait_until(lambda: alice.driver.switch_to.active_element.get_attribute("id") == "processes-search", 3, "the search")


@pytest.mark.timeout(120)
def test_a_session_is_kept_from_page_to_page(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/")
    alice.wait(".session-card")
    alice.click(".session-menu summary")
    alice.click(f".menu-item[href*='{SESSION}']")
    alice.wait_text("#strip-session-name", SESSION)
    alice.click(".rail a[href^='/processes']")
    alice.wait(".ag-row")
    assert f"session={SESSION}" in alice.driver.current_url
    assert alice.text("#strip-session-name") == SESSION
    alice.wait_that(lambda: "Processes" in alice.driver.title, 3, "the title of the tab")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("path", ["/", "/processes"])
def test_nothing_is_wider_than_a_phone(new_person: NewPerson, path: str) -> None:
    alice = new_person("alice").open(path).resize(NARROW)
    alice.wait(".session-card, .ag-row")
    assert alice.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    alice.click(".bottom-bar .more summary")
    assert "Log out" in alice.text(".sheet")
