"""The message feed in a browser: it stops for the reader, goes on without a gap, and a command is sent once."""

import pytest
from sqlalchemy import func, select

from models.commands import Command
from models.database import Database
from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.console import Console

EVERYTHING = "/messages?severity=FATAL,ERROR,WARNING,INFO,LOG,DEBUG"
SESSION = "local-1x1-config"


def rows(person: Person, field: str) -> list[str]:
    """One field of all rows of the list, from top to bottom, also of those that are not drawn."""
    script = """
        const found = [];
        if (!document.querySelector('#messages-grid .ag-root')) return found;
        const grid = dash_ag_grid.getApi('messages-grid');
        grid.forEachNodeAfterFilterAndSort(node => found.push(String(node.data[arguments[0]])));
        return found;
    """
    return [str(value) for value in person.driver.execute_script(script, field)]


def select_first(person: Person) -> None:
    person.driver.execute_script("dash_ag_grid.getApi('messages-grid').getDisplayedRowAtIndex(0).setSelected(true)")


@pytest.mark.timeout(120)
def test_a_reader_stops_the_feed_and_loses_nothing(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(EVERYTHING)
    alice.wait_text("#messages-following", "Following")
    installation.flood(20)
    alice.wait_that(lambda: len(rows(alice, "id")) >= 20, 10, "messages in the feed")

    select_first(alice)
    alice.wait_text("#messages-following", "Paused")
    alice.wait("#messages-inspector .inspector")
    before = rows(alice, "id")
    installation.flood(50)
    alice.wait_that(lambda: int(alice.text("#messages-resume-text").split()[0]) >= 50, 10, "50 waiting messages")
    assert rows(alice, "id") == before

    alice.click("#messages-resume")
    alice.wait_that(lambda: len(rows(alice, "id")) >= len(before) + 50, 10, "the waiting messages in the list")
    alice.wait_text("#messages-following", "Following")
    after = [int(number) for number in rows(alice, "id")]
    assert after == sorted(set(after))
    assert [str(number) for number in after[: len(before)]] == before


@pytest.mark.timeout(120)
def test_a_filter_stands_in_the_address_and_can_be_shared(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(EVERYTHING)
    installation.flood(5, severity="WARNING")
    alice.wait_that(lambda: "WARNING" in rows(alice, "severity"), 10, "a warning in the feed")
    alice.click("#messages-from-warning-button")
    alice.wait_that(
        lambda: set(rows(alice, "severity")) <= {"WARNING", "ERROR", "FATAL"}, 10, "warnings and worse only"
    )
    address = str(alice.driver.execute_script("return location.pathname + location.search"))
    bob = new_person("bob").open(address)
    bob.wait_that(lambda: "WARNING" in rows(bob, "severity"), 10, "the same messages for somebody else")
    assert "INFO" not in rows(bob, "severity")


def sent_commands(console: Console, transition: str) -> int:
    """How many commands of a transition were stored, in any state."""
    database = Database(console.database_url)
    with database.read() as session:
        found = select(func.count()).select_from(Command).where(Command.transition == transition)
        return session.scalars(found).one()


@pytest.mark.timeout(120)
def test_a_double_click_sends_a_command_once(new_person: NewPerson, console: Console) -> None:
    alice = new_person("alice").open(f"/controller?session={SESSION}")
    alice.click("#controller-take-button[aria-disabled='false']")
    alice.wait_text("#controller-control-result", ", took")
    alice.click('button[id*=\'"key":"conf"\']')
    alice.wait_text("#controller-form-head", "conf")
    alice.driver.execute_script(
        "const button = document.getElementById('controller-execute-button'); button.click(); button.click();"
    )
    alice.wait_text("#controller-form-result", ", took", 20)
    assert sent_commands(console, "conf") == 1
    alice.wait_that(
        lambda: "conf" in alice.texts("#controller-commands .command-name"), 5, "conf among the last commands"
    )
    assert "under way" not in alice.text("#controller-form-result")
