"""Without a mouse: Tab reaches everything, and one sees where it is; Escape closes; the frame can be skipped."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import NewPerson
from tests.browser.person import Person

# What a person can do something with and Tab stops at: not what is hidden, folded or inside something folded. Of radio
# buttons with one name Tab stops at one; AG Grid has one stop for its head and one for its rows, arrows do the rest.
WANTED = """
const parts = "a[href], button, input, select, textarea, summary, [tabindex]";
const radio = part => part.type === "radio" && !part.checked;
return [...document.querySelectorAll(parts)]
  .filter(part => part.tabIndex >= 0 && !part.disabled && !radio(part) && !part.closest(".ag-root-wrapper"))
  .filter(part => part.checkVisibility({visibilityProperty: true}))
  .map((part, number) => part.dataset.testStop = String(number));
"""
# Where Tab is now, whether one sees it: an outline on the element, on the label beside it, or on what stands around it.
REACHED = """
const now = document.activeElement;
const style = part => getComputedStyle(part);
const ring = part => part && style(part).outlineStyle !== "none" && parseFloat(style(part).outlineWidth) >= 2;
const around = now.closest(".searchbox, .feed-expression-line");
const box = now.getBoundingClientRect();
return {
  stop: now.dataset.testStop ?? "",
  what: now.outerHTML.slice(0, 160),
  end: now === document.body,
  ring: [now, around, now.nextElementSibling?.localName === "label" ? now.nextElementSibling : null].some(ring),
  seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
};
"""
MOST_STOPS = 120
READY = {"/alarms": "#alarms-rates", "/status": "#status-quarantine"}
SAYS = {"/alarms": "in these ten minutes", "/status": "The quarantine is empty"}


def press(person: Person, *keys: str) -> None:
    """Press keys where the focus is."""
    person.driver.switch_to.active_element.send_keys(*keys)


def focused(person: Person) -> str:
    """Return the id of what has the focus."""
    return str(person.driver.execute_script("return document.activeElement.id"))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", READY)
def test_everything_is_reached_by_tab_and_seen(new_person: NewPerson, path: str) -> None:
    alice = new_person("alice").open(path)
    alice.wait_text(READY[path], SAYS[path], 20)
    alice.wait_that(alice.is_at_rest, 20, "the page to be drawn")
    wanted = set(alice.driver.execute_script(WANTED))
    assert len(wanted) > 10
    reached: set[str] = set()
    for _ in range(MOST_STOPS):
        press(alice, Keys.TAB)
        now = alice.driver.execute_script(REACHED)
        # After the last stop the browser itself has the focus.
        if now["end"]:
            break
        reached.add(now["stop"])
        assert now["ring"], f"no ring around {now['what']}"
        assert now["seen"], f"out of sight: {now['what']}"
    missed = [
        alice.driver.execute_script(f"return document.querySelector('[data-test-stop=\"{stop}\"]')?.outerHTML")
        for stop in sorted(wanted - reached)
    ]
    assert missed == []


@pytest.mark.timeout(120)
def test_the_first_stop_skips_the_frame(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/status")
    alice.wait_text("#status-workers", "run control", 20)
    press(alice, Keys.TAB)
    assert alice.wait(".skip-link:focus").text == "Skip to the content"
    press(alice, Keys.ENTER)
    alice.wait_that(lambda: focused(alice) == "main", 5, "the content to have the focus")
    press(alice, Keys.TAB)
    assert alice.driver.execute_script("return document.activeElement.closest('main') !== null")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("path", "opens", "dialog"),
    [
        ("/processes", "#processes-boot-button[aria-disabled=false]", "#processes-boot-title"),
        ("/status", ".user-menu-button", ".menu-right"),
    ],
)
def test_escape_closes_and_gives_the_focus_back(new_person: NewPerson, path: str, opens: str, dialog: str) -> None:
    alice = new_person("alice").open(path)
    alice.driver.execute_script("arguments[0].focus()", alice.wait(opens, 20))
    press(alice, Keys.ENTER)
    alice.wait(dialog)
    press(alice, Keys.ESCAPE)
    alice.wait_gone(dialog)
    back = "return document.activeElement.matches(arguments[0])"
    alice.wait_that(lambda: bool(alice.driver.execute_script(back, opens)), 5, "the focus where it was")


@pytest.mark.timeout(120)
def test_escape_closes_the_help(new_person: NewPerson) -> None:
    alice = new_person("alice").open("/status")
    alice.wait_text("#status-workers", "run control", 20)
    press(alice, "?")
    alice.wait("#help-dialog[open]")
    press(alice, Keys.ESCAPE)
    alice.wait_gone("#help-dialog")
