"""The table of 2 000 processes in a browser: live, and nothing that a person set up is lost by it."""

import json
from collections.abc import Iterator

import pytest

from simulator.installation import Installation
from tests.browser.conftest import NewPerson
from tests.browser.person import Person
from tests.kafka import KafkaBroker

APPLICATIONS = 2_000
SESSION = f"generated-{APPLICATIONS}"
VIEW = """
    const api = window.dash_ag_grid.getApi('processes-grid');
    const cell = api.getFocusedCell();
    return JSON.stringify({
        selected: api.getSelectedRows().map(row => row.name).sort(),
        sorted: api.getColumnState().filter(column => column.sort).map(column => [column.colId, column.sort]),
        filtered: api.getFilterModel(),
        top: api.getVerticalPixelRange().top,
        focused: cell && [api.getDisplayedRowAtIndex(cell.rowIndex).data.name, cell.column.getColId()],
    });
"""


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """One session of 2 000 applications."""
    simulated = Installation(sessions=[SESSION], kafka_address=kafka_broker.address)
    simulated.start()
    yield simulated
    simulated.stop()


def view(person: Person) -> dict[str, object]:
    return dict(json.loads(person.driver.execute_script(VIEW)))


def count(person: Person, status: str) -> int:
    """Return what a tab counts; 0 as long as it counts nothing."""
    said = person.text(f"#processes-count-{status}")
    return int(said) if said.isdigit() else 0


@pytest.mark.timeout(400)
def test_two_thousand_rows_live(new_person: NewPerson, installation: Installation) -> None:
    alice = new_person("alice").open(f"/processes?session={SESSION}")
    alice.wait_that(lambda: count(alice, "all") > APPLICATIONS, 90, "all rows")
    drawn = len(alice.find("#processes-grid .ag-center-cols-container .ag-row"))
    assert 0 < drawn < 100
    alice.click("#processes-grid .ag-header-cell[col-id='name'] .ag-header-cell-label")
    names = alice.driver.execute_script("""
        const api = window.dash_ag_grid.getApi('processes-grid');
        api.setFilterModel({status: {filterType: 'text', type: 'contains', filter: 'n'}});
        const rows = [1200, 1201, 1300].map(index => api.getDisplayedRowAtIndex(index));
        rows.forEach(row => row.setSelected(true));
        api.ensureIndexVisible(1200, 'top');
        api.setFocusedCell(1203, 'hostname');
        return rows.map(row => row.data.name);
    """)
    alice.wait_text("#processes-selection", "3 selected", 20)
    alice.wait_text("#processes-kill-button", "Kill 3…")
    before = view(alice)
    assert before["selected"] == sorted(names)
    assert before["focused"]

    # What dies sorts behind what is looked at, so that no row above may move.
    behind = alice.driver.execute_script("""
        const api = window.dash_ag_grid.getApi('processes-grid');
        return [1900, 1910, 1920, 1930].map(index => api.getDisplayedRowAtIndex(index).data.name);
    """)
    for number, name in enumerate(behind, 1):
        installation.kill(SESSION, name, exit_code=137)
        alice.wait_text("#processes-count-dead", str(number), 30)
        assert view(alice) == before

    alice.click("#processes-kill-button[aria-disabled=false]")
    alice.wait_text("#processes-dialog-title", "Kill 3 processes?", 20)
    alice.click("#processes-confirm-button[aria-disabled=false]")
    alice.wait_text("#processes-commands details.command", "3 of 3 processes killed", 40)
    alice.wait_text("#processes-selection", "None selected", 20)
    after = view(alice)
    assert (after["sorted"], after["filtered"]) == (before["sorted"], before["filtered"])
