"""What people ask of an installation: read, and refused with words where it cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.faults import DURATIONS_S
from simulator.generation import Generation
from simulator.issues import SEVERITIES
from simulator.layouts import LAYOUTS, SessionLayout, layout_of


class SimulatorError(Exception):
    """An order that the simulator cannot carry out; the text is for people."""


def read_session(text: str, generations: Mapping[str, str]) -> SessionLayout:
    """Return the layout of ``<configuration id>`` or ``<session name>:<configuration id>``.

    Raises:
        SimulatorError: The configuration or the generation is unknown, or G1 is to tell name and configuration apart.
    """
    name, _, given = text.partition(":")
    layout = layout_of(given or name)
    if layout is None:
        raise SimulatorError(f"Unknown session {text!r}; known are {', '.join(LAYOUTS)}, generated-<n>")
    generation = read_generation(generations.get(name, Generation.G1))
    if generation is Generation.G1 and given not in ("", name):
        raise SimulatorError(f"{text}: in G1 the session has the name of its configuration")
    return replace(layout, name=name, configuration=layout.name, generation=generation)


def read_generation(text: str) -> Generation:
    """Return a generation by its name; SimulatorError when there is none."""
    try:
        return Generation(text)
    except ValueError as error:
        raise SimulatorError(f"Unknown generation {text!r}; known are {', '.join(Generation)}") from error


def check_generations(layouts: Sequence[SessionLayout], generations: Mapping[str, str]) -> None:
    """Check that every generation is given for a session that there is; SimulatorError otherwise."""
    names = {layout.name for layout in layouts}
    for name in generations:
        if name not in names:
            raise SimulatorError(f"A generation is given for {name!r}, which is not among the sessions")


def check_severity(severity: str) -> None:
    """Check that a severity is known; SimulatorError otherwise."""
    if severity not in SEVERITIES:
        raise SimulatorError(f"Unknown severity {severity!r}; known are {', '.join(SEVERITIES)}")


def check_transition(transition: str) -> None:
    """Check that a transition is known; SimulatorError otherwise."""
    if transition not in DURATIONS_S:
        raise SimulatorError(f"Unknown transition {transition!r}; known are {', '.join(DURATIONS_S)}")
