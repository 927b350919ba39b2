"""The table of alarms and what is said of one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from components.alarm_table import alarm_details, alarm_row, ended_table, links, rate_bars, rules_table
from services.alarms.guidance import DEFAULTS
from services.alarms.types import AlarmKind, AlarmRate, AlarmView, Burst, Guidance, Priority, RuleView, Shelf
from tests.unit.components.samples import NOW
from tests.unit.components.trees import having, hrefs, text

ALARM = AlarmView(
    id=7,
    key="process:u-1",
    kind=AlarmKind.PROCESS,
    priority=Priority.HIGH,
    session="local & remote",
    subject="df-01",
    text="it <b>died",
    occurrences=3,
    raised_at=NOW,
    last_at=NOW,
    message_id=None,
    cleared_at=None,
    acknowledged_at=None,
    acknowledged_by=None,
    ended_at=None,
)
ACKNOWLEDGED = replace(ALARM, acknowledged_at=NOW, acknowledged_by="alice")
SHELVED = replace(ALARM, shelf=Shelf("bob", NOW + timedelta(hours=1), "spare part ordered"))


@pytest.mark.parametrize(
    ("alarm", "said"),
    [
        (ALARM, "active"),
        (ACKNOWLEDGED, "acknowledged by alice"),
        (SHELVED, "shelved by bob"),
        (replace(ALARM, cleared_at=NOW), "gone, not acknowledged"),
    ],
)
def test_a_row_says_where_it_stands(alarm: AlarmView, said: str) -> None:
    row = alarm_row(alarm)
    assert (row["state"], row["status"], row["id"]) == (said, "high", "7")
    assert row["calls"] is (alarm in (ALARM, replace(ALARM, cleared_at=NOW)))


def test_an_alarm_is_told_with_its_guidance_and_who_wrote_it() -> None:
    said = text(alarm_details(SHELVED, Guidance("it means", "do this", "", "carol")))
    for part in (
        "df-01",
        "it <b>died",
        "3 times",
        "spare part ordered",
        "it means",
        "do this",
        "nobody is named",
        "carol",
    ):
        assert part in said


def test_the_rule_that_raised_an_alarm_is_named() -> None:
    by_rule = replace(ALARM, kind=AlarmKind.MESSAGE, rule="Fragments are <missing>")
    assert "Rule Fragments are <missing>" in text(alarm_details(by_rule, Guidance("", "")))
    assert "Rule" not in text(alarm_details(ALARM, Guidance("", "")))


def test_rules_are_listed_with_the_messages_they_fit() -> None:
    table = rules_table(
        [RuleView("Trips", 'words="beam & trip"', None), RuleView("", "all", Priority.LOW, Burst(20, 60))]
    )
    said = text(table)
    assert 'Trips words="beam & trip" raises none one message' in said
    assert "built in all low 20 within 60 s" in said
    every = "severity=FATAL%2CERROR%2CWARNING%2CINFO%2CLOG%2CDEBUG"
    assert f"/messages?{every}&where=words%3D%22beam%20%26%20trip%22" in hrefs(table)


def test_every_kind_has_guidance_of_its_own() -> None:
    assert {kind for kind in AlarmKind if DEFAULTS[kind].meaning and DEFAULTS[kind].action} == set(AlarmKind)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (AlarmKind.PROCESS, "/processes?session=local%20%26%20remote&q=df-01"),
        (AlarmKind.NODE, "/controller?session=local%20%26%20remote"),
        (AlarmKind.BACKEND, "/status?session=local%20%26%20remote"),
        (AlarmKind.MESSAGE, "/messages?session=local%20%26%20remote"),
    ],
)
def test_links_lead_to_what_it_is_about(kind: AlarmKind, path: str) -> None:
    assert path in hrefs(links(replace(ALARM, kind=kind)))


def test_what_ended_names_who_acknowledged() -> None:
    assert "No alarm has ended" in text(ended_table(()))
    assert "alice" in text(ended_table([replace(ACKNOWLEDGED, ended_at=NOW)]))


def test_rates_are_said_in_words_too() -> None:
    rates = [AlarmRate(NOW + timedelta(minutes=10 * step), step) for step in range(12)]
    drawn = rate_bars(rates)
    assert "11 alarms in these ten minutes, 66 in 2 h, at most 11 in ten minutes." in text(drawn)
    assert len(having(drawn, "alarm-bar")) == 12
