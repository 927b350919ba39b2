"""The text of a filter: it round-trips, means what it says, and says what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidInputError
from services.messages.filter_text import MAX_TEXT, parse, to_text
from services.messages.filters import all_of, any_of, words_of
from services.messages.types import (
    EVERYTHING,
    NOTHING,
    Contains,
    Exactly,
    Expression,
    Kind,
    KindIn,
    Name,
    NameIn,
    Not,
    Severity,
    SeverityIn,
    Since,
    Until,
    Words,
)
from tests.expressions import expressions

ERROR = SeverityIn(frozenset({Severity.ERROR}))
NP04 = NameIn(Name.SESSION, frozenset({"np04"}))
SLOW = Contains("timed out")
NOON_NS = 1_769_860_800_000_000_000


@given(expressions(st.text(max_size=8), st.text(max_size=8)))
def test_a_text_round_trips(expression: Expression) -> None:
    assert parse(to_text(expression)) == expression


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("all", EVERYTHING),
        ("none", NOTHING),
        ("severity=error,FATAL", SeverityIn(frozenset({Severity.ERROR, Severity.FATAL}))),
        ("kind=ers,process_manager", KindIn(frozenset({Kind.ERS, Kind.PROCESS_MANAGER}))),
        ('session=np04,"a b"', NameIn(Name.SESSION, frozenset({"np04", "a b"}))),
        ('application=""', NameIn(Name.APPLICATION, frozenset({""}))),
        ("topic=control.np04", NameIn(Name.TOPIC, frozenset({"control.np04"}))),
        ("name=ers::Issue,ACK", NameIn(Name.MESSAGE, frozenset({"ers::Issue", "ACK"}))),
        ('text~"timed out"', SLOW),
        (r'text="a \"b\" \\ c"', Exactly(r'a "b" \ c')),
        ("text~and", Contains("and")),
        ("words=readout", Words("readout")),
        ('words="read fail"', Words("read fail")),
        ("time>=2026-01-31T12:00:00Z", Since(NOON_NS)),
        ("time<2026-01-31T13:00:00.000000001+01:00", Until(NOON_NS + 1)),
        ("not not all", Not(Not(EVERYTHING))),
        ('severity=ERROR or session=np04 and text~"timed out"', any_of(ERROR, all_of(NP04, SLOW))),
        ('(severity=ERROR or session=np04) and text~"timed out"', all_of(any_of(ERROR, NP04), SLOW)),
        ("not severity=ERROR and session=np04", all_of(Not(ERROR), NP04)),
        ("not(severity=ERROR and session=np04)", Not(all_of(ERROR, NP04))),
    ],
)
def test_a_text_means_what_it_says(text: str, expression: Expression) -> None:
    assert parse(text) == expression


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severity", "ends where '=' is expected"),
        ("severity=", "ends where a value is expected"),
        ("severity=LOUD", "'LOUD' at character 10 is none of DEBUG, LOG, INFO, WARNING, ERROR, FATAL"),
        ("kind=opmon", "'opmon' at character 6 is none of controller, process_manager, ers"),
        ("host=np04", "'host' at character 1 is no field"),
        ("session=a session=b", "character 11: expected 'and', 'or' or the end"),
        ("session=a and", "ends where a term"),
        ("session=a,,b", "character 11: expected a value"),
        ("(session=a", "ends where ')' is expected"),
        ("session=a)", "character 10: expected 'and', 'or' or the end"),
        ('text~"open', "character 6: a quotation mark that is not closed"),
        ("text!a", "character 5: '!'"),
        ("words~a", "character 6: expected '='"),
        ("text a", "'~' (contains) or '=' (is exactly)"),
        ("time=2026-01-31T12:00:00Z", "'>=' or '<'"),
        ("time>=yesterday", "'yesterday' at character 7 is no time"),
        ("time>=2026-01-31T12:00:00", "is no time"),
        ("time>=2026-02-31T12:00:00Z", "is no time"),
        ("(" * 100 + "all" + ")" * 100, "nested deeper"),
        ("not " * 100 + "all", "nested deeper"),
        ("a" * (MAX_TEXT + 1), "longer than"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)
    assert said in caught.value.message
    assert caught.value.field == "where"


@given(st.text(alphabet='()=~<>,"\\ \0aé:-', max_size=30) | st.text(max_size=30))
def test_whatever_is_given_is_understood_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except InvalidInputError:
        return
    assert parse(to_text(found)) == found


@pytest.mark.parametrize(
    ("given_text", "words"),
    [
        ("", ()),
        ("- _ ! (", ()),
        ("Root-Controller_7", ("root", "controller", "7")),
        ("read READ Read", ("read",)),
        ("\u00c4rger \u0130x", ("\u00c4rger", "\u0130x")),
        ("a\0b", ("a\N{SYMBOL FOR NULL}b",)),
    ],
)
def test_a_text_has_words(given_text: str, words: tuple[str, ...]) -> None:
    assert words_of(given_text) == words
