"""The page Messages in a browser: what is meant by a text, expressions, what surrounds a message, and exports."""

import csv
import json
import re
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.browser.test_feed import EVERYTHING, rows, select_first
from tests.console import Console

TEXT = "#messages-search-input"
EXPRESSION = "#messages-expression-input"


def address(person: Person) -> dict[str, str]:
    """The filter as it stands in the address."""
    found = parse_qs(urlsplit(person.driver.current_url).query)
    return {name: values[0] for name, values in found.items()}


def link(person: Person, css: str, part: str) -> str:
    """The address of a link, once it holds ``part``."""
    script = "return document.querySelector(arguments[0])?.getAttribute('href') ?? ''"
    return (
        person.wait_for(
            lambda: part in (found := str(person.driver.execute_script(script, css))) and found, 10, f"{part} in {css}"
        )
        or ""
    )


def rewrite(field: WebElement, text: str) -> None:
    """Type over all there is. Chords end with their call."""
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys(text)


@pytest.mark.timeout(120)
def test_a_text_can_be_meant_four_ways(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(EVERYTHING)
    installation.flood(12)
    alice.wait_that(lambda: len(rows(alice, "id")) >= 12, 10, "messages in the feed")
    whole = rows(alice, "text")[-1]
    inside = whole.split()[0][1:]

    alice.wait(TEXT).send_keys(inside)
    alice.wait_that(lambda: address(alice).get("q") == inside, 10, "the text in the address")
    assert address(alice)["match"] == "words"
    alice.wait_that(lambda: whole not in rows(alice, "text"), 10, "no word that only contains it")
    alice.click("#messages-match-select option[value=contains]")
    alice.wait_that(
        lambda: whole in rows(alice, "text") and all(inside.lower() in text.lower() for text in rows(alice, "text")),
        10,
        "only with the part",
    )
    alice.click("#messages-match-select option[value=not]")
    alice.wait_that(
        lambda: bool(rows(alice, "text")) and not any(inside.lower() in text.lower() for text in rows(alice, "text")),
        10,
        "only without the part",
    )
    assert (address(alice)["q"], address(alice)["match"]) == (inside, "not")
    alice.open(f"{EVERYTHING}&match=exact&q={whole}")
    alice.wait_that(lambda: set(rows(alice, "text")) == {whole}, 20, "only the whole text")
    assert alice.wait("#messages-match-select").get_property("value") == "exact"


@pytest.mark.timeout(120)
def test_what_surrounds_a_message_has_an_address(new_person: NewPerson, installation: Installation) -> None:
    installation.flood(30)
    alice = new_person("alice").open("/messages?severity=INFO,WARNING&q=flood")
    alice.wait_that(lambda: len(rows(alice, "id")) >= 30, 10, "messages in the feed")
    select_first(alice)
    chosen = rows(alice, "id")[0]
    alice.click("#messages-inspector-content button[id*='around']")
    alice.wait_that(lambda: address(alice).get("around") == chosen, 10, "the message in the address")
    alice.wait_text("#messages-following", "Paused")
    assert "q" not in address(alice)

    bob = new_person("bob").open(alice.driver.current_url.removeprefix(alice.driver.current_url.split("/messages")[0]))
    bob.wait_text("#messages-inspector", f"{int(chosen):,}".replace(",", "\u2009"))
    found = [int(number) for number in rows(bob, "id")]
    script = "return dash_ag_grid.getApi('messages-grid').getSelectedNodes().map(node => node.id)"
    bob.wait_that(lambda: bob.driver.execute_script(script) == [chosen], 10, "the message selected")
    assert int(chosen) in found
    assert min(found) < int(chosen) < max(found)
    bob.click("#messages-resume")
    bob.wait_text("#messages-following", "Following")
    assert "around" not in address(bob)


@pytest.mark.timeout(120)
def test_an_expression_is_checked_in_its_place_and_stands_in_the_address(
    new_person: NewPerson, installation: Installation
) -> None:
    installation.flood(5, severity="ERROR")
    installation.flood(5)
    alice = new_person("alice").open(f"{EVERYTHING}&where=severity%3DERROR")
    alice.wait_that(lambda: set(rows(alice, "severity")) == {"ERROR"}, 10, "errors only")
    field = alice.wait(EXPRESSION)
    assert field.get_property("value") == "severity=ERROR"
    field.send_keys(",LOUD")
    alice.wait_text("#messages-expression-problem", "'LOUD' at character 16 is none of")
    assert "the list is as it was" in alice.text("#messages-expression-problem")
    assert (set(rows(alice, "severity")), address(alice)["where"]) == ({"ERROR"}, "severity=ERROR")
    rewrite(field, 'not severity=ERROR and words="flood"')
    alice.wait_that(
        lambda: address(alice).get("where") == 'not severity=ERROR and words="flood"', 10, "the new expression"
    )
    alice.wait_that(lambda: "INFO" in rows(alice, "severity"), 10, "others than errors")
    assert alice.texts("#messages-expression-problem") == [""]
    rewrite(field, Keys.BACKSPACE)
    alice.wait_that(lambda: "where" not in address(alice), 10, "no expression in the address")

    alice.open(f"{EVERYTHING}&where=severity%3DLOUD")
    alice.wait_text("#messages-expression-problem", "'LOUD' at character 10 is none of")
    assert "Nothing is shown until" in alice.text("#messages-expression-problem")
    alice.wait_text("#messages-shown", "'LOUD' at character 10 is none of")
    assert rows(alice, "id") == []


@pytest.mark.timeout(120)
def test_an_export_is_what_the_filter_finds(
    new_person: NewPerson, installation: Installation, console: Console
) -> None:
    installation.flood(8, severity="WARNING")
    alice = new_person("alice").open("/messages?severity=WARNING")
    alice.wait_that(lambda: len(rows(alice, "id")) >= 8, 10, "warnings in the feed")
    shown = rows(alice, "id")
    http = console.log_in("alice")
    table = http.get(console.url + link(alice, "#messages-export-csv", "severity=WARNING"), timeout=10)
    _head, *found, end = csv.reader(StringIO(table.text, newline=""))
    assert [row[0] for row in reversed(found)] == shown
    assert re.match(r"# \d+ messages, all that fit;", end[0])
    lines = http.get(console.url + link(alice, "#messages-export-lines", "form=jsonl"), timeout=10).text.splitlines()
    assert [str(json.loads(line)["id"]) for line in reversed(lines[:-1])] == shown

    alice.open("/messages?severity=")
    assert "where=none" in link(alice, "#messages-export-csv", "where=none")
