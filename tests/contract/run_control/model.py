"""What the contract says of a session's controllers, small enough to be read: state, error, holder, inclusion.

Applications follow their segment here: nothing that is done to the model parts them (contract 8, 10.5, 10.6).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.run_control.session_types import INITIAL_HOLDER

# Transition: (states it is possible from, state it leads to; None for the same) (contract 12.1).
TRANSITIONS: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "conf": (("initial",), "configured"),
    "start": (("configured",), "ready"),
    "enable_triggers": (("ready",), "running"),
    "disable_triggers": (("running",), "ready"),
    "drain_dataflow": (("ready",), "dataflow_drained"),
    "stop_trigger_sources": (("dataflow_drained",), "trigger_sources_stopped"),
    "stop": (("trigger_sources_stopped",), "configured"),
    "scrap": (("configured",), "initial"),
    "change_rate": (("ready", "running"), None),
}


@dataclass
class Controller:
    """One controller. ``marked`` is what its parent thinks of its inclusion, which G1 does not (contract 10.6)."""

    state: str = "initial"
    holder: str = INITIAL_HOLDER
    included: bool = True
    marked: bool = True
    in_error: bool = False

    def allows(self, transition: str) -> bool:
        return self.state in TRANSITIONS[transition][0]

    def move(self, transition: str) -> None:
        self.state = TRANSITIONS[transition][1] or self.state


@dataclass
class Tree:
    """A root controller and its segments, in a generation. Every command returns whether it succeeded as a whole."""

    generation: str
    segments: Mapping[str, Controller]
    root: Controller = field(default_factory=Controller)

    def take(self, user: str) -> bool:
        """Control is stolen from whomever, of the whole tree (contract 8.1)."""
        for controller in (self.root, *self.segments.values()):
            controller.holder = user
        return True

    def take_part(self, name: str, user: str) -> bool:
        """Control of one segment, through its own controller."""
        self.segments[name].holder = user
        return True

    def release(self, user: str) -> bool:
        """In G1 the children are not asked; elsewhere those that belong to somebody else refuse (contract 8.3)."""
        if self.root.holder != user:
            return False
        self.root.holder = ""
        for segment in self.segments.values():
            if self.generation != "G1" and segment.holder == user:
                segment.holder = ""
        return True

    def set_included(self, name: str, user: str, included: bool) -> bool:
        """One segment: through its own controller in G1, which refuses what is so already; by a target elsewhere."""
        segment = self.segments[name]
        if self.generation == "G1":
            succeeded = segment.holder == user and segment.included is not included
        elif self.root.holder == user:
            segment.marked, succeeded = included, segment.holder == user
        else:
            return False
        if segment.holder == user:
            segment.included = included
        return succeeded

    def execute(self, transition: str, user: str) -> bool:
        """The root moves whatever its children say, and is in error if one failed (contract 10.5)."""
        root = self.root
        if root.holder != user or not root.allows(transition) or root.in_error:
            return False
        asked = [segment for segment in self.segments.values() if segment.marked or self.generation == "G1"]
        refusals = [refusal for segment in asked if (refusal := self._refusal(segment, transition, user))]
        for segment in asked:
            if not self._refusal(segment, transition, user):
                segment.move(transition)
        root.move(transition)
        root.in_error = any(refusal not in self._tolerated for refusal in refusals)
        return all(refusal == "excluded" and self.generation != "G1" for refusal in refusals)

    @property
    def _tolerated(self) -> tuple[str, ...]:
        """What a child may answer without its parent going in error (contract 10.5, step 6)."""
        return {"G1": (), "G2": ("excluded",), "G3": ("excluded", "not possible")}[self.generation]

    def _refusal(self, segment: Controller, transition: str, user: str) -> str:
        if segment.holder != user:
            return "not in control"
        if segment.in_error:
            return "in error"
        if not segment.included:
            return "excluded"
        return "" if segment.allows(transition) else "not possible"
