"""The page Processes in a browser: what runs is ended after a question, in a run with its number; also by keyboard."""

from functools import partial

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, Person
from tests.browser.test_main_job import execute, take_control

RUNNING, IDLE = "local-2x3-config", "local-1x1-config"
SELECTION = "#processes-selection"
KILL = "#processes-kill-button"
CONFIRM = "#processes-confirm-button"
NEWEST = "#processes-commands details.command"


def look_at(person: Person, session: str, *names: str, find: str = "") -> Person:
    """Open the page with the processes of a session that hold ``find``, and select some of them."""
    person.open(f"/processes?session={session}&q={session} {find}".rstrip())
    for name in names:
        person.wait_that(partial(select, person, name), 20, f"{name} in the table")
    if names:
        person.wait_text(SELECTION, f"{len(names)} selected")
    return person


def select(person: Person, name: str) -> bool:
    """Tick the box of a process, as soon as its row is there."""
    try:
        for row in person.find("#processes-grid .ag-center-cols-container .ag-row"):
            if row.text.split("\n", 1)[0].strip() == name:
                number = row.get_attribute("row-index")
                person.find(f"#processes-grid .ag-row[row-index='{number}'] .ag-checkbox-input")[0].click()
                return True
    except (StaleElementReferenceException, IndexError):
        # The row was drawn anew.
        pass
    return False


def exits(person: Person) -> dict[str, str]:
    """Return what the table knows, also out of sight: the names of the session that is searched, and their exits."""
    script = """
        const found = {};
        const api = window.dash_ag_grid.getApi("processes-grid");
        api.forEachNodeAfterFilter(row => found[row.data.name] = row.data.exit);
        return found;
    """
    return dict(person.driver.execute_script(script))


def focused_id(person: Person) -> str:
    return str(person.driver.execute_script("return document.activeElement.id"))


@pytest.mark.timeout(240)
def test_a_kill_during_a_run_takes_its_number(new_person: NewPerson) -> None:
    alice = new_person("alice").open(f"/controller?session={RUNNING}")
    take_control(alice)
    for transition, number in (("conf", ""), ("start", "31427")):
        if number:
            alice.click(f'button[id*=\'"key":"{transition}"\']')
            alice.wait('input[id*=\'"key":"run_number"\']').send_keys(number)
            alice.click("#controller-execute-button")
        else:
            execute(alice, transition)
        alice.wait_text("#controller-form-result", ", took", 20)

    look_at(alice, RUNNING, "df-01", "df-02", find="df-0")
    alice.wait_text(SELECTION, "run 31427 is on")
    alice.wait_text("#processes-reasons", "Kill asks for 31427")
    alice.wait_text(KILL, "Kill 2…")
    alice.click(KILL)
    alice.wait_text("#processes-dialog-title", "Kill 2 processes while run 31427 is on?")
    assert alice.texts(".stake-list .strong") == ["df-01", "df-02"]
    assert focused_id(alice) != CONFIRM.removeprefix("#")

    field = alice.wait("#processes-typed-input")
    field.send_keys("3142")
    alice.wait_text("#processes-typed-hint", "4 of 5")
    field.send_keys(Keys.ENTER)
    assert alice.wait(CONFIRM).get_attribute("aria-disabled") == "true"
    field.send_keys("7")
    alice.click(f"{CONFIRM}[aria-disabled=false]")

    result = alice.wait_text(NEWEST, ", took", 20)
    for part in ("kill", "by alice", "2 of 2 processes killed", "df-01", "df-02"):
        assert part in result
    alice.wait_gone("#processes-dialog-title")
    alice.wait_text(SELECTION, "None selected")
    alice.wait_that(lambda: set(exits(alice)) == {"df-03"}, 10, "the killed processes to leave")


@pytest.mark.timeout(120)
def test_all_by_keyboard(new_person: NewPerson) -> None:
    alice = look_at(new_person("alice"), IDLE, find="tc-maker-1")
    alice.click("#processes-grid .ag-row [col-id=name]")
    alice.driver.switch_to.active_element.send_keys(Keys.SPACE)
    alice.wait_text(SELECTION, "tc-maker-1")
    alice.driver.execute_script("document.querySelector(arguments[0]).focus()", KILL)
    alice.driver.switch_to.active_element.send_keys(Keys.ENTER)
    alice.wait_text("#processes-dialog-title", "Kill tc-maker-1?")
    alice.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    alice.wait_gone("#processes-dialog-title")
    alice.driver.execute_script("document.querySelector(arguments[0]).focus()", KILL)
    alice.driver.switch_to.active_element.send_keys(Keys.ENTER)
    alice.wait_text("#processes-dialog-title", "Kill tc-maker-1?")
    # From the first thing in the dialog on, the button that ends it is the last.
    for _ in range(6):
        alice.driver.switch_to.active_element.send_keys(Keys.TAB)
        if focused_id(alice) == CONFIRM.removeprefix("#"):
            break
    alice.driver.switch_to.active_element.send_keys(Keys.ENTER)
    alice.wait_text(NEWEST, ", took", 20)
    alice.wait_that(lambda: exits(alice) == {}, 10, "the killed process to leave")


@pytest.mark.timeout(120)
def test_a_dead_process_says_why_and_is_restarted_then_flushed(
    new_person: NewPerson, installation: Installation
) -> None:
    installation.kill(IDLE, "mlt", exit_code=137)
    alice = look_at(new_person("alice"), IDLE, "mlt", find="mlt")
    alice.wait_that(lambda: exits(alice) == {"mlt": "137 killed (SIGKILL)"}, 20, "what ended it")
    alice.wait_text("#processes-grid", "Last lines")
    alice.wait_that(lambda: alice.text("#processes-restart-button") == "Restart", 10, "a restart without a question")
    alice.click("#processes-restart-button[aria-disabled=false]")
    alice.wait_text(NEWEST, "restart", 20)
    alice.wait_text(NEWEST, ", took", 20)
    alice.wait_that(lambda: exits(alice) == {"mlt": ""}, 10, "it to run again")

    installation.kill(IDLE, "mlt", exit_code=0)
    alice.wait_text("#processes-flush-button", "Flush 1 dead", 20)
    alice.click("#processes-flush-button[aria-disabled=false]")
    alice.wait_text(NEWEST, "flush dead", 20)
    alice.wait_that(lambda: exits(alice) == {}, 10, "it to leave the list")


@pytest.mark.timeout(120)
def test_a_trial_is_booted_and_its_session_terminated(new_person: NewPerson) -> None:
    alice = look_at(new_person("alice"), "trial")
    alice.click("#processes-boot-button[aria-disabled=false]")
    alice.wait_text("#processes-boot-confirm-button", "Boot 1 process")
    assert alice.wait("#processes-boot-session").get_attribute("value") == "trial"
    field = alice.wait("#processes-boot-processes")
    field.send_keys(Keys.BACKSPACE, "2")
    alice.wait_text("#processes-boot-confirm-button", "Boot 2 processes")
    alice.click("#processes-boot-confirm-button")
    alice.wait_that(lambda: set(exits(alice)) == {"dummy_boot_0", "dummy_boot_1"}, 20, "both processes")
    alice.click("#processes-end-button[aria-disabled=false]")
    alice.wait_text("#processes-dialog-title", "Terminate trial with its 2 processes?")
    alice.click(f"{CONFIRM}[aria-disabled=false]")
    alice.wait_text(NEWEST, "2 of 2 processes killed", 20)
    alice.wait_that(lambda: exits(alice) == {}, 10, "the trial to be gone")


@pytest.mark.timeout(120)
def test_who_may_only_look_is_told_why(new_person: NewPerson) -> None:
    victor = look_at(new_person("victor"), IDLE, "df-01", find="df-01")
    victor.wait_text("#processes-reasons", "role viewer")
    button = victor.wait(KILL)
    assert button.get_attribute("aria-disabled") == "true"
    assert button.get_attribute("aria-describedby") == "processes-reasons"
    assert "process.kill" in str(button.get_attribute("title"))
    # It can be reached all the same; pressing it opens nothing.
    victor.driver.execute_script("document.querySelector(arguments[0]).focus()", KILL)
    assert focused_id(victor) == KILL.removeprefix("#")
    victor.driver.switch_to.active_element.send_keys(Keys.ENTER)
    victor.wait_text("#notices", "victor (viewer) may not do this")
    assert victor.find("#processes-dialog-title") == []


@pytest.mark.timeout(120)
def test_a_narrow_page_has_everything_in_reach(new_person: NewPerson) -> None:
    alice = new_person("alice").resize(NARROW)
    look_at(alice, IDLE, "df-01", find="df-01")
    assert alice.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    for button in ("restart", "flush", "kill", "end"):
        box = alice.wait(f"#processes-{button}-button").rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW[0]
        assert box["height"] >= 24
    alice.click(KILL)
    alice.wait_text("#processes-dialog-title", "Kill df-01?")
    assert alice.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    alice.click("#processes-cancel-button")
    alice.wait_gone("#processes-dialog-title")
