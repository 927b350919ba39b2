"""The wall display in a browser, 1920 by 1080: large, at rest, and true."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import WALL, Person
from tests.console import Console, free_port, running_console
from tests.kafka import KafkaBroker

LARGE = ".wall-large .wall-name h2"
TILE = ".wall-tile .wall-name h2"
SESSIONS = ("local-1x1-config", "local-2x3-config", "ehn1-local-1x1-config")
# The size of a text, and of all that is shown, in CSS pixels.
SIZE = "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)"
SMALLEST = """const hasText = node => node.nodeType === Node.TEXT_NODE && node.data.trim();
    return Math.min(...[...document.querySelectorAll('.wall *')].filter(element => element.checkVisibility()
    && [...element.childNodes].some(hasText) && !element.closest('.visually-hidden'))
    .map(element => parseFloat(getComputedStyle(element).fontSize)))"""
CUT_OFF = """return [document.documentElement, document.getElementById('main'), ...document.querySelectorAll(
    '.wall, .wall-sessions, .wall-large, .wall-tile, .wall-head-data')].filter(element => element.checkVisibility()
    && (element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1))
    .map(element => element.className || element.id || element.localName)"""
TO_ACT_WITH = """return [...document.querySelectorAll('a, button, input, select, summary, textarea')].filter(element =>
    element.checkVisibility()).map(element => element.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """Three sessions."""
    simulated = Installation(SESSIONS, kafka_broker.address, time_scale=0.3)
    simulated.start()
    yield simulated
    simulated.stop()


def at_the_wall(new_person: NewPerson) -> Person:
    victor = new_person("victor", WALL).resize(WALL).open("/?wall=1")
    victor.wait(LARGE)
    victor.wait(".wall-alarm")
    victor.wait_that(victor.is_at_rest, 10, "the display to be drawn")
    return victor


def dead(person: Person) -> int:
    """How many dead processes the display names."""
    found = re.search(r"(\d+) dead", person.text(".wall-head"))
    return int(found[1]) if found else 0


def configure(person: Person, session: str) -> None:
    """Take control of a session and configure it."""
    person.open(f"/controller?session={session}")
    person.click("#controller-take-button[aria-disabled='false']")
    person.wait_text("#controller-control-result", ", took")
    person.click('button[id*=\'"key":"conf"\']')
    person.wait_text("#controller-form-head", "conf")
    person.click("#controller-execute-button")


@pytest.mark.timeout(180)
def test_three_sessions_are_readable_from_afar_and_nothing_scrolls(new_person: NewPerson) -> None:
    victor = at_the_wall(new_person)
    assert sorted([victor.text(LARGE), *victor.texts(TILE)]) == sorted(SESSIONS)
    assert victor.driver.execute_script(CUT_OFF) == []
    assert victor.driver.execute_script(TO_ACT_WITH) == []
    assert victor.driver.execute_script(SMALLEST) >= 28
    sizes = [
        victor.driver.execute_script(SIZE, css)
        for css in (".wall-clock", ".wall-run-number", ".wall-large .state-word")
    ]
    assert sizes == [56, 104, 72]
    victor.wait_that(lambda: "old" in victor.text(".wall-age"), 5, "the age of the data")
    victor.wait_that(lambda: victor.text(".wall-clock").count(":") == 2, 5, "the clock")


@pytest.mark.timeout(180)
def test_it_follows_what_happens_in_place(new_person: NewPerson, installation: Installation) -> None:
    victor = at_the_wall(new_person)
    name = victor.text(LARGE)
    keep = "window.kept = document.querySelector('.wall-large .state-word')"
    count = "return document.querySelectorAll('.wall-large-data *').length"
    before = victor.driver.execute_script(f"{keep}; {count}")
    configure(new_person("alice"), name)
    victor.wait_text(".wall-large .state-word", "configured")
    assert victor.driver.execute_script("return window.kept === document.querySelector('.wall-large .state-word')")
    victor.wait_that(lambda: victor.driver.execute_script(count) == before, 5, "as many elements as before")
    installation.kill(name, "df-01", exit_code=137)
    victor.wait_text(".wall-head", "1 dead")
    victor.wait_text(".wall-alarm h2", "df-01", 20)
    assert victor.driver.execute_script(CUT_OFF) == []


@pytest.mark.timeout(180)
def test_a_lost_connection_takes_its_room_and_covers_nothing(new_person: NewPerson) -> None:
    victor = at_the_wall(new_person)
    victor.driver.execute_cdp_cmd("Network.enable", {})
    lost = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    victor.driver.execute_cdp_cmd("Network.emulateNetworkConditions", lost)
    victor.wait(".banner-lost", 5)
    below = "return document.querySelector('.wall-head').getBoundingClientRect().top"
    assert victor.driver.execute_script(below) >= 72
    assert victor.driver.execute_script(CUT_OFF) == []
    assert victor.driver.execute_script(TO_ACT_WITH) == []
    # The state is struck as on every page once nobody has confirmed it for two polls.
    victor.wait(".wall-large .stale-value.is-stale", 10)
    victor.wait_text(".wall-age", "old")
    victor.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**lost, "offline": False})
    victor.wait_gone(".banner-lost", 15)
    victor.wait_gone(".wall-large .stale-value.is-stale", 15)
    # Chromium itself complains about each request that failed meanwhile.
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in victor.problems())


@pytest.mark.timeout(180)
def test_a_display_goes_on_by_itself_after_a_restart_of_the_console(installation: Installation, tmp_path: Path) -> None:
    def console() -> AbstractContextManager[Console]:
        return running_console(
            tmp_path / "console",
            process_manager=installation.process_manager_address,
            connectivity=installation.connectivity_address,
            kafka=installation.kafka_address or "",
            CONSOLE_PORT=port,
        )

    port = str(free_port())
    with ExitStack() as stack:
        with console() as before:
            display = stack.enter_context(Person(before, tmp_path, WALL)).log_in("wall").resize(WALL).open("/?wall=1")
            has_some = re.compile(r"[1-9]\d* processes")
            display.wait_that(lambda: bool(has_some.search(display.text(".wall-head"))), 10, "the processes")
            known = dead(display)
            display.driver.execute_script("window.kept = true")
        display.wait(".banner-lost", 10)
        with console():
            display.wait_gone(".banner-lost", 20)
            installation.kill(SESSIONS[2], "mlt", exit_code=139)
            display.wait_that(lambda: dead(display) == known + 1, 20, "one more dead process")
            # Not loaded anew: nobody who looks at it loses sight for a moment.
            assert display.driver.execute_script("return window.kept === true")


@pytest.mark.timeout(180)
def test_one_session_has_the_whole_screen(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    simulated = Installation(SESSIONS[:1])
    simulated.start()
    try:
        with (
            running_console(
                tmp_path,
                process_manager=simulated.process_manager_address,
                connectivity=simulated.connectivity_address,
                kafka=kafka_broker.address,
            ) as console,
            Person(console, tmp_path, WALL) as victor,
        ):
            victor.log_in("victor").resize(WALL).open("/?wall=1")
            victor.wait_text(LARGE, SESSIONS[0])
            assert victor.find(".wall-tile") == []
            wide = "return document.querySelector('.wall-large').getBoundingClientRect().width"
            victor.wait_that(lambda: victor.driver.execute_script(wide) == WALL[0], 5, "the whole width")
            assert victor.driver.execute_script(CUT_OFF) == []
    finally:
        simulated.stop()
