"""From a boot request to the program that the process runs (contract 9.3)."""

from collections.abc import Callable, Mapping

from simulator.generation import Generation
from simulator.layouts import PlannedProcess, Role, SessionLayout
from simulator.process_log import ProcessLog
from simulator.programs import (
    ApplicationProgram,
    ConnectionServerProgram,
    ControllerProgram,
    Exit,
    Program,
    TreeControllerProgram,
)
from simulator.replies import Dialect
from simulator.shell_programs import ShellProgram, UnreachableHostProgram
from simulator.surroundings import Surroundings
from wire import WireMessage

_LOCAL_HOSTS = ("localhost", "127.0.0.1")


class Launches:
    """Makes programs: those of the sessions that are known, and shell lines for everything else."""

    def __init__(
        self,
        surroundings: Surroundings,
        dialects: Mapping[Generation, Dialect],
        layout: Callable[[str], SessionLayout | None],
        time_scale: float,
    ) -> None:
        """Make programs that live in ``surroundings``; ``layout`` returns a session by its name."""
        self._surroundings = surroundings
        self._dialects = dialects
        self._layout = layout
        self._time_scale = time_scale
        self._plans: dict[tuple[str, str], Mapping[str, PlannedProcess]] = {}

    def launch(self, request: WireMessage, host: str, log: ProcessLog, ended: Exit) -> Program:
        """Make the program of a boot request: a known process of an example session, or a shell line."""
        if host not in _LOCAL_HOSTS:
            return UnreachableHostProgram(host, log, ended)
        description = request.process_description
        metadata = description.metadata
        layout = self._layout(metadata.session)
        planned = None if layout is None else self._plan(layout).get(metadata.name)
        if layout is None or planned is None:
            lines = [(line.exec, list(line.args)) for line in description.executable_and_arguments]
            return ShellProgram(lines, self._time_scale, log, ended)
        if planned.segment is not None and layout.generation is not Generation.G1:
            dialect = self._dialects[layout.generation]
            return TreeControllerProgram(self._surroundings, layout, planned.segment, log, dialect)
        if planned.segment is not None:
            return ControllerProgram(self._surroundings, metadata.session, planned.segment, log, ended)
        if planned.role is Role.APPLICATION:
            return ApplicationProgram(self._surroundings, metadata.session, metadata.name, log)
        return ConnectionServerProgram(self._surroundings, metadata.session)

    def _plan(self, layout: SessionLayout) -> Mapping[str, PlannedProcess]:
        """Return the processes of a session by name; made once, for sessions of thousands."""
        key = (layout.name, layout.configuration_id)
        if key not in self._plans:
            self._plans[key] = {planned.name: planned for planned in layout.processes()}
        return self._plans[key]
