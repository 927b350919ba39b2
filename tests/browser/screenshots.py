"""Pictures of every page: ``python -m tests.browser.screenshots DIRECTORY`` (``make screenshots``).

The house is started with simulated drunc and Kafka and brought to a moment worth showing: a run, an application that
failed, a process that died, another session that waits.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from simulator.installation import Installation
from tests.browser.person import NARROW, WALL, WIDE, Person
from tests.console import Console, running_console
from tests.kafka import running_broker
from tests.waiting import wait_until

SESSION = "local-2x3-config"
PAGES = {
    "overview": "/",
    "controller": f"/controller?session={SESSION}",
    "processes": f"/processes?session={SESSION}&q={SESSION}",
    "processes-question": f"/processes?session={SESSION}&q={SESSION}%20df-0",
    "sessions": f"/sessions?session={SESSION}",
    "messages": f"/messages?session={SESSION}",
    "rates": f"/rates?session={SESSION}",
    "alarms": f"/alarms?session={SESSION}",
    "status": f"/status?session={SESSION}",
}
# What must be on a page before its picture is taken.
READY = {
    "overview": ".session-card",
    "controller": ".tree-row",
    "processes": "#processes-grid .ag-row",
    "processes-question": "#processes-grid .ag-row",
    "process-log": "#log-grid .ag-row",
    "sessions": "#sessions-active tbody tr",
    "messages": ".ag-row",
    "rates": ".js-plotly-plot .bars path",
    "alarms": "#alarms-grid .ag-row",
    "status": "#status-quarantine summary",
}
SIZES = {"wide": WIDE, "narrow": NARROW}
THEMES = ("dark", "light")


@contextmanager
def house(directory: Path) -> Iterator[tuple[Console, Installation]]:
    """Run broker, installation and console."""
    with running_broker(directory) as broker:
        installation = Installation(kafka_address=broker.address, time_scale=0.5, chatter_hz=8, opmon_period_s=1.0)
        installation.start()
        try:
            with running_console(
                directory / "console",
                process_manager=installation.process_manager_address,
                connectivity=installation.connectivity_address,
                kafka=broker.address,
            ) as console:
                yield console, installation
        finally:
            installation.stop()


def bring_to_a_moment(console: Console, installation: Installation, person: Person) -> None:
    """Start a run in one session through the console, then let things go wrong."""
    person.open(PAGES["controller"])
    person.click("#controller-take-button[aria-disabled='false']")
    person.wait_text("#controller-control-result", ", took")
    for transition, arguments in (("conf", {}), ("start", {"run_number": "31427"}), ("enable_triggers", {})):
        _execute(person, transition, arguments)
    installation.flood(12, rate_hz=10, severity="WARNING")
    installation.write_log(SESSION, "df-03", _last_words())
    installation.kill(SESSION, "df-03", exit_code=137)
    installation.publish_raw(f"control.{SESSION}.df-03", b'{"severity": "ERROR", "text": "a <b>JSON</b> record"}')
    http = console.log_in("alice")
    wait_until(lambda: _dead(http, console) == 1, 10, "the dead process")


def _last_words() -> Iterator[str]:
    """Yield what an application writes before it goes under."""
    for record in range(1, 400):
        severity, said = "INFO", f"Trigger record {record} written, {1800 + record * 37 % 4000} kB"
        if record > 360 and record % 7 == 0:
            severity, said = "WARNING", f"Trigger record {record} waits for fragments for {record * 3 % 900} ms"
        if record > 385 and record % 5 == 0:
            severity, said = "ERROR", f"Trigger record {record} not written: no space left on device"
        moment = f"2026-Nov-20 03:11:{record % 60:02d},{record * 83 % 1000:03d}"
        yield f"{moment} {severity} [DataWriter::do_work(...)] {said}"
    yield "2026-Nov-20 03:11:58,204 FATAL [DataWriter::do_work(...)] Buffer of 4 GB is full, memory is exhausted"


def _log_of(console: Console, name: str) -> str:
    """Return the address of the log of a process."""
    items = console.log_in("alice").get(f"{console.url}/api/v1/processes", timeout=10).json()["items"]
    uuid = next(item["uuid"] for item in items if (item["session"], item["name"]) == (SESSION, name))
    return f"/processes/{uuid}/log?session={SESSION}"


def _execute(person: Person, transition: str, arguments: dict[str, str]) -> None:
    person.click(f'button[id*=\'"key":"{transition}"\']')
    person.wait_text("#controller-form-head", transition)
    for name, value in arguments.items():
        person.wait(f'input[id*=\'"key":"{name}"\']').send_keys(value)
    person.click("#controller-execute-button")
    person.wait_text("#controller-form-result", ", took", 20)


def _dead(http: requests.Session, console: Console) -> int:
    items = http.get(f"{console.url}/api/v1/processes", timeout=10).json()["items"]
    return sum(process["status_code"] == "DEAD" for process in items)


def take_pictures(person: Person, directory: Path, pages: Mapping[str, str]) -> None:
    """Write ``<page>-<theme>-<size>.png`` of every page."""
    for theme in THEMES:
        person.set_theme(theme)
        for size, pixels in SIZES.items():
            person.resize(pixels)
            for name, path in pages.items():
                person.open(path)
                person.wait(READY[name], 20)
                person.wait_that(person.is_at_rest, 20, f"{name} to be drawn")
                if size == "wide" or name == "processes-question":
                    open_side_panel(person, name)
                person.screenshot(directory / f"{name}-{theme}-{size}.png")


def open_side_panel(person: Person, page: str) -> None:
    """Open what a person would open next: the form of a transition, the newest error."""
    if page == "controller":
        person.click('button[id*=\'"key":"change_rate"\']')
        person.wait_text("#controller-form-head", "change_rate")
    if page.startswith("processes"):
        for row in (6, 8) if page == "processes" else (0, 1):
            person.click(f"#processes-grid .ag-row[row-index='{row}'] .ag-selection-checkbox")
        person.wait_text("#processes-selection", "2 selected")
    if page == "processes-question":
        person.click("#processes-kill-button[aria-disabled=false]")
        person.wait("#processes-confirm-button[aria-disabled=true]")
        shown = "return getComputedStyle(document.querySelector('.modal.show')).opacity === '1'"
        person.wait_that(lambda: bool(person.driver.execute_script(shown)), 5, "the whole question")
    if page == "messages":
        person.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ARROW_LEFT)
        person.wait("#messages-close")


def take_wall_pictures(person: Person, directory: Path) -> None:
    """Write ``overview-wall-<theme>.png``, as it is read from afar."""
    person.resize(WALL)
    for theme in THEMES:
        person.set_theme(theme)
        person.open("/?wall=1")
        person.wait(".wall-alarm-counts", 20)
        person.wait(".wall-large .spark", 20)
        person.wait_that(person.is_at_rest, 20, "the wall display to be drawn")
        person.screenshot(directory / f"overview-wall-{theme}.png")


def take_log_in_pictures(console: Console, directory: Path, downloads: Path) -> None:
    """Write ``login-<theme>-wide.png``, as an anonymous visitor sees it."""
    with Person(console, downloads) as visitor:
        for theme in THEMES:
            visitor.open("/login").set_theme(theme).resize(WIDE).open("/login")
            visitor.wait("input[name=username]")
            visitor.screenshot(directory / f"login-{theme}-wide.png")


def main(directory: Path) -> None:
    """Start the house, bring it to the moment, take the pictures."""
    with (
        tempfile.TemporaryDirectory(prefix="console-screenshots-") as scratch,
        house(Path(scratch)) as (console, drunc),
    ):
        take_log_in_pictures(console, directory, Path(scratch))
        with Person(console, Path(scratch)) as person:
            person.log_in("alice")
            bring_to_a_moment(console, drunc, person)
            take_pictures(person, directory, PAGES | {"process-log": _log_of(console, "df-03")})
            take_wall_pictures(person, directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
