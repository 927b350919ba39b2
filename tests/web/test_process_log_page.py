"""The callbacks of the page of one process's log, on a process manager that is not there and on one that is."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import pytest
from dash import no_update
from flask import Flask

from components.log_table import KNOWN_LINES, checksum
from models.database import Database
from simulator.installation import Installation
from tests.db.services.run_control.rows import ALICE, SESSION, VIEWER, process_row
from tests.unit.components.reading import attribute, drawn, walk, with_class, words
from tests.web.conftest import As

ALL = {"all": True, "lines": 1000}
SINCE = {"all": False, "lines": 1000}
SIMULATED = "local-1x1-config"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    simulated = Installation(sessions=[SIMULATED])
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.processes.log")


def test_the_head_names_the_process_and_what_ended_it(page: ModuleType, as_person: As, web_database: Database) -> None:
    with web_database.write() as tx:
        tx.add(process_row("u-1", name="df-03", status_code="DEAD", return_code=137))
    with as_person(VIEWER):
        said = words(drawn(page.show_head(0, "u-1")))
        gone = words(drawn(page.show_head(0, "u-2")))
    assert said.startswith(f"df-03 dead {SESSION}, dunedaq on localhost u-1 exit code 137, killed (SIGKILL)")
    assert gone == "not listed any more"


def test_who_may_not_read_logs_is_told(page: ModuleType, as_person: As) -> None:
    with as_person(VIEWER):
        delta, known, _, problem, _ = page.read(ALL, "u-1", None, None, None)
    assert (delta["lines"], known) == ([], no_update)
    assert "You may not read logs" in words(drawn(problem))
    assert "process.logs" in words(drawn(problem))


def test_a_process_manager_that_does_not_answer(page: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        first = page.read(ALL, "u-1", None, None, None)
        later = page.read(SINCE, "u-1", ["00000000"], None, 900)
    assert "The log was not read." in words(drawn(first[3]))
    assert with_class(drawn(first[3]), "notice-error")
    # What was read before stays where it is.
    assert later[0]["mode"] == "same"
    assert later[1:3] == (no_update, no_update)


@pytest.mark.parametrize(
    ("query", "lines", "wanted"),
    [
        ({}, "1000", None),
        ({"lines": "100"}, "100", None),
        ({"lines": "99999999"}, "1000", None),
        ({"lines": "<b>"}, "1000", None),
        ({"lines": "100", "line": "7", "mark": "00ff"}, "100", {"number": 7, "checksum": "00ff"}),
        ({"line": "x", "mark": "00ff"}, "1000", None),
        ({"line": "\u00b2", "mark": "00ff"}, "1000", None),
        ({"line": "7"}, "1000", None),
    ],
)
def test_the_address_says_how_much_and_which_line(
    page: ModuleType, query: dict[str, str], lines: str, wanted: object
) -> None:
    parts = {getattr(part, "id", None): part for part in walk(page.layout(uuid="u-1", **query))}
    assert parts[page.LINES].value == lines
    assert attribute(parts[page.WANTED], "data") == wanted


def test_a_selected_line_has_an_address(page: ModuleType, as_person: As) -> None:
    with as_person(ALICE):
        shown = page.show_link([{"n": 12, "text": "<b>"}], "u-1", "100", "s")
        nothing = page.show_link([], "u-1", "100", "s")
    assert "Link to line 12" in words(drawn(shown))
    assert f"/processes/u-1/log?session=s&lines=100&line=12&mark={checksum('<b>')}" in shown
    assert drawn(nothing) == []


class Reader:
    """Reads the log of a process as a browser does: keeps what it is told, and gives it back."""

    def __init__(self, page: ModuleType, uuid: str) -> None:
        self._page, self._uuid = page, uuid
        self._known: list[str] | None = None
        self.said = ""

    def ask(self, ask: Mapping[str, object], wanted: object = None) -> dict[str, object]:
        delta, known, said, problem, _ = self._page.read(ask, self._uuid, self._known, wanted, 0)
        assert drawn(problem) == []
        if known is not no_update:
            self._known = known
        if said is not no_update:
            self.said = words(drawn(said))
        return dict(delta)


def numbered(*numbers: int) -> Sequence[str]:
    return [f"line {number}" for number in numbers]


@pytest.fixture
def reader(
    page: ModuleType, app: Flask, installation: Installation, monkeypatch: pytest.MonkeyPatch, as_person: As
) -> Iterator[Reader]:
    logs = app.extensions["services"].process_logs
    monkeypatch.setattr(logs, "_address", installation.process_manager_address)
    with as_person(ALICE):
        adapters = logs._open_adapters()
        listed = adapters.process_manager(installation.process_manager_address).processes("alice")
        adapters.close()
        yield Reader(page, next(process.uuid for process in listed if process.name == "df-01"))


def test_all_then_only_what_is_new_then_all_again_after_a_gap(reader: Reader, installation: Installation) -> None:
    first = reader.ask(ALL)
    assert first["mode"] == "reset"
    assert reader.said.startswith("the whole log")
    assert reader.ask(SINCE)["mode"] == "same"
    installation.write_log(SIMULATED, "df-01", numbered(1, 2, 3))
    more = reader.ask(SINCE)
    assert (more["mode"], more["lines"]) == ("append", numbered(1, 2, 3))
    installation.write_log(SIMULATED, "df-01", numbered(*range(10, 10 + KNOWN_LINES + 1)))
    again = reader.ask(SINCE)
    assert again["mode"] == "reset"
    assert len(again["lines"]) > KNOWN_LINES + 3  # type: ignore[arg-type]  # a list
    found = reader.ask(ALL, {"number": 1, "checksum": checksum("line 10")})
    assert found["lines"][int(str(found["goto"])) - 1] == "line 10"  # type: ignore[index]  # a list
    reader.ask(ALL, {"number": 1, "checksum": "gone"})
    assert "the line of the link is not among them" in reader.said
    reader.ask({"all": True, "lines": 100})
    assert reader.said.startswith("from the last 100 lines on")


def test_a_process_that_is_not_listed(page: ModuleType, reader: Reader) -> None:
    problem = page.read(ALL, "nobody", None, None, None)[3]
    assert "This log cannot be read any more" in words(drawn(problem))
