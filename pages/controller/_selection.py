"""Which session the page is about, and which of its nodes."""

from collections.abc import Sequence

from components.strip import select
from pages._context import identity, services
from services.run_control.node_types import Node
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary


def selected_session(wanted: str | None) -> SessionSummary | None:
    """Return the session the address names, without a name the first one; None where there is none."""
    return select(services().run_control.sessions(), wanted)


def selected_nodes(session: SessionSummary | None, paths: Sequence[str] | None) -> tuple[Node, ...]:
    """Return the nodes selected in the tree, in tree order; those that are gone are left out."""
    if session is None or not paths:
        return ()
    wanted = frozenset(paths)
    return tuple(node for node in services().run_control.tree(session.name) if node.path in wanted)


def process_of(session: str, node: str) -> Process | None:
    """Return the process of a node by its name; None where none is listed."""
    return next((found for found in services().run_control.processes(session) if found.name == node), None)


def obstacles(session: SessionSummary, name: str) -> tuple[str, ...]:
    """Return all that stands against a transition or sequence now, for the person who asks; empty if nothing does."""
    if any(sequence.name == name for sequence in session.sequences):
        why = services().sequences.why_not(identity(), session, name)
        return () if why is None else (why,)
    return services().commands.obstacles(identity(), session, name)
