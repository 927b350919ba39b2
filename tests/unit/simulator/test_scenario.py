"""Scenarios as they are read: what comes along, and errors that say where and why."""

import pytest

from simulator.scenario import Condition, ScenarioError, read_scenario, shipped_scenarios

HEAD = "title: T\nteaches: something\nsteps:\n"


@pytest.mark.parametrize("name", shipped_scenarios())
def test_what_comes_along_can_be_read(name: str) -> None:
    scenario = read_scenario(shipped_scenarios()[name])
    assert scenario.steps
    assert scenario.title
    assert scenario.session == "", "plays in any session"


def test_steps_as_they_are_written() -> None:
    text = (
        HEAD
        + "  - say: go\n    when: {state: running, within: 60}\n  - after: 5\n    order: kill\n    with: {name: mlt}\n"
    )
    waiting, killing = read_scenario(text).steps
    assert (waiting.condition, waiting.patience_s, waiting.say, waiting.order) == (
        Condition(state="running"),
        60.0,
        "go",
        None,
    )
    assert (killing.after_s, killing.line) == (5.0, 6)
    assert killing.arguments_in("cosmics") == {"session": "cosmics", "name": "mlt", "exit_code": 255}


def test_a_step_may_name_its_own_session() -> None:
    (step,) = read_scenario(HEAD + "  - order: kill\n    with: {name: mlt, session: other}").steps
    assert step.arguments_in("cosmics")["session"] == "other"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("title: [T", ["line 1: expected ',' or ']'"]),
        ("", ["line 1: Input should be a valid dictionary"]),
        (HEAD + "  - order: kil", ["line 4, step 1: There is no order 'kil'; known are kill"]),
        (HEAD + "  - say: a\n  - order: kill\n    with: {nam: mlt}", ["line 5, step 2: kill does not know nam"]),
        (HEAD + "  - order: kill", ["line 4, step 1: kill: name is missing"]),
        (HEAD + "  - with: {name: mlt}", ["line 4, step 1: with is there without an order"]),
        (HEAD + "  - when: {state: runing}", ["line 4, step 1: there is no state 'runing'; known are configured"]),
        (HEAD + "  - when: {}", ["line 4, step 1: when needs a state or in_error"]),
        (HEAD + "  - after: -1\n    ordre: kill", ["line 4, step 1, after: ", "line 5, step 1, ordre: Extra"]),
        (HEAD + "  - after: soon", ["line 4, step 1, after: Input should be a valid number"]),
        ("title: T\nsteps: []", ["line 1, teaches: Field required", "line 2, steps: List should have at least 1"]),
    ],
)
def test_every_problem_is_named_with_line_and_step(text: str, problems: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(problems)
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith(problem)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition(state="running"), "root-controller to be running"),
        (Condition("df-controller", in_error=True), "df-controller to be in error"),
        (Condition(state="ready", in_error=False), "root-controller to be ready not in error"),
    ],
)
def test_conditions_in_words(condition: Condition, words: str) -> None:
    assert str(condition) == words
