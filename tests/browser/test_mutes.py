"""Muting known noise in a browser: one person mutes, everybody sees it at once, what is hidden is said, and it ends."""

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.browser.test_feed import rows, select_first
from tests.browser.test_messages import address, link

FLOOD = "/messages?severity=ERROR,WARNING&q=flood"
SHOWN = "#messages-shown"
MUTES = "#messages-mutes-list"
SWITCH = "#messages-muted-checklist input"
WARNINGS, ERRORS = 8, 4
# Several browsers on a busy machine draw slowly.
PATIENCE_S = 30


def open_question(person: Person) -> None:
    """Select the oldest message of the list and ask to mute messages like it."""
    select_first(person)
    person.click("#messages-inspector-content button[id*='\"mute\"']")
    person.wait("#messages-mute-reason-input")


def severities(person: Person) -> list[str]:
    return sorted(rows(person, "severity"))


def wait_for_rows(person: Person, warnings: int, errors: int) -> None:
    wanted = ["ERROR"] * errors + ["WARNING"] * warnings
    person.wait_that(
        lambda: severities(person) == wanted, PATIENCE_S, f"{warnings} warnings and {errors} errors in the feed"
    )


@pytest.mark.timeout(180)
def test_one_mutes_and_everybody_knows(new_person: NewPerson, installation: Installation) -> None:
    installation.flood(WARNINGS, severity="WARNING")
    installation.flood(ERRORS, severity="ERROR")
    alice, bob = new_person("alice").open(FLOOD), new_person("bob").open(FLOOD)
    for person in (alice, bob):
        wait_for_rows(person, WARNINGS, ERRORS)
        person.wait_text("#messages-hiding", "Nothing is muted.")

    open_question(alice)
    # The application it came from; all of the flood is meant.
    alice.click("#messages-mute-parts-checklist .form-check:first-child input")
    alice.wait_text("#messages-mute-preview", f"{WARNINGS} of the last hour would be hidden")
    alice.click("#messages-mute-send-button")
    alice.wait_text("#messages-mute-error", "Muting needs a reason")
    alice.wait("#messages-mute-reason-input").send_keys("links are being replaced")
    alice.click("#messages-mute-send-button")
    alice.wait_gone("#messages-mute-send-button")

    for person in (alice, bob):
        wait_for_rows(person, 0, ERRORS)
        person.wait_text(SHOWN, f"hidden {WARNINGS} muted")
        person.wait_text("#messages-hiding", f"1 mute hides {WARNINGS} of the last 15 min")
        person.wait_text(MUTES, "links are being replaced")
        assert "by alice, until" in person.text(MUTES)
    assert "muted=hide" in link(bob, "#messages-export-csv", "muted=")

    bob.click(SWITCH)
    wait_for_rows(bob, WARNINGS, ERRORS)
    assert address(bob)["muted"] == "show"
    bob.wait_that(
        lambda: sum(cell.startswith("muted: ") for cell in bob.texts(".message-text")) == WARNINGS, 5, "marked rows"
    )
    bob.click(f"{MUTES} button")
    wait_for_rows(alice, WARNINGS, ERRORS)
    alice.wait_text("#messages-hiding", "Nothing is muted.")
    assert "muted" not in alice.text(SHOWN)


@pytest.mark.timeout(180)
def test_who_reads_is_not_disturbed_by_a_mute(new_person: NewPerson, installation: Installation) -> None:
    installation.flood(3, severity="FATAL")
    installation.flood(2, severity="LOG")
    alice = new_person("alice").open("/messages?severity=LOG")
    victor = new_person("victor").open("/messages?severity=LOG,FATAL&q=flood")
    alice.wait_that(lambda: len(rows(alice, "id")) == 2, PATIENCE_S, "messages in the feed")
    victor.wait_that(lambda: len(rows(victor, "id")) == 5, PATIENCE_S, "messages in the feed")
    select_first(victor)
    victor.wait_text("#messages-inspector-content", "Muting: The role viewer of victor does not include messages.mute")
    before = rows(victor, "id")

    open_question(alice)
    alice.wait("#messages-mute-reason-input").send_keys("known")
    alice.click("#messages-mute-send-button")
    alice.wait_gone("#messages-mute-send-button")
    victor.wait_text(MUTES, "known")
    assert victor.wait(f"{MUTES} button").get_attribute("aria-disabled") == "true"
    assert rows(victor, "id") == before
    victor.click("#messages-resume")
    # One of the two, because each came from another application, and none that is FATAL.
    victor.wait_that(lambda: severities(victor) == [*["FATAL"] * 3, "LOG"], PATIENCE_S, "what is not muted")
    victor.wait_text(SHOWN, "hidden 1 muted")
