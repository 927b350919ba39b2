"""The table of processes: rows for the grid, what changed between two looks, and the grid itself."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import html

from components.ages import epoch_ms
from components.badges import process_glyph, process_word
from components.grid import GridValue, grid, narrow
from components.strip import log_path
from services.run_control.exit_codes import exit_code_meaning
from services.run_control.process_types import Process, ProcessStatus

Row = dict[str, str | int | None]

# After so many updates everything is sent anew, in case a browser has lost one on the way.
RESYNC_AFTER = 50
G1_NUMBERS = 3

_TEXT_FILTER: Mapping[str, GridValue] = {
    "filter": "agTextColumnFilter",
    "floatingFilter": True,
    "suppressFloatingFilterButton": True,
    "filterParams": {"debounceMs": 150},
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What the tabs above the table say."""

    every: int
    running: int
    dead: int
    sessions: int
    hosts: int


@dataclass(frozen=True, slots=True)
class Update:
    """What a browser needs: all rows, or only what has changed; and what it knows afterwards.

    ``known`` maps uuid to a checksum of the row; ``sent`` counts the updates since all rows were sent.
    """

    rows: list[Row] | None
    transaction: Mapping[str, GridValue] | None
    known: dict[str, GridValue]


def process_row(process: Process) -> Row:
    """Return what the grid shows of a process. ``at_ms``: when it was first seen, or seen dead."""
    dead = process.status is ProcessStatus.DEAD
    moment = process.ended_at if dead else process.first_seen_at
    code = process.return_code
    return {
        "uuid": process.uuid,
        "name": process.name,
        "depth": tree_depth(process.tree_id),
        "session": process.session,
        "status": process_word(process.status),
        "shape": process_glyph(process.status, code).value,
        "return_code": code,
        "exit": "" if code is None else f"{code} {exit_code_meaning(code)}",
        "user": process.user,
        "hostname": process.hostname,
        "at_ms": None if moment is None else epoch_ms(moment),
        "log": log_path(process),
    }


def tree_depth(tree_id: str | None) -> int:
    """Return how deep a tree id stands (contract 9.6); 0 without one.

    G1 always has three numbers (root ``1.0.0``, controllers ``1.N.0``, applications ``1.N.M``, infrastructure
    ``1.0.K``). Later generations have a path of any length whose tree begins with 0, so the two cannot be mistaken.
    """
    numbers = (tree_id or "").split(".")
    if len(numbers) == G1_NUMBERS and numbers[0] == "1":
        return sum(number != "0" for number in numbers[1:])
    return len(numbers) - 1


def count(processes: Sequence[Process]) -> Counts:
    """Count processes by status, and the sessions and hosts they belong to."""
    dead = sum(process.status is ProcessStatus.DEAD for process in processes)
    return Counts(
        every=len(processes),
        running=len(processes) - dead,
        dead=dead,
        sessions=len({process.session for process in processes}),
        hosts=len({process.hostname for process in processes}),
    )


def update(processes: Sequence[Process], known: Mapping[str, GridValue] | None) -> Update | None:
    """Compare with what a browser knows; None when it is up to date.

    New rows need their place in the tree, which a transaction cannot give: then all rows are sent. The grid keeps
    selection, sort, filters and scroll position either way, because rows are known by their uuid.
    """
    rows = [process_row(process) for process in processes]
    sums = {str(row["uuid"]): _checksum(row) for row in rows}
    before = known.get("rows") if known else None
    sent = known.get("sent") if known else None
    if not isinstance(before, dict) or not isinstance(sent, int) or sent >= RESYNC_AFTER or sums.keys() - before.keys():
        return Update(rows, None, {"rows": sums, "sent": 0})
    changed = [row for row in rows if sums[str(row["uuid"])] != before[str(row["uuid"])]]
    removed = [{"uuid": uuid} for uuid in before if uuid not in sums]
    if not changed and not removed:
        return None
    transaction = {"update": changed, "remove": removed, "async": False}
    return Update(None, transaction, {"rows": sums, "sent": sent + 1})


def process_grid(component_id: str, search: str, filter_model: Mapping[str, GridValue]) -> html.Div:
    """Return the grid without rows, with the search and the filters of the address."""
    return grid(
        component_id,
        [
            {
                "field": "name",
                "headerName": "Process, by tree",
                "cellRenderer": "ConsoleProcess",
                "width": 210,
                **narrow(136),
            },
            {"field": "status", "headerName": "Status", "cellRenderer": "ConsoleStatus", "width": 100, **narrow(90)},
            {"field": "session", "headerName": "Session", "width": 160, "cellClass": "quiet", **narrow(72)},
            {"field": "exit", "headerName": "Exit code", "cellRenderer": "ConsoleExit", "width": 220},
            {
                "field": "log",
                "headerName": "Log",
                "cellRenderer": "ConsoleLog",
                "width": 104,
                "filter": False,
                "sortable": False,
            },
            {"field": "user", "headerName": "User", "width": 90, "cellClass": "quiet"},
            {"field": "hostname", "headerName": "Host", "width": 120},
            {
                "field": "at_ms",
                "headerName": "Age",
                "cellRenderer": "ConsoleAge",
                "width": 100,
                "type": "rightAligned",
                "comparator": {"function": "consoleOlderFirst"},
                "filter": False,
            },
            {"field": "uuid", "headerName": "UUID", "flex": 1, "minWidth": 286, "cellClass": "mono"},
        ],
        row_id="uuid",
        row_classes={"row-dead": "params.data.status == 'dead' && params.data.return_code != 0"},
        options={
            "quickFilterText": search,
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False},
            "selectionColumnDef": {"width": 42},
            "defaultColDef": dict(_TEXT_FILTER)
            | {
                "sortable": True,
                "resizable": True,
                "suppressHeaderMenuButton": True,
                "suppressHeaderFilterButton": True,
            },
            "floatingFiltersHeight": 34,
            "localeText": {
                "noRowsToShow": "There are no processes.",
                "noMatchingRows": "No process matches. Drop a filter, or clear the search.",
            },
        },
        label="Processes",
        filter_model=filter_model,
        class_name="process-grid",
    )


def _checksum(row: Row) -> int:
    return zlib.crc32(repr(tuple(row.values())).encode())
