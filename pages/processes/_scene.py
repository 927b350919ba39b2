"""What the page of all processes looks at: the same for the buttons, the questions and the orders."""

from collections.abc import Iterable

from components.process_stake import Scene
from pages._context import identity, services
from services.run_control.backend_types import BackendKind


def scene(chosen: Iterable[str] | None = None, wanted: str | None = None) -> Scene:
    """Return what is there now, with the rows that are selected and the session of the address."""
    run_control = services().run_control
    return Scene(
        person=identity(),
        processes=run_control.processes(),
        sessions=run_control.sessions(),
        chosen=frozenset(chosen or ()),
        wanted=wanted or "",
        answers=answers(),
    )


def answers() -> bool:
    """Tell whether a process manager answers; as long as none was asked, nothing is known against it."""
    known = [
        backend.reachable
        for backend in services().run_control.backends()
        if backend.kind is BackendKind.PROCESS_MANAGER
    ]
    return any(known) or not known
