"""The main job in a browser: refused, takes control, configures, and everybody sees it."""

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person

SESSION = "local-2x3-config"
CONTROLLER = f"/controller?session={SESSION}"
CONF = 'button[id*=\'"key":"conf"\']'
STATES = ".tree-row .tree-cell.is-state"


def node_states(person: Person) -> list[str]:
    return [text.strip() for text in person.texts(STATES)]


def execute(person: Person, transition: str) -> None:
    """Open the form of a transition and press its button."""
    person.click(f'button[id*=\'"key":"{transition}"\']')
    person.wait_text("#controller-form-head", transition)
    person.click("#controller-execute-button")


def take_control(person: Person) -> None:
    person.click("#controller-take-button[aria-disabled='false']")
    person.wait_text("#controller-control-result", ", took")


def process_names(person: Person) -> list[str]:
    """Names in the table from top to bottom, as far as rows are drawn."""
    script = """
        return Array.from(document.querySelectorAll('#processes-grid .ag-center-cols-container .ag-row'))
            .sort((one, other) => one.getAttribute('row-index') - other.getAttribute('row-index'))
            .map(row => row.querySelector('[col-id="name"]').innerText.trim())
    """
    return [str(name) for name in person.driver.execute_script(script)]


@pytest.mark.timeout(180)
def test_conf_from_refusal_to_the_last_node(new_person: NewPerson) -> None:
    watching = new_person("alice").open("/processes")
    watching.wait_that(lambda: len(process_names(watching)) > 10, 10, "processes in the table")
    watching.click("#processes-grid .ag-header-cell[col-id='name'] .ag-header-cell-label")
    sorted_names = watching.wait_for(
        lambda: (names := process_names(watching)) == sorted(names) and names, 5, "the table sorted by name"
    )

    alice = new_person("alice").open(CONTROLLER)
    alice.wait_that(lambda: len(node_states(alice)) == 16, 10, "all nodes of the tree")
    assert set(node_states(alice)) == {"initial"}

    execute(alice, "conf")
    refusal = alice.wait_text("#controller-form-result", "controller_init_token")
    assert "Nothing was sent" in refusal

    take_control(alice)
    alice.wait_text("#controller-control", "alice")
    alice.click("#controller-execute-button")
    # Not "done": the refusal says "Not done".
    alice.wait_text("#controller-form-result", ", took", 20)
    alice.wait_that(lambda: set(node_states(alice)) == {"configured"}, 10, "every node to be configured")

    alice.open(f"/messages?session={SESSION}&severity=FATAL,ERROR,WARNING,INFO,LOG,DEBUG")
    alice.wait_that(lambda: "execute_fsm_command" in alice.text("main"), 10, "the broadcasts of conf in the feed")

    bob = new_person("bob").open(CONTROLLER)
    bob.wait_text("#controller-control", "alice")
    bob.click(CONF.replace("conf", "start"))
    bob.wait_text("#controller-form", "alice")
    assert process_names(watching) == sorted_names


@pytest.mark.timeout(180)
def test_a_failed_grandchild_fails_the_command_by_name(new_person: NewPerson, installation: Installation) -> None:
    session = "local-1x1-config"
    installation.fail(session, "conf", "df-01")
    alice = new_person("alice").open(f"/controller?session={session}")
    take_control(alice)
    execute(alice, "conf")
    result = alice.wait_text("#controller-form-result", "df-01", 20)
    assert "failed" in result
    alice.wait_that(
        lambda: any("in error" in text and "df-01" in text for text in alice.texts(".tree-row")), 10, "df-01 in error"
    )


@pytest.mark.timeout(180)
def test_a_dead_process_is_told_on_every_page(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(f"/processes?session={SESSION}&q=df-03")
    alice.wait(".ag-row")
    installation.kill(SESSION, "df-03", exit_code=255)
    alice.wait_that(lambda: "255" in alice.text("main"), 10, "the exit code in the table")
    assert "ssh" in alice.text("main")
    for path in ("/", CONTROLLER, "/messages", "/rates"):
        alice.open(path)
        alice.wait_text("#strip .cell-alarms", "medium")
