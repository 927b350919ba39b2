"""The page Messages in a browser: what is meant by a text, expressions, what surrounds a message, and exports."""

import csv
import json
import re
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.browser.test_feed import EVERYTHING, rows, select_first
from tests.console import Console

TEXT = "#messages-search-input"


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


@pytest.mark.timeout(120)
def test_a_text_can_be_meant_three_ways(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(EVERYTHING)
    installation.flood(12)
    alice.wait_that(lambda: len(rows(alice, "id")) >= 12, 10, "messages in the feed")
    whole = rows(alice, "text")[-1]
    part = whole[:5]

    alice.wait(TEXT).send_keys(part)
    alice.wait_that(lambda: address(alice).get("q") == part, 10, "the part in the address")
    alice.wait_that(
        lambda: bool(rows(alice, "text")) and all(part.lower() in text.lower() for text in rows(alice, "text")),
        10,
        "only with the part",
    )
    alice.click("#messages-match-select option[value=not]")
    alice.wait_that(
        lambda: bool(rows(alice, "text")) and not any(part.lower() in text.lower() for text in rows(alice, "text")),
        10,
        "only without the part",
    )
    assert (address(alice)["q"], address(alice)["match"]) == (part, "not")
    alice.open(f"{EVERYTHING}&match=exact&q={whole}")
    alice.wait_that(lambda: set(rows(alice, "text")) == {whole}, 10, "only the whole text")
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
def test_an_expression_of_the_address_is_shown_and_can_be_dropped(
    new_person: NewPerson, installation: Installation
) -> None:
    installation.flood(5, severity="ERROR")
    alice = new_person("alice").open(f"{EVERYTHING}&where=severity%3DERROR")
    alice.wait_that(lambda: set(rows(alice, "severity")) == {"ERROR"}, 10, "errors only")
    alice.wait_text(".feed-chips", "severity=ERROR")
    alice.click(".feed-chips .chip-close")
    alice.wait_that(lambda: "INFO" in rows(alice, "severity"), 10, "everything again")
    assert "where" not in address(alice)

    alice.open(f"{EVERYTHING}&where=severity%3DLOUD")
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
