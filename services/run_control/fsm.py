"""The published state machine (contract 12.1): where each transition leads.

A controller lists its transitions, and which of them are possible now, but never says from where to where they lead
(contract 10.4). This graph adds that, and only that: what exists and what is possible is always the server's word.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# On the way up, then on the way down, in the order a run passes them.
STATES = (
    "initial",
    "configured",
    "ready",
    "running",
    "dataflow_drained",
    "trigger_sources_stopped",
)


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow of the graph; ``source`` and ``destination`` are equal where the state stays as it is."""

    transition: str
    source: str
    destination: str

    @property
    def is_loop(self) -> bool:
        """Whether the transition leaves the state as it is."""
        return self.source == self.destination


EDGES = (
    Edge("conf", "initial", "configured"),
    Edge("start", "configured", "ready"),
    Edge("enable_triggers", "ready", "running"),
    Edge("disable_triggers", "running", "ready"),
    Edge("drain_dataflow", "ready", "dataflow_drained"),
    Edge("stop_trigger_sources", "dataflow_drained", "trigger_sources_stopped"),
    Edge("stop", "trigger_sources_stopped", "configured"),
    Edge("scrap", "configured", "initial"),
    Edge("change_rate", "ready", "ready"),
    Edge("change_rate", "running", "running"),
)

# What a transition does to the detector (contract 12.1), for people who are about to execute it.
EFFECTS = {
    "conf": "Applications read their parameters.",
    "start": "Run number allocated, queues and connections set up, data flow but no triggers yet.",
    "enable_triggers": "Triggers accepted, data stored.",
    "disable_triggers": "Triggers inhibited.",
    "drain_dataflow": "Trigger decisions no longer forwarded, buffers emptied.",
    "stop_trigger_sources": "Readout, HSI and trigger sources stop.",
    "stop": "The rest stops; the run ends.",
    "scrap": "Configuration dropped.",
    "change_rate": "New trigger rate; the state stays.",
}


def edges(listed: Iterable[str]) -> tuple[Edge, ...]:
    """Return the arrows of those transitions that the server lists, in the order of the graph."""
    names = frozenset(listed)
    return tuple(edge for edge in EDGES if edge.transition in names)


def unplaced(listed: Iterable[str]) -> tuple[str, ...]:
    """Return transitions that the server lists and the graph does not know, in the server's order."""
    known = {edge.transition for edge in EDGES}
    return tuple(name for name in listed if name not in known)


def sources(transition: str) -> tuple[str, ...]:
    """Return the states a transition starts from; empty if the graph does not know it."""
    return tuple(edge.source for edge in EDGES if edge.transition == transition)


def destination(transition: str, state: str | None) -> str | None:
    """Return the state expected after a transition.

    Where it starts from more than one state (``change_rate``), ``state`` decides. None if it cannot be told.
    """
    found = [edge for edge in EDGES if edge.transition == transition]
    here = [edge for edge in found if edge.source == state]
    if here:
        return here[0].destination
    return found[0].destination if len(found) == 1 else None


def transition_of(sub_state: str | None) -> str | None:
    """Return the transition that a sub-state speaks of (contract 12.4), None when idle or unknown."""
    if sub_state is None:
        return None
    for prefix in ("preparing-", "propagating-", "executing-", "finalising-"):
        if sub_state.startswith(prefix):
            return sub_state.removeprefix(prefix)
    for suffix in ("-ready", "-propagated", "-terminated"):
        if sub_state.endswith(suffix):
            return sub_state.removesuffix(suffix)
    return None
