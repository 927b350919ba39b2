"""Severity, state and process badges: shape, word and colour together, the same set everywhere (tokens.md)."""

from collections.abc import Mapping
from datetime import datetime

from dash import html

from components.ages import age, elapsed
from components.icons import Glyph, glyph, ring
from services.health import WorkerState
from services.messages.types import Severity
from services.run_control.process_types import ProcessStatus

_STATE_GLYPHS = {
    "none": Glyph.NONE,
    "initial": Glyph.INITIAL,
    "configured": Glyph.CONFIGURED,
    "ready": Glyph.READY,
    "running": Glyph.RUNNING,
    "dataflow_drained": Glyph.DATAFLOW_DRAINED,
    "trigger_sources_stopped": Glyph.TRIGGER_SOURCES_STOPPED,
    "paused": Glyph.PAUSED,
}

_WORKER_GLYPHS: Mapping[WorkerState, Glyph] = {
    "starting": Glyph.INITIAL,
    "ok": Glyph.ALIVE,
    "degraded": Glyph.WARNING,
    "failed": Glyph.ERROR,
    "stopped": Glyph.ENDED,
}
_WORKER_CLASSES: Mapping[WorkerState, str] = {
    "ok": "state-alive",
    "degraded": "state-degraded",
    "failed": "state-in-error",
    "stopped": "state-ended",
}


def severity_glyph(severity: Severity) -> Glyph:
    """Return the shape of a severity."""
    return Glyph(severity.name.lower())


def severity_badge(severity: Severity, *, filled: bool = False) -> html.Span:
    """Return the badge of a severity; ``filled`` is the loud form, for the head of an inspector or an alarm."""
    classes = f"badge-severity severity-{severity.name.lower()}" + (" severity-filled" if filled else "")
    return html.Span([glyph(severity_glyph(severity)), severity.name], className=classes)


def state_glyph(state: str | None) -> Glyph:
    """Return the shape of an FSM state; a dashed circle for words the console does not know."""
    return Glyph.NONE if state is None else _STATE_GLYPHS.get(state, Glyph.UNKNOWN)


def state_badge(state: str | None, *, included: bool | None = True) -> html.Span:
    """Return the badge of a state, its word exactly as the server gives it; ``none`` while unknown."""
    if included is False:
        return _badge(Glyph.EXCLUDED, "excluded", "state-excluded")
    name = "state-none" if state is None else ""
    return _badge(state_glyph(state), state or "none", name)


def in_error_badge(word: str = "in error") -> html.Span:
    """Return the mark of a node in error. It stands beside the state, not instead of it."""
    return _badge(Glyph.ERROR, word, "state-in-error")


def unreachable_badge(word: str = "unreachable") -> html.Span:
    """Return the mark of something that does not answer."""
    return _badge(Glyph.UNREACHABLE, word, "state-unreachable")


def stale_badge(word: str, seen_at: datetime) -> html.Span:
    """Return a last known word, struck, with its age."""
    badge = _badge(Glyph.STALE, word, "state-stale")
    return html.Span([badge, " ", age(seen_at)], className="row-line state-stale")


def transition_badge(name: str, since: datetime) -> html.Span:
    """Return the badge of a transition in progress: turning ring, its name, and the time it has taken so far."""
    word = html.Span(name, className="badge-word")
    return html.Span(
        [ring(), word, elapsed(since, short=True, class_name="fg-1")], className="badge-state state-transition"
    )


def process_glyph(status: ProcessStatus, return_code: int | None) -> Glyph:
    """Return the shape of a process: alive, dead, or ended as it should (code 0)."""
    if status is ProcessStatus.RUNNING:
        return Glyph.ALIVE
    return Glyph.ENDED if return_code == 0 else Glyph.DEAD


def process_badge(status: ProcessStatus, return_code: int | None = None) -> html.Span:
    """Return the badge of a process: ``running`` or ``dead``."""
    shape = process_glyph(status, return_code)
    return _badge(shape, process_word(status), f"state-{shape}")


def process_word(status: ProcessStatus) -> str:
    """Return the word of a process status."""
    return "running" if status is ProcessStatus.RUNNING else "dead"


def answer_badge(*, reachable: bool) -> html.Span:
    """Return the badge of an outside address: ``answers`` or ``does not answer``."""
    if reachable:
        return _badge(Glyph.ALIVE, "answers", "state-alive")
    return _badge(Glyph.UNREACHABLE, "does not answer", "state-in-error")


def worker_badge(state: WorkerState) -> html.Span:
    """Return the badge of one of the collector's workers, with the word it uses itself."""
    return _badge(_WORKER_GLYPHS[state], state, _WORKER_CLASSES.get(state, ""))


def _badge(shape: Glyph, word: str, class_name: str) -> html.Span:
    classes = f"badge-state {class_name}".strip()
    return html.Span([glyph(shape), html.Span(word, className="badge-word")], className=classes)
