"""Rows of the table of processes, and what is sent when something changes."""

import pytest

from components.process_table import RESYNC_AFTER, count, process_grid, process_row, tree_depth, update
from services.run_control.process_types import Process
from tests.unit.components.samples import NOW, dead, process

TWO = (process(uuid="a"), process(uuid="b", name="df-01"))


def known(processes: tuple[Process, ...] = TWO, sent: int = 0) -> dict[str, object]:
    found = update(processes, None)
    assert found is not None
    return {**found.known, "sent": sent}


@pytest.mark.parametrize(
    ("tree_id", "depth"),
    [
        ("1.0.0", 0),
        ("1.0.1", 1),
        ("1.1.0", 1),
        ("1.2.3", 2),
        ("1.10.0", 1),
        ("0", 0),
        ("0.1", 1),
        ("0.1.0", 2),
        ("0.1.0.2", 3),
        ("1", 0),
        (None, 0),
        ("", 0),
    ],
)
def test_depth_by_generation(tree_id: str | None, depth: int) -> None:
    assert tree_depth(tree_id) == depth


def test_a_row_of_a_running_process() -> None:
    row = process_row(process())
    assert (row["status"], row["shape"]) == ("running", "alive")
    assert (row["return_code"], row["exit"]) == (None, "")
    assert (row["hostname"], row["depth"]) == ("np04-srv-029", 2)


def test_a_row_of_a_dead_process_ages_from_its_end() -> None:
    row = process_row(dead())
    assert (row["status"], row["shape"], row["exit"]) == ("dead", "dead", "255 ssh connection lost or killed")
    assert process_row(dead(return_code=0))["shape"] == "ended"
    assert row["at_ms"] == int(NOW.timestamp() * 1000)


def test_a_process_nobody_saw_begin_has_no_age() -> None:
    assert process_row(process(first_seen_at=None))["at_ms"] is None


def test_a_row_leads_to_its_log_in_its_session() -> None:
    row = process_row(process(uuid="../a b", session="s&t"))
    assert row["log"] == "/processes/..%2Fa%20b/log?session=s%26t"


def test_counts() -> None:
    counts = count((*TWO, dead(uuid="c", session="other", hostname="h2")))
    assert (counts.every, counts.running, counts.dead, counts.sessions, counts.hosts) == (3, 2, 1, 2, 2)


def test_all_rows_at_first() -> None:
    found = update(TWO, None)
    assert found is not None
    assert [row["uuid"] for row in found.rows or ()] == ["a", "b"]
    assert found.transaction is None


def test_nothing_when_nothing_changed() -> None:
    assert update(TWO, known()) is None


def test_only_what_changed() -> None:
    found = update((TWO[0], dead(uuid="b", name="df-01")), known())
    assert found is not None
    assert found.rows is None
    assert found.transaction is not None
    changed = found.transaction["update"]
    assert isinstance(changed, list)
    assert [(row["uuid"], row["status"]) for row in changed] == [("b", "dead")]
    assert found.known["sent"] == 1
    assert update((TWO[0], dead(uuid="b", name="df-01")), found.known) is None


def test_what_is_gone_is_removed() -> None:
    found = update(TWO[:1], known())
    assert found is not None
    assert found.transaction is not None
    assert found.transaction["remove"] == [{"uuid": "b"}]


def test_new_rows_bring_all_because_only_then_is_there_an_order() -> None:
    found = update((*TWO, process(uuid="c")), known())
    assert found is not None
    assert len(found.rows or ()) == 3


def test_everything_anew_from_time_to_time() -> None:
    changed = (TWO[0], dead(uuid="b"))
    almost, due = update(changed, known(sent=RESYNC_AFTER - 1)), update(changed, known(sent=RESYNC_AFTER))
    assert almost is not None
    assert almost.rows is None
    assert due is not None
    assert len(due.rows or ()) == 2
    assert due.known["sent"] == 0


@pytest.mark.parametrize("nonsense", [{}, {"rows": 3, "sent": 0}, {"rows": {}, "sent": "x"}, {"sent": 1}])
def test_what_a_browser_makes_up_gets_all_rows(nonsense: dict[str, object]) -> None:
    found = update(TWO, nonsense)
    assert found is not None
    assert len(found.rows or ()) == 2


def test_the_grid_begins_with_the_view_of_the_address() -> None:
    made = process_grid("g", "df", {"hostname": {"filterType": "text", "type": "contains", "filter": "np04"}}).children
    assert made.dashGridOptions["quickFilterText"] == "df"
    assert made.filterModel["hostname"]["filter"] == "np04"
    assert made.getRowId == "params.data.uuid"
    assert [column["field"] for column in made.columnDefs] == [
        "name",
        "status",
        "session",
        "exit",
        "log",
        "user",
        "hostname",
        "at_ms",
        "uuid",
    ]
