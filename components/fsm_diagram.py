"""The state machine as a picture: states, arrows, where the session is and where it is going.

Drawn with positioned boxes and lines instead of SVG: Dash has no SVG elements, and boxes follow the style sheet's
colours, wrap their words, and stay text. One lay-out for wide panels, one for narrow ones; the style sheet
(`assets/40-controller.css`) shows the one that fits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.badges import state_glyph
from components.icons import glyph
from components.words import breakable
from services.run_control import fsm


@dataclass(frozen=True, slots=True)
class Box:
    """Where a state stands: its centre (``x`` in percent of the width, ``y`` in px) and its size in px."""

    x: float
    y: int
    width: int
    height: int = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of all states, and the picture's height in px."""

    name: str
    height: int
    boxes: dict[str, Box]


WIDE = Layout(
    name="wide",
    height=176,
    boxes={
        "initial": Box(8, 52, 120),
        "configured": Box(33, 52, 140),
        "ready": Box(64, 52, 120),
        "running": Box(90, 52, 124),
        "trigger_sources_stopped": Box(28, 146, 208),
        "dataflow_drained": Box(67, 146, 170),
    },
)
NARROW = Layout(
    name="narrow",
    height=372,
    boxes={
        "initial": Box(22, 22, 116),
        "configured": Box(22, 126, 116),
        "ready": Box(22, 238, 116),
        "running": Box(22, 350, 116),
        "trigger_sources_stopped": Box(79.5, 126, 138, 56),
        "dataflow_drained": Box(79.5, 238, 138, 44),
    },
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the picture shows.

    Attributes:
        listed: Transitions that the server lists.
        possible: Those that are possible now.
        state: Present state; None while unknown.
        in_progress: Transition under way, if any.
        destination: State that it leads to, if known.
    """

    listed: Sequence[str]
    possible: Sequence[str]
    state: str | None
    in_progress: str | None = None
    destination: str | None = None


def fsm_diagram(situation: Situation) -> html.Div:
    """Return the picture, in both lay-outs, with one sentence that says the same to a screen reader."""
    pictures = [
        html.Div(
            _picture(situation, layout), className=f"fsm fsm-{layout.name}", style={"height": f"{layout.height}px"}
        )
        for layout in (WIDE, NARROW)
    ]
    return marked(html.Div(pictures, className="fsm-frame", role="img"), aria_label=describe(situation))


def describe(situation: Situation) -> str:
    """Return the picture in one sentence."""
    state = situation.state or "unknown"
    if situation.in_progress:
        leads = f" to {situation.destination}" if situation.destination else ""
        return f"State machine: {situation.in_progress} in progress, from {state}{leads}."
    possible = ", ".join(situation.possible) or "none"
    return f"State machine: state {state}. Transitions possible now: {possible}."


def _picture(situation: Situation, layout: Layout) -> list[Component]:
    edges = fsm.edges(situation.listed)
    drawn = [_edge(edge, situation, layout) for edge in edges]
    states = [_state(name, box, situation) for name, box in layout.boxes.items() if _occurs(name, edges, situation)]
    return [*drawn, *states, *_elsewhere(situation)]


def _occurs(name: str, edges: Iterable[fsm.Edge], situation: Situation) -> bool:
    """Only states that a listed transition touches are drawn, and the present one."""
    return name == situation.state or any(name in (edge.source, edge.destination) for edge in edges)


def _elsewhere(situation: Situation) -> list[Component]:
    """Draw the present state apart where the graph does not know it, so that it is never missing."""
    if situation.state is None or situation.state in fsm.STATES:
        return []
    word = html.Span(breakable(situation.state))
    return [html.Div([glyph(state_glyph(situation.state)), word], className="fsm-state is-now is-apart")]


def _state(name: str, box: Box, situation: Situation) -> Component:
    marks = ["fsm-state"]
    if name == situation.state:
        marks.append("is-now")
    if situation.in_progress and name == situation.destination and name != situation.state:
        marks.append("is-next")
    place = {
        "left": f"calc({box.x}% - {box.width / 2:g}px)",
        "top": f"{box.y - box.height / 2:g}px",
        "width": f"{box.width}px",
        "height": f"{box.height}px",
    }
    return html.Div([glyph(state_glyph(name)), html.Span(breakable(name))], className=" ".join(marks), style=place)


def _edge(edge: fsm.Edge, situation: Situation, layout: Layout) -> Component:
    source, target = layout.boxes[edge.source], layout.boxes[edge.destination]
    if edge.is_loop:
        shape, place = "loop", _loop(source)
    elif source.y == target.y:
        shape, place = _horizontal(source, target)
    else:
        shape, place = _vertical(source, target)
    classes = ["fsm-edge", f"is-{shape}", *_marks(edge, situation)]
    if _has_way_back(edge, situation.listed):
        classes.append("is-pair")
    return html.Div(
        html.Span(breakable(edge.transition), className="fsm-label"), className=" ".join(classes), style=place
    )


def _marks(edge: fsm.Edge, situation: Situation) -> list[str]:
    if edge.source != situation.state:
        return []
    if situation.in_progress:
        return ["is-under-way"] if edge.transition == situation.in_progress else []
    return ["is-possible"] if edge.transition in situation.possible else []


def _has_way_back(edge: fsm.Edge, listed: Iterable[str]) -> bool:
    ends = (edge.destination, edge.source)
    return not edge.is_loop and any((other.source, other.destination) == ends for other in fsm.edges(listed))


def _loop(box: Box) -> dict[str, str]:
    # The style sheet puts it over the middle of the box, or, where words are in the way, over its right end.
    return {"left": f"{box.x}%", "top": f"{box.y - box.height / 2:g}px", "--half": f"{box.width / 2:g}px"}


def _horizontal(source: Box, target: Box) -> tuple[str, dict[str, str]]:
    left, right = (source, target) if source.x < target.x else (target, source)
    place = {
        "left": f"calc({left.x}% + {left.width / 2:g}px)",
        "right": f"calc({100 - right.x:g}% + {right.width / 2:g}px)",
        "top": f"{source.y}px",
    }
    return ("right" if left is source else "left"), place


def _vertical(source: Box, target: Box) -> tuple[str, dict[str, str]]:
    upper, lower = (source, target) if source.y < target.y else (target, source)
    top = upper.y + upper.height / 2
    place = {
        "left": f"{_shared_x(upper, lower)}%",
        "top": f"{top:g}px",
        "height": f"{lower.y - lower.height / 2 - top:g}px",
    }
    return ("down" if upper is source else "up"), place


def _shared_x(upper: Box, lower: Box) -> float:
    """Lines between the rows hang from the upper box, whose row is the way up."""
    return upper.x if upper.width <= lower.width else lower.x
