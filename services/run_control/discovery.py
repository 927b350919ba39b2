"""Which sessions there are, put together from everybody who may know (contract 14, 15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.run_control.process_types import Process
from services.run_control.readings import Origin
from services.run_control.session_types import ActiveSession, Configuration, SessionSource

# What the session managers of April 2025 list, whatever runs (contract 5.3).
DUMMY = ActiveSession("dummy_session", "dummy_user", Configuration("dummy_config_file", "dummy_config_session_id"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A session's processes: place in the tree by name, who booted them, and the connectivity service they use."""

    tree_ids: Mapping[str, str | None] = field(default_factory=dict)
    owner: str | None = None
    connectivity: str | None = None


NOTHING_LISTED = Listed()


class Discovery:
    """What each source told last; a source that never answered is silent, which is not the same as "none".

    Every note replaces what its source told before, so reading needs no lock.
    """

    def __init__(self, default_session: str | None) -> None:
        """Begin with nothing but the session of the settings, None for none."""
        self._settings = frozenset({default_session} - {None})
        self._processes: Mapping[str, Listed] | None = None
        self._sessions: Mapping[str, ActiveSession] | None = None
        self._published: frozenset[str] = frozenset()

    def note_processes(self, processes: Iterable[Process]) -> None:
        """Take over what the process manager lists."""
        found: dict[str, list[Process]] = {}
        for process in processes:
            if process.session:
                found.setdefault(process.session, []).append(process)
        self._processes = {session: _listed(members) for session, members in found.items()}

    def note_sessions(self, sessions: Iterable[ActiveSession]) -> None:
        """Take over what the session manager lists, but for the dummy of early ones."""
        self._sessions = {session.name: session for session in sessions if session.name and session != DUMMY}

    def note_published(self, names: Iterable[str]) -> None:
        """Take over which sessions have a root controller in the connectivity service."""
        self._published = frozenset(names)

    def note_unpublished(self, name: str) -> None:
        """Take over that a session has no root controller in the connectivity service any more."""
        self._published -= {name}

    @property
    def names(self) -> frozenset[str]:
        """All sessions that anybody knows of."""
        named = (self._settings, self._processes or (), self._sessions or (), self._published)
        return frozenset(name for names in named for name in names if name)

    @property
    def is_complete(self) -> bool:
        """Whether the process manager has answered: before that no session can be called gone."""
        return self._processes is not None

    def listed(self, name: str) -> Listed:
        """Return what is known of a session's processes."""
        return (self._processes or {}).get(name, NOTHING_LISTED)

    def origin(self, name: str) -> Origin:
        """Return who knows of a session, and what they tell of it."""
        known = {
            SessionSource.PROCESS_MANAGER: name in (self._processes or {}),
            SessionSource.SESSION_MANAGER: name in (self._sessions or {}),
            SessionSource.CONNECTIVITY: name in self._published,
            SessionSource.SETTINGS: name in self._settings,
        }
        active = (self._sessions or {}).get(name)
        return Origin(
            sources=frozenset(source for source, knows in known.items() if knows),
            owner=active.user if active else self.listed(name).owner,
            configuration=active.configuration if active else None,
        )


def _listed(processes: list[Process]) -> Listed:
    return Listed(
        tree_ids={process.name: process.tree_id for process in processes},
        owner=next((process.user for process in processes if process.user), None),
        connectivity=next((process.connectivity for process in processes if process.connectivity), None),
    )
