"""Exports as files: CSV for spreadsheets, JSON lines for programs."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import StringIO

from flask import Response

from api.v1.answers import message_item, not_shown
from api.v1.models import Hidden
from api.v1.queries import ExportForm
from services.messages.export import Export, ExportEnd
from services.messages.types import MessageView

COLUMNS = (
    "id",
    "time",
    "severity",
    "kind",
    "session",
    "application",
    "name",
    "text",
    "topic",
    "partition",
    "offset",
    "detail",
)
# What makes a spreadsheet take a cell for a formula; the wide forms are what some locales type.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
            "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
_MIME = {ExportForm.CSV: "text/csv", ExportForm.JSON_LINES: "application/x-ndjson"}
Page = Sequence[MessageView]


def streamed(export: Export, form: ExportForm, limit: int, now: datetime) -> Response:
    """Return an answer that is written while it is read; the header ``X-Row-Limit`` says how many rows it may have."""
    lines = _csv if form is ExportForm.CSV else _json_lines
    response = Response(lines(export), mimetype=_MIME[form])
    response.headers["Content-Disposition"] = f'attachment; filename="messages-{now:%Y%m%dT%H%M%SZ}.{form}"'
    response.headers["X-Row-Limit"] = str(limit)
    return response


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe in front where it began like one."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _csv(export: Export) -> Iterator[str]:
    yield _csv_rows([COLUMNS])
    yield from _parts(export, lambda page: _csv_rows([_cells(message) for message in page]), _csv_end)


def _csv_rows(rows: Sequence[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cells(message: MessageView) -> Sequence[str]:
    item = message_item(message).model_dump(mode="json")
    item["detail"] = "" if message.detail is None else json.dumps(item["detail"], ensure_ascii=False)
    return [harmless(str(item[name])) for name in COLUMNS]


def _csv_end(end: ExportEnd) -> str:
    hidden = end.not_shown
    return _csv_rows(
        [
            [
                f"# {end.rows} messages, "
                + (f"not all: {end.reason}; go on with before={end.next_before}" if end.reason else "all that fit")
                + f"; {_left_out(end)}never stored: own echo {hidden.echo_not_stored}, "
                f"not decodable {hidden.quarantined}, gaps {hidden.gaps}"
            ]
        ]
    )


def _left_out(end: ExportEnd) -> str:
    return f"left out because muted {end.muted}; " if end.muted else ""


def _json_lines(export: Export) -> Iterator[str]:
    return _parts(export, lambda page: "".join(message_item(item).model_dump_json() + "\n" for item in page), _json_end)


def _json_end(end: ExportEnd) -> str:
    line = {
        "end": {
            "rows": end.rows,
            "complete": not end.reason,
            "reason": end.reason or None,
            "next": end.next_before,
            "not_shown": not_shown(end.not_shown).model_dump(),
            "hidden": Hidden(muted=end.muted).model_dump(),
        }
    }
    return json.dumps(line) + "\n"


def _parts(export: Export, of_page: Callable[[Page], str], of_end: Callable[[ExportEnd], str]) -> Iterator[str]:
    for part in export:
        yield of_end(part) if isinstance(part, ExportEnd) else of_page(part)
