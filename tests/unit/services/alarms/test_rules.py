"""Rules of alarms as a site writes them: what is understood, and that each mistake is named with its line."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import true

from services.alarms.rules import BUILT_IN, MessageCondition, RulesError, guidance_by_rule, read_rules
from services.alarms.types import Burst, Guidance, Priority, RuleView
from services.messages.filter_text import parse

ROOT = Path(__file__).parents[4]
GOOD = """\
rules:
  - name: Beam trips
    filter: words="beam trip"
    priority: none
  - name: Fragments
    filter: severity=WARNING and text~"fragment missing"
    at_least: 20
    within_s: 60
    priority: low
    action: Look at the rates.
"""


def condition_of(text: str) -> MessageCondition:
    parse(text)
    return lambda _dialect: true()


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RulesError) as refused:
        read_rules(text, condition_of)
    return refused.value.problems


def test_rules_come_in_the_order_of_the_text() -> None:
    trips, fragments = read_rules(GOOD, condition_of)
    assert (trips.view, trips.guidance) == (RuleView("Beam trips", 'words="beam trip"', None), None)
    text = 'severity=WARNING and text~"fragment missing"'
    assert fragments.view == RuleView("Fragments", text, Priority.LOW, Burst(20, 60))
    assert guidance_by_rule([trips, fragments]) == {"Fragments": Guidance("", "Look at the rates.")}


def test_the_built_in_rules_are_for_severities() -> None:
    assert [(rule.view.filter, rule.view.priority) for rule in BUILT_IN] == [
        ("severity=FATAL", Priority.HIGH),
        ("severity=ERROR", Priority.MEDIUM),
    ]
    assert guidance_by_rule(BUILT_IN) == {}


@pytest.mark.parametrize(
    ("changed", "into", "told"),
    [
        ("priority: none", "priority: urgent", "line 4, rule 1, priority: Input should be 'high', 'medium', 'low' or"),
        ("words=", "wrods=", "line 3, rule 1, filter: 'wrods' at character 1 is no field"),
        ('"beam trip"', '"beam trip', "line 3, rule 1, filter: The filter is not understood at character 7"),
        ("    within_s: 60\n", "", "line 5, rule 2: give both at_least and within_s, or neither"),
        ("at_least: 20", "at_least: 1", "line 7, rule 2, at_least: Input should be greater than or equal to 2"),
        ("within_s: 60", "within_s: 3601", "line 8, rule 2, within_s: Input should be less than or equal to 3600"),
        ("name: Fragments", "name: Beam trips", "line 5, rule 2, name: 'Beam trips' is there 2 times"),
        ("name: Fragments", "name: ''", "line 5, rule 2, name: String should have at least 1 character"),
        ("name: Fragments", "name: " + "x" * 65, "line 5, rule 2, name: String should have at most 64 characters"),
        ("action: Look", "actoin: Look", "line 10, rule 2, actoin: Extra inputs are not permitted"),
        ("    priority: low\n", "", "line 5, rule 2, priority: Field required"),
        ('text~"fragment missing"', 'text~"missing: fragment"', "line 6: mapping values are not allowed here"),
        ("rules:", "rulse:", "line 1, rules: Field required"),
        ("name: Fragments", 'name: "a\\0b"', "line 5, rule 2, name: holds a character that cannot be stored"),
    ],
)
def test_a_mistake_is_named_with_its_line(changed: str, into: str, told: str) -> None:
    assert changed in GOOD
    assert any(problem.startswith(told) for problem in problems(GOOD.replace(changed, into))), problems(
        GOOD.replace(changed, into)
    )


@pytest.mark.parametrize("text", ["", "rules: []", "- name: a", "rules: 3", "\t"])
def test_what_holds_no_rules_is_refused(text: str) -> None:
    assert problems(text)


def test_all_mistakes_are_told_at_once() -> None:
    told = problems(GOOD.replace("words", "wrods").replace("severity=WARNING", "severity=LOUD"))
    assert [problem.partition(":")[0] for problem in told] == ["line 3, rule 1, filter", "line 6, rule 2, filter"]


def test_the_documented_example_is_good() -> None:
    text = (ROOT / "docs" / "operator" / "alarms.md").read_text()
    example = re.search(r"^    rules:\n(?:    .*\n)+", text, re.MULTILINE)
    assert example is not None
    names = [rule.view.name for rule in read_rules(dedent(example[0]), condition_of)]
    assert names == ["Beam trips are no fault", "Fragments are missing", "Fatal", "Error"]
