"""A process's log as a table: what is sent to the browser for its lines, the grid that shows them, a link to one."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from dash import html

from components.grid import ROW_LINE, GridValue, grid
from components.icons import Glyph
from components.words import counted

# An answer for the log in the browser (assets/log.js), JSON:
#   mode    "reset" (these lines instead of all), "append", or "same" (nothing new)
#   lines   texts, oldest first
#   levels  a letter for each line: F, E, W, or a dot
#   goto    number of the line to show, None for the end
Delta = dict[str, object]

# Lines are told again by this many last ones: more at once than these mean that some were missed.
KNOWN_LINES = 500
_CHARACTER_PX = 7.3
_MARGIN_PX = 40
_WIDEST_CHARACTERS = 4000
# Where loggers put the severity: near the beginning.
_HEAD_CHARACTERS = 160
_LEVEL = re.compile(r"\b(FATAL|CRITICAL|ERROR|WARNING|WARN|INFO|LOG|DEBUG|TRACE)\b")
_LETTERS = {"FATAL": "F", "CRITICAL": "F", "ERROR": "E", "WARNING": "W", "WARN": "W"}
_SHAPES = {"F": Glyph.FATAL, "E": Glyph.ERROR, "W": Glyph.WARNING}
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that an address leads to: its number when the link was made, and the checksum of its text."""

    number: int
    checksum: str


def plain(lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines without the escapes that colour them in a terminal (contract 9.5), and with tabs as blanks."""
    return tuple(_COLOURS.sub("", line).expandtabs(4) for line in lines)


def level(line: str) -> str:
    """Return how grave a line says it is: F, E or W, else a dot. The first word that names a severity counts."""
    found = _LEVEL.search(line, 0, _HEAD_CHARACTERS)
    return _LETTERS.get(found[1], ".") if found else "."


def checksum(line: str) -> str:
    """Return a short mark of a line's text, the same everywhere."""
    return f"{zlib.crc32(line.encode('utf-8', 'replace')):08x}"


def known(lines: Sequence[str]) -> list[str]:
    """Return marks of the last lines, which the browser keeps and gives back when it asks for what is new."""
    return [checksum(line) for line in lines[-KNOWN_LINES:]]


def all_lines(lines: Sequence[str], wanted: Wanted | None = None) -> Delta:
    """Return what replaces all lines of the browser, beginning with number 1."""
    return _delta("reset", lines) | {"goto": None if wanted is None else place(lines, wanted)}


def more_lines(lines: Sequence[str]) -> Delta:
    """Return what is put below the lines of the browser."""
    return _delta("append" if lines else "same", lines)


def place(lines: Sequence[str], wanted: Wanted) -> int | None:
    """Return the number of the line a link leads to: the nearest of those with its text. None if none has it."""
    same = [number for number, line in enumerate(lines, 1) if checksum(line) == wanted.checksum]
    return min(same, key=lambda number: abs(number - wanted.number), default=None)


def line_address(path: str, lines: int, number: int, text: str, session: str | None) -> str:
    """Return the address of a line."""
    query = {"lines": str(lines), "line": str(number), "mark": checksum(text)}
    return f"{path}?{urlencode(({'session': session} if session else {}) | query)}"


def reach(read: int, asked: int) -> str:
    """Return from where on a log was read."""
    if read < asked:
        return "the whole log"
    return f"from the last {counted(read, 'line')} on; numbers count from there"


def width(lines: Sequence[str]) -> int:
    """Return how wide the longest of these lines is, in pixels."""
    return round(min(max(map(len, lines), default=0), _WIDEST_CHARACTERS) * _CHARACTER_PX) + _MARGIN_PX


def log_columns(*, wrapped: bool, width_px: int = 0) -> list[Mapping[str, GridValue]]:
    """Return the columns: number with the severity's shape, and the text, which wraps or is ``width_px`` wide."""
    text: dict[str, GridValue] = {
        "field": "text",
        "headerName": "Line",
        "cellRenderer": "ConsoleLine",
        "cellClass": "log-text",
        "wrapText": wrapped,
        "autoHeight": wrapped,
        "flex": 1,
        "minWidth": 200 if wrapped else max(width_px, 200),
        "filter": "agTextColumnFilter",
    }
    number: dict[str, GridValue] = {
        "field": "n",
        "headerName": "Number",
        "cellClass": "log-number",
        "cellClassRules": {f"glyph-{shape}": f"params.data.level == '{letter}'" for letter, shape in _SHAPES.items()},
        "width": 92,
        "pinned": "left",
    }
    return [number, text]


def log_grid(component_id: str) -> html.Div:
    """Return the grid without lines. Only rows in sight are drawn, however many there are."""
    return grid(
        component_id,
        log_columns(wrapped=False),
        row_id="n",
        row_height=ROW_LINE,
        header_height=0,
        row_classes={
            "row-fatal": "params.data.level == 'F'",
            "row-error": "params.data.level == 'E'",
            "row-warning": "params.data.level == 'W'",
        },
        options={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "defaultColDef": {"sortable": False, "resizable": False},
            "localeText": {"noRowsToShow": "No line was read.", "noMatchingRows": "Nothing is found in these lines."},
        },
        label="Lines of the log",
        class_name="log-grid",
    )


def _delta(mode: str, lines: Sequence[str]) -> Delta:
    return {"mode": mode, "lines": list(lines), "levels": "".join(map(level, lines))}
