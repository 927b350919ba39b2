"""The steps of a sequence: what is done, what is under way, what is awaited."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.ages import duration_text, elapsed
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.words import breakable
from services.run_control.command_types import SequenceStep, StepState

_WORDS = {
    StepState.WAITING: "awaited",
    StepState.EXECUTING: "in progress",
    StepState.SUCCEEDED: "done",
    StepState.FAILED: "failed",
    StepState.UNKNOWN: "outcome unknown",
    StepState.SKIPPED: "skipped",
}


def step_list(steps: Sequence[SequenceStep]) -> html.Ol:
    """Return the steps in order, each with its state and how long it took."""
    done = sum(step.state in (StepState.SUCCEEDED, StepState.SKIPPED) for step in steps)
    listed = html.Ol([_step(step) for step in steps], className="steps")
    return marked(listed, aria_label=f"Steps: {done} of {len(steps)} done")


def _step(step: SequenceStep) -> html.Li:
    parts: list[Component | str] = [_mark(step.state), html.Span(breakable(step.transition), className="step-name")]
    parts.append(html.Span([_WORDS[step.state], *_took(step)], className="step-word"))
    return html.Li(parts, className=f"step is-{step.state}", title=step.text or None)


def _mark(state: StepState) -> Component:
    match state:
        case StepState.WAITING:
            return glyph(Glyph.AWAITED)
        case StepState.EXECUTING:
            return ring()
        case StepState.SUCCEEDED:
            return icon(Icon.CHECK)
        case StepState.FAILED:
            return glyph(Glyph.ERROR)
        case StepState.UNKNOWN:
            return glyph(Glyph.WARNING)
        case StepState.SKIPPED:
            return icon(Icon.MINUS)


def _took(step: SequenceStep) -> list[Component | str]:
    if step.started_at is None:
        return []
    if step.finished_at is None:
        return [", ", elapsed(step.started_at, short=True)]
    return [f", {duration_text((step.finished_at - step.started_at).total_seconds())}"]
