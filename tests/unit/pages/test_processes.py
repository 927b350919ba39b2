"""Callbacks of the table of processes."""

import json
from types import ModuleType

import pytest
from dash import no_update

from tests.unit.components.samples import backend, dead, process
from tests.unit.components.trees import attribute, text, walk
from tests.unit.pages.conftest import RunControl, import_page

pytestmark = pytest.mark.usefixtures("request_of_somebody")


@pytest.fixture(scope="module")
def processes(dash_app: object) -> ModuleType:
    return import_page("processes.page")


def test_rows_then_changes_then_nothing(processes: ModuleType, run_control: RunControl) -> None:
    run_control.all_processes = (process(uuid="a"), process(uuid="b"))
    rows, transaction, known, *_ = processes.show_processes(1, None)
    assert [row["uuid"] for row in rows] == ["a", "b"]
    assert transaction is no_update

    run_control.all_processes = (process(uuid="a"), dead(uuid="b"))
    rows, transaction, known, *_ = processes.show_processes(2, known)
    assert rows is no_update
    assert [row["uuid"] for row in transaction["update"]] == ["b"]

    assert processes.show_processes(3, known)[:3] == (no_update, no_update, no_update)


def test_the_tabs_count(processes: ModuleType, run_control: RunControl) -> None:
    run_control.all_processes = (process(uuid="a"), dead(uuid="b", session="other"))
    _, _, _, every, running, gone, sessions, hosts, look, _ = processes.show_processes(1, None)
    assert (every, running, gone) == ("2", "1", "1")
    assert (text(sessions), text(hosts)) == ("2 sessions", "1 host")
    assert look == "tab"


def test_no_dead_is_quiet(processes: ModuleType, run_control: RunControl) -> None:
    run_control.all_processes = (process(),)
    assert processes.show_processes(1, None)[8] == "tab is-nothing"


def test_the_age_is_that_of_the_process_manager(processes: ModuleType, run_control: RunControl) -> None:
    run_control.addresses = (backend(),)
    shown = processes.show_processes(1, None)[-1]
    assert attribute(shown, "data-polled") == "process_manager"
    assert attribute(shown, "data-stale-after-s") == "3"


@pytest.mark.parametrize(
    ("given", "status", "names"),
    [
        (None, "all", []),
        (None, "dead", ["status"]),
        ('{"hostname": {"filter": "np04"}}', "dead", ["hostname", "status"]),
        ("no json", "running", ["status"]),
        ("[1]", "all", []),
        ('{"hostname": 3}', "all", []),
        (None, "<script>", []),
    ],
)
def test_the_address_gives_the_filters(processes: ModuleType, given: str | None, status: str, names: list[str]) -> None:
    assert list(processes.filter_model(given, status)) == names


def test_the_layout_takes_its_view_from_the_address(processes: ModuleType) -> None:
    shown = processes.layout(q="df", status="dead", filter=json.dumps({"user": {"filter": "x"}}), session="s")
    grid = next(part for part in walk(shown) if getattr(part, "id", None) == processes.ids.GRID)
    assert set(grid.filterModel) == {"status", "user"}
    assert grid.dashGridOptions["quickFilterText"] == "df"
