"""What an action on processes would hit: its targets, what stands against it, which runs it would stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from components.words import counted
from services.accounts.types import Identity, Permission
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import SessionSummary

# In these states no run is on (contract 12.1).
_WITHOUT_RUN = (None, "initial", "configured")


class Act(StrEnum):
    """What can be done to processes that exist. END kills all of one session, TERMINATE all there are."""

    RESTART = "restart"
    FLUSH = "flush"
    KILL = "kill"
    END = "end"
    TERMINATE = "terminate"


PERMISSIONS: Mapping[Act, Permission] = {
    Act.RESTART: Permission.RESTART,
    Act.FLUSH: Permission.FLUSH,
    Act.KILL: Permission.KILL,
    Act.END: Permission.KILL,
    Act.TERMINATE: Permission.TERMINATE,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there at this moment, and what a person has chosen of it.

    Attributes:
        person: Who looks.
        processes: All there are.
        sessions: All there are.
        chosen: UUIDs of the selected rows; those that are not listed any more do not count.
        wanted: Session that the address names, empty for none.
        answers: Whether the process manager does.
    """

    person: Identity
    processes: Sequence[Process]
    sessions: Sequence[SessionSummary]
    chosen: frozenset[str] = frozenset()
    wanted: str = ""
    answers: bool = True

    @property
    def selection(self) -> tuple[Process, ...]:
        """The chosen processes that are listed."""
        return tuple(process for process in self.processes if process.uuid in self.chosen)

    @property
    def session(self) -> str | None:
        """The one session that is meant: that of the selection, else that of the address; None if there is no one."""
        names = {process.session for process in self.selection} or {self.wanted}
        return (names.pop() or None) if len(names) == 1 else None

    def at_stake(self, targets: Sequence[Process]) -> tuple[SessionSummary, ...]:
        """Return the sessions whose run the end of these processes would touch; the dead touch none."""
        living = {process.session for process in targets if process.status is ProcessStatus.RUNNING}
        return tuple(session for session in self.sessions if session.name in living and has_run(session))


def has_run(session: SessionSummary) -> bool:
    """Tell whether a run is on: drunc told a number, or the state is one that only runs have."""
    return session.run.number is not None or session.state not in _WITHOUT_RUN


def run_name(session: SessionSummary) -> str:
    """Return what a run is called: its number, or its session where nobody told the number."""
    return str(session.run.number) if session.run.number is not None else session.name


def phrase(at_stake: Sequence[SessionSummary]) -> str:
    """Return what must be typed before these runs are stopped; empty where none is."""
    return " ".join(run_name(session) for session in at_stake)


def targets(act: Act, scene: Scene) -> tuple[Process, ...]:
    """Return the processes an action would hit now; without a selection, flushing is for all that are dead."""
    if act is Act.TERMINATE:
        return tuple(scene.processes)
    if act is Act.END:
        return tuple(process for process in scene.processes if process.session == scene.session)
    if act is Act.FLUSH:
        return tuple(process for process in scene.selection or scene.processes if process.status is ProcessStatus.DEAD)
    return scene.selection


def obstacle(act: Act, scene: Scene) -> str | None:
    """Return why an action cannot be done now, the weightiest reason; None if it can."""
    if not_permitted := scene.person.obstacle(PERMISSIONS[act]):
        return not_permitted
    if not scene.answers:
        return "The process manager does not answer."
    return _nothing_to_do(act, scene)


def boot_obstacle(person: Identity, *, answers: bool) -> str | None:
    """Return why nothing can be booted now; None if it can."""
    unanswered = None if answers else "The process manager does not answer."
    return person.obstacle(Permission.BOOT) or unanswered


def _nothing_to_do(act: Act, scene: Scene) -> str | None:
    chosen = len(scene.selection)
    if act is Act.RESTART and chosen != 1:
        return "It works on exactly one process; " + (f"{chosen} are selected." if chosen else "none is selected.")
    if act is Act.KILL and not chosen:
        return "No process is selected."
    if act is Act.END and scene.session is None:
        return "Select processes of one session." if not chosen else "Processes of several sessions are selected."
    if not targets(act, scene):
        return "None of the selected is dead." if act is Act.FLUSH and chosen else _NOTHING[act]
    return None


_NOTHING = {
    Act.RESTART: "No process is selected.",
    Act.FLUSH: "No process is dead.",
    Act.KILL: "No process is selected.",
    Act.END: "The session has no processes.",
    Act.TERMINATE: "There are no processes.",
}


def label(act: Act, scene: Scene) -> str:
    """Return the word on an action's button; three dots where a question comes first."""
    found = targets(act, scene)
    match act:
        case Act.RESTART:
            return "Restart…" if any(process.status is ProcessStatus.RUNNING for process in found) else "Restart"
        case Act.FLUSH:
            return f"Flush {len(found)} dead" if found else "Flush dead"
        case Act.KILL:
            return f"Kill {len(found)}…" if found else "Kill…"
        case Act.END:
            return "Terminate session…"
        case Act.TERMINATE:
            return "Terminate all…"


def reach(act: Act, scene: Scene) -> str:
    """Return what the tooltip of an action that can be done says: what it is for, where the label does not."""
    if act is Act.FLUSH and not scene.selection:
        return "All that are dead, of every session. Their logs are gone with them."
    return f"All processes of {scene.session}" if act is Act.END else ""


def needs_question(act: Act, found: Sequence[Process]) -> bool:
    """Tell whether a person is asked before it is done: whenever something that runs would be ended."""
    if act is Act.FLUSH:
        return False
    return act is not Act.RESTART or any(process.status is ProcessStatus.RUNNING for process in found)


def question(act: Act, found: Sequence[Process], at_stake: Sequence[SessionSummary]) -> str:
    """Return the question a person is asked before something is ended: what, how many, during which run."""
    runs = " and ".join(run_name(session) for session in at_stake)
    during = f" while run {runs} is on" if at_stake else ""
    match act:
        case Act.RESTART:
            return f"Restart {found[0].name if found else 'it'}{during}?"
        case Act.END:
            name = found[0].session if found else "the session"
            return f"Terminate {name} with its {counted(len(found), 'process', 'processes')}{during}?"
        case Act.TERMINATE:
            return f"Terminate every session with its {counted(len(found), 'process', 'processes')}{during}?"
        case _:
            what = found[0].name if len(found) == 1 else counted(len(found), "process", "processes")
            return f"Kill {what}{during}?"


def deed(act: Act, found: Sequence[Process]) -> str:
    """Return what is written on the button that does it."""
    match act:
        case Act.RESTART:
            return "Restart it"
        case Act.END:
            return "Terminate the session"
        case Act.TERMINATE:
            return "Terminate everything"
        case _:
            return f"Kill {counted(len(found), 'process', 'processes')}"
