"""The sessions that an installation knows by name, whether they run or not (contract 18.1)."""

from collections.abc import Iterable, Mapping

from simulator.checks import SimulatorError
from simulator.layouts import LAYOUTS, SessionLayout, layout_of


class SessionBook:
    """Lay-outs of sessions: those booted at start, and those that run control started."""

    def __init__(self, layouts: Iterable[SessionLayout]) -> None:
        """Begin with the sessions to boot at start."""
        self._layouts = tuple(layouts)

    @property
    def layouts(self) -> tuple[SessionLayout, ...]:
        """All lay-outs, in the order in which the sessions were booted."""
        return self._layouts

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sessions."""
        return tuple(layout.name for layout in self._layouts)

    @property
    def generations(self) -> Mapping[str, str]:
        """Generation of every session by its name."""
        return {layout.name: layout.generation.value for layout in self._layouts}

    def known(self, session: str) -> SessionLayout | None:
        """Return the lay-out of a session; one that was never booted is G1, None for one that nobody knows."""
        booted = next((layout for layout in self._layouts if layout.name == session), None)
        return booted or layout_of(session)

    def layout(self, session: str) -> SessionLayout:
        """Return the lay-out of a session.

        Raises:
            SimulatorError: Nobody knows it.
        """
        layout = self.known(session)
        if layout is None:
            known = dict.fromkeys((*self.names, *LAYOUTS))
            raise SimulatorError(f"Unknown session {session!r}; known are {', '.join(known)}")
        return layout

    def add(self, layout: SessionLayout) -> None:
        """Take in a session, in place of one of the same name."""
        self.remove(layout.name)
        self._layouts = (*self._layouts, layout)

    def remove(self, session: str) -> None:
        """Forget a session."""
        self._layouts = tuple(layout for layout in self._layouts if layout.name != session)
