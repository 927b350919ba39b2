"""What the browser is sent of a log."""

from urllib.parse import parse_qs, urlsplit

import pytest

from components.log_table import (
    KNOWN_LINES,
    Wanted,
    all_lines,
    checksum,
    known,
    level,
    line_address,
    log_columns,
    log_grid,
    more_lines,
    place,
    plain,
    reach,
    width,
)

LINES = ("INFO begin", "same", "ERROR it broke", "same", "end")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-Nov-20 03:12:44,318 ERROR [Module::do_work(...) at f.cpp:3] no", "E"),
        ("[03:12:44] WARNING   controller: late", "W"),
        ("WARN late", "W"),
        ("CRITICAL gone", "F"),
        ("FATAL gone", "F"),
        ("INFO no ERROR here", "."),
        ("ERRORS 0", "."),
        ("an error in small letters", "."),
        ("", "."),
        ("x" * 500 + " ERROR", "."),
    ],
)
def test_how_grave_a_line_is(line: str, expected: str) -> None:
    assert level(line) == expected


def test_colours_of_terminals_are_taken_out_and_markup_stays_text() -> None:
    assert plain(["\x1b[31mERROR\x1b[0m <b>no</b>", "a\tb"]) == ("ERROR <b>no</b>", "a   b")


def test_all_lines_then_more_then_nothing() -> None:
    assert all_lines(LINES) == {"mode": "reset", "lines": list(LINES), "levels": "..E..", "goto": None}
    assert more_lines(LINES[4:]) == {"mode": "append", "lines": ["end"], "levels": "."}
    assert more_lines(())["mode"] == "same"


def test_only_the_last_lines_are_known_again() -> None:
    many = [str(number) for number in range(KNOWN_LINES + 5)]
    assert known(many) == [checksum(line) for line in many[5:]]


def test_a_link_finds_the_nearest_line_with_its_text() -> None:
    assert place(LINES, Wanted(5, checksum("same"))) == 4
    assert place(LINES, Wanted(1, checksum("same"))) == 2
    assert place(LINES, Wanted(2, checksum("gone"))) is None
    assert all_lines(LINES, Wanted(9, checksum("end")))["goto"] == 5


def test_an_address_leads_back_to_its_line() -> None:
    query = parse_qs(urlsplit(line_address("/processes/u/log", 1000, 4, LINES[3], "s&t")).query)
    assert query == {"session": ["s&t"], "lines": ["1000"], "line": ["4"], "mark": [checksum("same")]}
    assert "session" not in line_address("/processes/u/log", 1000, 4, "x", None)


def test_it_says_from_where_on_it_was_read() -> None:
    assert reach(5, 100) == "the whole log"
    assert reach(100, 100) == "from the last 100 lines on; numbers count from there"


def test_lines_have_room_unless_they_wrap() -> None:
    assert width(["x" * 100]) > 700
    assert width(["x" * 100_000]) == width(["x" * 4000])
    wide, wrapped = (log_columns(wrapped=how, width_px=900)[1] for how in (False, True))
    assert (wide["minWidth"], wide["autoHeight"]) == (900, False)
    assert (wrapped["minWidth"], wrapped["autoHeight"]) == (200, True)


def test_the_grid_knows_lines_by_their_number() -> None:
    assert log_grid("g").children.getRowId == "params.data.n"
