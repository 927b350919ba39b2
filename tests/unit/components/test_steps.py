from datetime import UTC, datetime, timedelta

from components.steps import step_list
from services.run_control.command_types import SequenceStep, StepState
from tests.unit.components.reading import attribute, with_class, words

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)


def test_each_step_says_its_state_in_words_and_how_long_it_took() -> None:
    shown = step_list(
        [
            SequenceStep("conf", StepState.SKIPPED),
            SequenceStep("start", StepState.SUCCEEDED, "", THEN, THEN + timedelta(seconds=2.5)),
            SequenceStep("enable_triggers", StepState.FAILED, "df-03 failed", THEN, THEN + timedelta(minutes=2)),
            SequenceStep("change_rate"),
        ]
    )
    said = [words(step) for step in with_class(shown, "step")]
    assert said == ["conf skipped", "start done, 2.5 s", "enable_triggers failed, 2 min", "change_rate awaited"]
    assert with_class(shown, "is-failed")[0].title == "df-03 failed"
    assert attribute(shown, "aria-label") == "Steps: 2 of 4 done"


def test_a_step_under_way_counts_on() -> None:
    (step,) = with_class(step_list([SequenceStep("conf", StepState.EXECUTING, "", THEN)]), "step")
    assert words(step).startswith("conf in progress,")
    assert with_class(step, "elapsed")
    assert with_class(step, "ring")
