"""Shape, word and colour of everything that has a severity, a state or an end."""

import pytest

from components.badges import (
    in_error_badge,
    process_badge,
    severity_badge,
    stale_badge,
    state_badge,
    transition_badge,
    unreachable_badge,
)
from services.messages.types import Severity
from services.run_control.process_types import ProcessStatus
from tests.unit.components.samples import NOW
from tests.unit.components.trees import attribute, classes, having, text


@pytest.mark.parametrize("severity", Severity)
def test_a_severity_is_shape_and_word(severity: Severity) -> None:
    badge = severity_badge(severity)
    assert text(badge) == severity.name
    assert f"glyph-{severity.name.lower()}" in classes(badge)
    assert f"severity-{severity.name.lower()}" in classes(badge)


def test_shapes_beside_words_are_hidden_from_screen_readers() -> None:
    (shape,) = having(severity_badge(Severity.ERROR), "glyph")
    assert attribute(shape, "aria-hidden") == "true"


@pytest.mark.parametrize(
    "state",
    ["initial", "configured", "ready", "running", "dataflow_drained", "trigger_sources_stopped", "paused"],
)
def test_a_state_keeps_its_word_and_has_its_own_shape(state: str) -> None:
    assert text(state_badge(state)) == state
    assert f"glyph-{state}" in classes(state_badge(state))


def test_a_word_nobody_knows_is_shown_as_it_came() -> None:
    badge = state_badge("Strange_State")
    assert text(badge) == "Strange_State"
    assert "glyph-unknown" in classes(badge)


def test_no_state_is_none_in_grey() -> None:
    assert text(state_badge(None)) == "none"
    assert "state-none" in classes(state_badge(None))


def test_excluded_comes_before_the_state() -> None:
    badge = state_badge("running", included=False)
    assert text(badge) == "excluded"
    assert "glyph-excluded" in classes(badge)


def test_error_and_unreachable_have_words() -> None:
    assert text(in_error_badge()) == "in error"
    assert text(unreachable_badge()) == "unreachable"
    assert "glyph-unreachable" in classes(unreachable_badge())


def test_stale_shows_the_last_word_and_its_age() -> None:
    badge = stale_badge("running", NOW)
    assert text(badge).startswith("running")
    assert attribute(having(badge, "age")[0], "data-at-ms") == str(int(NOW.timestamp() * 1000))


def test_a_transition_turns_and_counts() -> None:
    badge = transition_badge("conf", NOW)
    assert {"ring", "elapsed"} <= classes(badge)
    assert text(badge).startswith("conf")
    assert attribute(having(badge, "elapsed")[0], "data-short") == "1"


@pytest.mark.parametrize(
    ("status", "code", "word", "shape"),
    [
        (ProcessStatus.RUNNING, None, "running", "glyph-alive"),
        (ProcessStatus.DEAD, 255, "dead", "glyph-dead"),
        (ProcessStatus.DEAD, 0, "dead", "glyph-ended"),
        (ProcessStatus.DEAD, None, "dead", "glyph-dead"),
    ],
)
def test_processes(status: ProcessStatus, code: int | None, word: str, shape: str) -> None:
    assert text(process_badge(status, code)) == word
    assert shape in classes(process_badge(status, code))
