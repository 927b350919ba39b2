"""Exports: exactly what the filter finds, an end that says whether it is all, and no formulas."""

import csv
import json
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from api.v1.export import COLUMNS, harmless
from models.database import Database
from services.accounts.types import Identity, Role
from services.clock import utc_now
from services.container import Services
from services.messages import export as export_module
from services.messages import queries as queries_module
from services.messages.store import MessageStore
from services.messages.types import Contains, Severity
from tests.db.services.messages.builders import batch, message, new_incarnation
from tests.web.conftest import Person

TEXTS = ["ready", '=HYPERLINK("x")', 'a "b", c\nd', "+1", "  @x", "Ärger", "x=1"]


@pytest.fixture(autouse=True)
def stored(web_database: Database) -> None:
    """Seven messages, one of them an error, one record that is no message, and three echoes."""
    messages = [
        message(text, severity=Severity.ERROR if text == "x=1" else Severity.INFO, session="-np04") for text in TEXTS
    ]
    incarnation = new_incarnation(web_database)
    MessageStore(web_database, utc_now).write(batch(incarnation, [*messages, "bad"], echo=3))


def export(person: Person, query: str = "") -> TestResponse:
    answer = person.client.get(f"/api/v1/messages/export?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer


def rows(answer: TestResponse) -> list[list[str]]:
    return list(csv.reader(StringIO(answer.get_data(as_text=True), newline="")))


def texts(found: Sequence[Sequence[str]]) -> list[str]:
    return [row[COLUMNS.index("text")] for row in found]


def test_a_csv_file_has_a_head_the_messages_and_an_end(viewer: Person) -> None:
    answer = export(viewer)
    head, *found, end = rows(answer)
    assert tuple(head) == COLUMNS
    assert texts(found) == ["x=1", "Ärger", "'  @x", "'+1", 'a "b", c\nd', '\'=HYPERLINK("x")', "ready"]
    assert {row[COLUMNS.index("session")] for row in found} == {"'-np04"}
    assert end == ["# 7 messages, all that fit; never stored: own echo 3, not decodable 1, gaps 0"]
    assert answer.mimetype == "text/csv"
    assert answer.headers["X-Row-Limit"] == "100000"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="messages-')


def test_json_lines_are_what_the_api_gives_and_an_end(viewer: Person) -> None:
    answer = export(viewer, "form=jsonl")
    *found, end = [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
    listed = viewer.client.get("/api/v1/messages").json
    assert listed is not None
    assert found == listed["items"]
    assert end == {"end": {"rows": 7, "complete": True, "reason": None, "next": None, "not_shown": listed["not_shown"],
                           "hidden": {"muted": 0}}}  # fmt: skip
    assert listed["not_shown"] == {"echo_not_stored": 3, "quarantined": 1, "gaps": 0}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("severity=ERROR", ["x=1"]),
        ("q=READY", ["ready"]),
        ("where=text~1", ["x=1", "'+1"]),
        ("q=r&match=not&before=6", ["'  @x", "'+1", 'a "b", c\nd']),
        ("after=2&before=4", ['a "b", c\nd']),
        ("after=6", ["x=1"]),
        ("where=none", []),
    ],
)
def test_exactly_what_fits_is_exported(viewer: Person, query: str, expected: list[str]) -> None:
    _head, *found, _end = rows(export(viewer, query))
    assert texts(found) == expected


def test_a_limit_is_said_and_the_next_file_goes_on(viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "MAX_LIMIT", 2)
    first = export(viewer, "limit=5")
    assert first.headers["X-Row-Limit"] == "5"
    _head, *found, end = rows(first)
    assert len(found) == 5
    assert end[0].startswith("# 5 messages, not all: the limit of 5 rows is reached; go on with before=3;")
    _head, *rest, end = rows(export(viewer, "limit=5&before=3"))
    assert len(texts([*found, *rest])) == len(set(texts([*found, *rest]))) == 7
    assert "all that fit" in end[0]
    last = json.loads(export(viewer, "limit=5&form=jsonl").get_data(as_text=True).splitlines()[-1])
    assert (last["end"]["complete"], last["end"]["next"]) == (False, 3)


def test_a_long_search_is_carried_on_to_its_end(viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries_module, "SCAN_IDS", 2)
    _head, *found, end = rows(export(viewer, "q=ready"))
    assert texts(found) == ["ready"]
    assert "all that fit" in end[0]


def test_an_export_says_what_it_leaves_out(viewer: Person, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "MAX_LIMIT", 2)
    olga = Identity("olga", Role.OPERATOR)
    services.mutes.add(olga, Contains("r"), Severity.INFO, timedelta(hours=1), "known")
    _head, *found, end = rows(export(viewer, "muted=hide"))
    assert texts(found) == ["x=1", "'  @x", "'+1", 'a "b", c\nd']
    assert end[0].startswith("# 4 messages, all that fit; left out because muted 3; never stored: ")
    last = json.loads(export(viewer, "muted=hide&form=jsonl").get_data(as_text=True).splitlines()[-1])
    assert last["end"]["hidden"] == {"muted": 3}
    assert len(rows(export(viewer))) == 9


def test_an_export_ends_when_its_time_is_up(viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1_000.0])
    monkeypatch.setattr(export_module, "MAX_LIMIT", 2)
    monkeypatch.setattr(export_module, "monotonic", lambda: next(times))
    _head, *found, end = rows(export(viewer))
    assert len(found) == 2
    assert end[0].startswith("# 2 messages, not all: the time for one export is up; go on with before=6;")


@given(st.text())
def test_no_cell_starts_a_formula(text: str) -> None:
    safe = harmless(text)
    assert safe.lstrip(" ")[:1] not in {*"=+-@\t\r\n＝＋－＠"}
    assert safe in (text, f"'{text}")
