"""An upgrade under open pages: the wall display loads itself anew, once; everybody else is told."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from simulator.installation import Installation
from tests.browser.person import NARROW, WALL, Person
from tests.console import ROOT, Console, free_port, running_console

NOTICE = "#upgrade-notice"
SEARCH = "#messages-search-input"
KEEP = "window.kept = true"
IS_KEPT = "return window.kept === true"
BEATS = "return performance.getEntriesByType('resource').filter(asked => asked.name.endsWith('/live')).length"
IS_DRAWN = "return getComputedStyle(document.getElementById('main')).outlineWidth"
NO_SOURCES = (".*", "tests", "docs", "benchmarks", "test-artifacts")
Serve = Callable[..., AbstractContextManager[Console]]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """One session, without messages."""
    simulated = Installation(("local-1x1-config",))
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture
def upgraded(tmp_path: Path) -> Path:
    """The sources of a later version: it has one style sheet more."""
    later = tmp_path / "later"
    shutil.copytree(ROOT, later, ignore=shutil.ignore_patterns(*NO_SOURCES))
    (later / "assets" / "90-later.css").write_text("#main { outline: 3px solid transparent; }\n")
    return later


@pytest.fixture
def serve(installation: Installation, tmp_path: Path) -> Serve:
    """A way to serve the console, always at one address and with one database."""
    port = str(free_port())

    def console(root: Path = ROOT) -> AbstractContextManager[Console]:
        return running_console(
            tmp_path / "console",
            process_manager=installation.process_manager_address,
            connectivity=installation.connectivity_address,
            kafka="127.0.0.1:1",
            root=root,
            CONSOLE_PORT=port,
        )

    return console


def wait_for_beats(person: Person) -> None:
    """Wait until the page has heard from the server a few times more."""
    heard = int(person.driver.execute_script(BEATS))
    person.wait_that(lambda: int(person.driver.execute_script(BEATS)) > heard + 2, 10, "three heartbeats")


@pytest.mark.timeout(180)
def test_the_wall_display_loads_itself_anew_once(serve: Serve, upgraded: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serve() as before:
            wall = stack.enter_context(Person(before, tmp_path, WALL)).log_in("wall").resize(WALL).open("/?wall=1")
            wall.wait(".wall-large .state-word")
            wait_for_beats(wall)
            wall.driver.execute_script(KEEP)
        with serve(upgraded):
            wall.wait_that(lambda: not wall.driver.execute_script(IS_KEPT), 30, "the display to load itself anew")
            wall.wait(".wall-large .state-word")
            wall.wait_that(lambda: wall.driver.execute_script(IS_DRAWN) == "3px", 5, "the new version's style sheet")
            wall.driver.execute_script(KEEP)
            wait_for_beats(wall)
            assert wall.driver.execute_script(IS_KEPT)
        wall.wait(".banner-lost", 10)
        # One that differs again so soon, as two versions behind one proxy would, does not make it load for ever.
        with serve():
            wall.wait_gone(".banner-lost", 20)
            wait_for_beats(wall)
            assert wall.driver.execute_script(IS_KEPT)
            assert not wall.find(NOTICE)[0].is_displayed()


@pytest.mark.timeout(180)
def test_everybody_else_is_told_and_keeps_what_they_type(serve: Serve, upgraded: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serve() as before:
            alice = stack.enter_context(Person(before, tmp_path)).log_in("alice").open("/messages")
            alice.wait(SEARCH)
            wait_for_beats(alice)
            assert not alice.find(NOTICE)[0].is_displayed()
            alice.driver.execute_script(KEEP)
            alice.wait(SEARCH).send_keys("half a wo")
        with serve(upgraded):
            alice.wait(NOTICE, 30)
            assert "The console was updated. Reload when it suits you" in alice.text(NOTICE)
            wait_for_beats(alice)
            assert alice.driver.execute_script(IS_KEPT)
            assert alice.wait(SEARCH).get_property("value") == "half a wo"
            alice.resize(NARROW)
            assert alice.driver.execute_script("return document.documentElement.scrollWidth") == NARROW[0]
            alice.click("#upgrade-reload-button")
            alice.wait_that(lambda: not alice.driver.execute_script(IS_KEPT), 10, "the page to be loaded anew")
            alice.wait(SEARCH)
            wait_for_beats(alice)
            assert not alice.find(NOTICE)[0].is_displayed()
