"""What people ask of nodes of a session's tree beside transitions: include, exclude, recompute, expert commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import Database
from models.run_control import Node as NodeRow
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import ConsoleError, NotFoundError, RefusedError
from services.run_control import rules
from services.run_control.command_types import Action
from services.run_control.commands import CommandLimits, locked_summary
from services.run_control.expert import check_expert_command
from services.run_control.in_parts import PARTS
from services.run_control.node_types import Node, NodeKind, Target
from services.run_control.orders import OrderBook, Plan, Wish
from services.run_control.rows import node_view
from services.run_control.session_types import SessionSummary
from services.run_control.support import also_matched, not_supported
from services.texts import clean, is_storable

GRPC = "grpc://"
G1, G2 = "G1", "G2"
WHOLE_TREE = Target()

# What can be asked of nodes, in the order in which people are offered it.
NODE_ACTIONS = (
    Action.INCLUDE,
    Action.EXCLUDE,
    Action.RECOMPUTE_STATUS,
    Action.EXPERT_COMMAND,
    Action.TO_ERROR,
)

_PERMISSIONS: Mapping[Action, Permission] = {
    Action.INCLUDE: Permission.INCLUDE,
    Action.EXCLUDE: Permission.EXCLUDE,
    Action.RECOMPUTE_STATUS: Permission.RECOMPUTE_STATUS,
    Action.EXPERT_COMMAND: Permission.EXPERT_COMMAND,
    Action.TO_ERROR: Permission.TO_ERROR,
}
_WORDS: Mapping[Action, str] = {
    Action.RECOMPUTE_STATUS: "recompute the status of nodes",
    Action.EXPERT_COMMAND: "send expert commands",
    Action.TO_ERROR: "put nodes in error",
}
# What older generations lack (contract 19.3). The adapter refuses, too; this is known before anything is ordered.
_LACKS: Mapping[str, frozenset[Action]] = {
    G1: frozenset({Action.RECOMPUTE_STATUS, Action.EXPERT_COMMAND, Action.TO_ERROR}),
    G2: frozenset({Action.TO_ERROR}),
}


class NodeCommandService:
    """Orders for parts of the tree. A target's path is that of a node of the session; empty for the root controller.

    Several targets are one command, executed one after the other (`in_parts`); a target below another one goes with
    it. Without any the whole tree is meant.

    Every refusal is audited before it is raised. All methods return the command's id and raise `services.errors`:
    NotPermittedError, NotFoundError (no such session or node), RefusedError, StaleError, NotInControlError,
    NotSupportedError (this generation of drunc cannot do it).
    """

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        clock: Clock,
        limits: CommandLimits,
        on_submit: Callable[[], None],
    ) -> None:
        """Keep the collaborators; ``on_submit`` is called after each stored command, to wake the collector."""
        self._book = OrderBook(database, audit, clock, on_submit)
        self._clock = clock
        self._limits = limits

    def include(self, identity: Identity, session: str, *targets: Target) -> int:
        """Order that nodes take part in transitions again; in G1 always a controller and everything below it."""
        return self._submit(Wish(identity, Action.INCLUDE, session), targets)

    def exclude(self, identity: Identity, session: str, *targets: Target) -> int:
        """Order that transitions leave nodes out; in G1 always a controller and everything below it."""
        return self._submit(Wish(identity, Action.EXCLUDE, session), targets)

    def recompute_status(self, identity: Identity, session: str, *targets: Target) -> int:
        """Order that nodes derive state and error from their children anew: the way out of an error (10.7)."""
        return self._submit(Wish(identity, Action.RECOMPUTE_STATUS, session), targets)

    def to_error(self, identity: Identity, session: str, *targets: Target) -> int:
        """Order that nodes go in error, for tests."""
        return self._submit(Wish(identity, Action.TO_ERROR, session), targets)

    def expert_command(self, identity: Identity, session: str, command: str, *targets: Target) -> int:
        """Order that a JSON text is sent to applications.

        Raises:
            InvalidInputError: It is none that an application takes (contract 10.7); ``field`` is ``command``.
        """
        wish = Wish(identity, Action.EXPERT_COMMAND, session, raw={"command": command})
        return self._submit(wish, targets, lambda: {"command": check_expert_command(command)})

    def why_not(
        self, identity: Identity, summary: SessionSummary, action: Action, nodes: Iterable[Node] = ()
    ) -> str | None:
        """Return why an action cannot be ordered now of these nodes, None if it can. Same rules, no side effect."""
        try:
            rules.require_permission(identity, _PERMISSIONS[action])
            self._require(identity, summary, action)
            for node in nodes:
                _address(summary, node)
        except ConsoleError as error:
            return error.message
        return None

    def _submit(self, wish: Wish, targets: Sequence[Target], extra: Callable[[], dict[str, Any]] = dict) -> int:
        def plan(tx: Session) -> Plan:
            summary = locked_summary(tx, wish.session or "")
            self._require(wish.identity, summary, wish.action)
            chosen = outermost(targets) or (WHOLE_TREE,)
            parts = [_addressed(tx, summary, target) for target in chosen]
            named = [part | {"node": target.path} for part, target in zip(parts, chosen, strict=True)]
            payload = parts[0] if len(parts) == 1 else {PARTS: named}
            words = ", ".join(target.path or summary.root_name or "" for target in chosen)
            return Plan(words, summary.name, payload=payload | extra())

        return self._book.submit(wish, _PERMISSIONS[wish.action], plan)

    def _require(self, identity: Identity, summary: SessionSummary, action: Action) -> None:
        if action in _LACKS.get(summary.generation or "", ()):
            raise not_supported(_WORDS[action], summary.generation or "")
        rules.require_idle(summary)
        rules.require_fresh(summary, self._clock(), self._limits.stale_after)
        rules.require_control(identity, summary)


def outermost(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return the targets without those that lie below another one, which reaches them anyway; each once."""
    whole = {target.path for target in targets if target.all_children is not False}
    once = dict.fromkeys(targets)
    return tuple(target for target in once if not any(target.path.startswith(f"{path}/") for path in whole))


def _addressed(tx: Session, summary: SessionSummary, target: Target) -> dict[str, Any]:
    """Return what the order says of where it goes: ``address`` where it is not the root controller's."""
    flags = {"along_path": target.along_path, "all_children": target.all_children}
    if target.path in ("", summary.root_name):
        return {"address": None, "path": "", **flags}
    row = tx.get(NodeRow, (summary.name, target.path)) if is_storable(target.path) else None
    if row is None:
        raise NotFoundError(
            f"{summary.name} has no node {clean(target.path)}.",
            not_done="Nothing was sent.",
            next_step="Reload the tree.",
        )
    if summary.generation == G2:
        _require_exact(tx, summary.name, target.path)
    address = _address(summary, node_view(row))
    return {"address": address, "path": "" if address else target.path, **flags}


def _address(summary: SessionSummary, node: Node) -> str | None:
    """Return where a command for a node goes; None where the root controller passes it on.

    Raises:
        NotSupportedError: G1 has no targets: the node's own controller is asked (contract 10.6), and it has none.
    """
    if summary.generation != G1 or node.path == summary.root_name:
        return None
    if node.kind is not NodeKind.CONTROLLER or not (node.endpoint or "").startswith(GRPC):
        raise not_supported(f"command {node.name} by itself, only a controller with all below it", G1)
    return (node.endpoint or "").removeprefix(GRPC)


def _require_exact(tx: Session, session: str, path: str) -> None:
    """Check that a controller of G2 takes a path for one node only.

    Raises:
        RefusedError: It would act on others, too; the text names them.
    """
    others = also_matched(path, tx.scalars(select(NodeRow.path).where(NodeRow.session == session)))
    if others:
        raise RefusedError(
            f"This drunc (G2) would take {path} for {', '.join(others)} as well: it reads names as patterns.",
            not_done="Nothing was sent.",
            next_step="Choose the part above, which holds them all.",
        )
