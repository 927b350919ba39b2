"""Every page can be used by everybody: axe-core finds nothing serious, in both themes, wide and on a phone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from selenium.webdriver.common.by import By

from simulator.installation import Installation
from tests.browser.axe import findings, why_not_here
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW, WIDE, Person
from tests.browser.test_feed import select_first
from tests.browser.test_main_job import SESSION, execute, take_control
from tests.console import Console
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(why_not_here() is not None, reason=why_not_here() or "")

DEAD = "df-03"
SIZES = {"wide": WIDE, "narrow": NARROW}
# While something fades in or changes its colours, they are not yet its own.
AT_REST = "return document.getAnimations().every(e => !(e instanceof CSSTransition) || e.playState !== 'running')"
OTHER_THEME = """
const {theme, storage} = consoleUi;
storage.set("console-theme", theme.shown() === "dark" ? "light" : "dark");
theme.apply();
return theme.shown();
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A page, or a page with something open: its path, what shows that it is there, and how to open the rest."""

    path: str
    ready: str
    go_on: Callable[[Person], object] = lambda _person: None


def ask_to_kill(person: Person) -> None:
    person.click("#processes-grid .ag-row[row-index='0'] .ag-selection-checkbox")
    person.click("#processes-kill-button[aria-disabled=false]")
    person.wait("#processes-confirm-button")


def ask_to_boot(person: Person) -> None:
    person.click("#processes-boot-button[aria-disabled=false]")
    person.wait("#processes-boot-confirm-button")


def ask_for_control(person: Person) -> None:
    """Begin to take control from Bob, who has it."""
    person.wait_text("#controller-holder", "bob")
    person.click("#controller-take-button[aria-disabled='false']")
    person.wait("#controller-take-confirm-button")


def open_form(person: Person) -> None:
    person.click('button[id*=\'"key":"conf"\']')
    person.wait_text("#controller-form-head", "conf")


def open_cell(person: Person) -> None:
    person.click("#controller-board [data-run]")
    person.wait_text("#controller-cell-title", "conf")


def read_alarm(person: Person) -> None:
    person.click("#alarms-grid .ag-center-cols-container .ag-row [col-id='text']")
    person.wait_text("#alarms-details", "Guidance")


def ask_to_mute(person: Person) -> None:
    select_first(person)
    person.click("#messages-inspector-content button[id*='\"mute\"']")
    person.wait_text("#messages-mute-preview", "would be hidden")


def unfold(person: Person) -> None:
    """Open what a phone folds away."""
    if person.find("#messages-filters-button")[0].is_displayed():
        person.click("#messages-filters-button[aria-expanded=false]")


def mute(person: Person) -> None:
    """Mute, so that there is a list of mutes, and rows that say that they are muted."""
    ask_to_mute(person)
    person.wait("#messages-mute-reason-input").send_keys("known")
    person.click("#messages-mute-send-button")
    person.wait_gone(".modal.show")
    unfold(person)
    person.wait(".mutes li")
    # The oldest row is muted; the list, made anew, shows its newest.
    to_oldest = "dash_ag_grid.getApi('messages-grid').ensureIndexVisible(0, 'top')"

    def is_drawn() -> bool:
        person.driver.execute_script(to_oldest)
        return bool(person.find(".row-muted"))

    person.wait_that(is_drawn, 20, "a row that is muted")


def upgrade(person: Person) -> None:
    """Have every heartbeat tell of another installation than that which the page came from."""
    told = "const note = consoleUi.noteFingerprint; consoleUi.noteFingerprint = () => note('another')"
    person.driver.execute_script(told)
    person.wait("#upgrade-notice")


def open_help(person: Person) -> None:
    person.driver.find_element(By.TAG_NAME, "body").send_keys("?")
    person.wait("#help-dialog")


OF_SESSION = f"session={SESSION}"
# In the other one a process is dead: it goes through no transition.
HEALTHY = "local-1x1-config"
PLACES: Mapping[str, Place] = {
    "overview": Place("/", ".session-card"),
    "overview, upgraded": Place("/", ".session-card", upgrade),
    "controller": Place(f"/controller?{OF_SESSION}", ".tree-row", open_form),
    "controller, board": Place(f"/controller?session={HEALTHY}", "#controller-board [data-run]", open_cell),
    "controller, dialog": Place(f"/controller?{OF_SESSION}", ".tree-row", ask_for_control),
    "processes": Place(f"/processes?{OF_SESSION}", "#processes-grid .ag-row"),
    "processes, none": Place("/processes?q=nobody", "#processes-grid .ag-body"),
    "processes, question": Place(f"/processes?{OF_SESSION}&q=df-0", "#processes-grid .ag-row", ask_to_kill),
    "processes, boot": Place(f"/processes?{OF_SESSION}", "#processes-grid .ag-row", ask_to_boot),
    "messages": Place(f"/messages?{OF_SESSION}", ".ag-row"),
    "messages, muting": Place(f"/messages?{OF_SESSION}", ".ag-row", ask_to_mute),
    "messages, muted": Place(f"/messages?{OF_SESSION}&muted=show", ".ag-row", mute),
    "messages, none": Place("/messages?session=nobody", "#messages-grid .ag-body"),
    "rates": Place(f"/rates?{OF_SESSION}", ".js-plotly-plot .bars path"),
    "alarms": Place("/alarms", "#alarms-grid .ag-row", read_alarm),
    "status": Place("/status", "#status-quarantine summary"),
    "help": Place("/", ".session-card", open_help),
    "not found": Place("/nowhere", "h1"),
}


@pytest.fixture(scope="module")
def log_path(console: Console, installation: Installation) -> str:
    """The path of the log of a process that died; everything else that pages show has happened too."""
    installation.flood(12, rate_hz=20, severity="ERROR")
    installation.publish_raw(f"control.{SESSION}.{DEAD}", b"this is no message")
    installation.write_log(SESSION, DEAD, ["INFO it begins", "ERROR no space left on device"])
    installation.kill(SESSION, DEAD, exit_code=137)
    http = console.log_in("alice")

    def dead() -> str:
        items = http.get(f"{console.url}/api/v1/processes", timeout=10).json()["items"]
        return next((str(item["uuid"]) for item in items if item["status_code"] == "DEAD"), "")

    return f"/processes/{wait_until(dead, 20, 'the dead process')}/log?{OF_SESSION}"


def look(person: Person, place: Place) -> Sequence[str]:
    """Go to a place, wait until it is drawn, and have it judged; then its colours in the other theme."""
    person.open(place.path)
    person.wait(place.ready, 20)
    person.wait_that(person.is_at_rest, 20, f"{place.path} to be drawn")
    place.go_on(person)
    return [*judged(person), *judged_in_other_theme(person)]


def judged(person: Person, *rules: str) -> Sequence[str]:
    person.wait_that(lambda: bool(person.driver.execute_script(AT_REST)), 5, "the last colours")
    return findings(person, *rules)


def judged_in_other_theme(person: Person) -> Sequence[str]:
    theme = person.driver.execute_script(OTHER_THEME)
    return [f"{theme}: {line}" for line in judged(person, "color-contrast")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_serious_is_wrong_with_any_page(new_person: NewPerson, log_path: str, size: str) -> None:
    bob = new_person("bob").open(f"/controller?{OF_SESSION}")
    bob.wait("#controller-holder .holder")
    if "you" not in bob.text("#controller-holder"):
        take_control(bob)
    bob.open(f"/controller?session={HEALTHY}")
    bob.wait("#controller-holder .holder")
    if "you" not in bob.text("#controller-holder"):
        take_control(bob)
        execute(bob, "conf")
    alice = new_person("alice").resize(SIZES[size])
    places = {**PLACES, "log": Place(log_path, "#log-grid .ag-row")}
    found = {name: lines for name, place in places.items() if (lines := look(alice, place))}
    assert found == {}


@pytest.mark.timeout(120)
def test_nothing_serious_is_wrong_with_the_log_in(new_person: NewPerson) -> None:
    visitor = new_person(None)
    for size in SIZES.values():
        visitor.resize(size)
        assert look(visitor, Place("/login", "input[name=username]")) == []
        visitor.wait("input[name=username]").send_keys("nobody")
        visitor.wait("input[name=password]").send_keys("wrong")
        visitor.click("#log-in")
        visitor.wait("#login-error")
        assert judged(visitor) == []
        assert judged_in_other_theme(visitor) == []
    # Chromium itself complains about each refusal.
    assert all("401" in problem for problem in visitor.problems())


@pytest.mark.timeout(120)
def test_the_judge_sees_what_is_wrong(new_person: NewPerson) -> None:
    visitor = new_person(None).open("/login")
    visitor.driver.execute_script("document.querySelector('label[for=username]').remove()")
    visitor.driver.execute_script("document.querySelector('h1').style.color = 'var(--c-bg-2)'")
    assert {line.split(" ", 1)[0] for line in judged(visitor)} == {"label", "color-contrast"}
    assert {line.split(" ", 2)[1] for line in judged_in_other_theme(visitor)} == {"color-contrast"}
