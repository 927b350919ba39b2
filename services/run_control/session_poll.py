"""One poll of one session: look the controllers up, ask each through its queue, put the tree together."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.clock import Clock
from services.errors import ConsoleError, NotFoundError, NotReachableError
from services.run_control.adapter import Adapters, ControllerAdapter, DescribedNode, NodeStatus
from services.run_control.backend_types import BackendKind
from services.run_control.directories import SessionDirectory
from services.run_control.discovery import Listed
from services.run_control.endpoints import Endpoints, GaveWayError
from services.run_control.fsm_types import Sequence, Transition
from services.run_control.node_types import Node, NodeKind
from services.run_control.part_holders import PartHolders
from services.run_control.queries import tree_order
from services.run_control.readings import BackendReading, RootReading, SessionReading, backend_reading
from services.run_control.tree import controllers, flattened, merged, misses_a_node

T = TypeVar("T")

ROOT_NAME = "root-controller"
GRPC = "grpc://"

# A recursive describe makes every node below announce it, and people read that in the feed. A changed tree is noticed
# without it, by the addresses and by the status calls; this is only for what both would miss.
DESCRIBE_EVERY = timedelta(minutes=15)
# At least this long between two describes that a disagreement with the status calls asks for.
DESCRIBE_AGAIN_AFTER = timedelta(seconds=10)
# Entries live for ten seconds and can be missed by a hiccup (contract 22.31).
MISSES_BEFORE_GONE = 3


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept of the root controller from one poll to the next."""

    address: str
    transitions: tuple[Transition, ...]
    sequences: tuple[Sequence, ...]
    possible: tuple[str, ...]
    # What `possible` depends on.
    status: NodeStatus


@dataclass(frozen=True, slots=True)
class _RootAnswer:
    reading: RootReading
    children: tuple[NodeStatus, ...]


class SessionPoll:
    """Polls one session, turn by turn, never two turns at once. What it remembers only saves calls."""

    def __init__(
        self,
        name: str,
        *,
        connectivity: SessionDirectory,
        adapters: Adapters,
        endpoints: Endpoints,
        user: str,
        clock: Clock,
    ) -> None:
        """Keep the collaborators; calls are made under ``user``."""
        self.name = name
        self._connectivity = connectivity
        self._adapters = adapters
        self._endpoints = endpoints
        self._user = user
        self._clock = clock
        self._addresses: Mapping[str, str] = {}
        self._misses = 0
        self._known: _Known | None = None
        self._tree: DescribedNode | None = None
        self._described_at: datetime | None = None
        # The addresses changed: ask at once. The status calls disagree with the tree: ask soon.
        self._describe_due = self._describe_soon = False
        self._part_holders = PartHolders()
        self._backends: dict[tuple[BackendKind, str], BackendReading] = {}

    @property
    def used_addresses(self) -> frozenset[str]:
        """Addresses of the controllers this session has now."""
        return frozenset(uri.removeprefix(GRPC) for uri in self._addresses.values() if uri.startswith(GRPC))

    def close(self) -> None:
        """Close what is kept open."""
        self._connectivity.close()

    def turn(self, listed: Listed) -> SessionReading | None:
        """Poll once; ``listed`` is what is known of the session's processes.

        Returns None when one of the console's own commands goes first: then there is nothing new to say.
        """
        at = self._clock()
        self._connectivity.suggest(listed.connectivity)
        self._backends = {}
        try:
            name = root_name(listed.tree_ids)
            self._look_up(name)
            address = self._root_address(name)
            answer = self._ask(address, lambda adapter: self._ask_root(adapter, name, address)).result()
            children = self._ask_controllers(name, answer)
        except GaveWayError:
            return None
        except ConsoleError as error:
            gone = isinstance(error, NotFoundError | NotReachableError)
            return SessionReading(
                self.name,
                at,
                error=error.message,
                gone=gone,
                unpublished=isinstance(error, NotFoundError),
                backends=self._asked(),
            )
        return self._reading(at, answer, children)

    def _reading(
        self, at: datetime, answer: _RootAnswer, children: Mapping[str, tuple[NodeStatus, ...]]
    ) -> SessionReading:
        root = answer.reading
        tree = self._tree or DescribedNode(root.name, None)
        self._describe_soon = misses_a_node(tree, children)
        nodes = self._with_holders(flattened(tree, root.status, children, self._addresses, at), root.holder, at)
        return SessionReading(self.name, at, root=root, nodes=nodes, backends=self._asked())

    def _with_holders(self, nodes: tuple[Node, ...], root_holder: str, at: datetime) -> tuple[Node, ...]:
        """Return the nodes with who holds control of each controller below the root."""
        parts = [
            (node.path, (node.endpoint or "").removeprefix(GRPC))
            for node in nodes[1:]
            if node.kind is NodeKind.CONTROLLER and (node.endpoint or "").startswith(GRPC)
        ]
        held = self._part_holders.of(
            parts, root_holder, at, lambda address: self._ask(address, lambda adapter: adapter.holder(self._user))
        )
        return tuple(replace(node, holder=held.get(node.path)) for node in nodes)

    def _asked(self) -> tuple[BackendReading, ...]:
        return tuple(self._backends.values())

    def _look_up(self, root: str) -> None:
        """Ask where the nodes are; a root that is missing from the answer is kept for a while."""
        found: Mapping[str, str] = {}
        started = time.monotonic()
        try:
            found = self._connectivity.lookup(self.name)
        except ConsoleError as error:
            self._observe(BackendKind.CONNECTIVITY, self._connectivity.address, error=error)
            if not self._addresses:
                raise
            # The controllers may well be there: ask them where they were.
            return
        self._observe(BackendKind.CONNECTIVITY, self._connectivity.address, started=started)
        self._misses = 0 if root in found else self._misses + 1
        known = self._addresses.get(root)
        if known is not None and 0 < self._misses < MISSES_BEFORE_GONE:
            found = {**(found or self._addresses), root: known}
        self._describe_due |= found.keys() != self._addresses.keys()
        self._addresses = found

    def _root_address(self, name: str) -> str:
        """Return where the root controller listens.

        Raises:
            NotFoundError: The connectivity service does not know it: another controller must not pass for it.
        """
        uri = self._addresses.get(name, "")
        if not uri.startswith(GRPC):
            raise NotFoundError(
                f"{self.name} is not booted, or its {name} is gone: the connectivity service at "
                f"{self._connectivity.address} does not know it."
            )
        return uri.removeprefix(GRPC)

    def _ask(self, address: str, work: Callable[[ControllerAdapter], T]) -> "Future[T]":
        adapter = self._adapters.controller(address)
        return self._endpoints.get(address).poll(lambda: self._observed(adapter, address, work))

    def _observed(self, adapter: ControllerAdapter, address: str, work: Callable[[ControllerAdapter], T]) -> T:
        started = time.monotonic()
        try:
            result = work(adapter)
        except ConsoleError as error:
            self._observe(BackendKind.CONTROLLER, address, error=error, generation=adapter.generation)
            raise
        self._observe(BackendKind.CONTROLLER, address, started=started, generation=adapter.generation)
        return result

    def _observe(
        self,
        kind: BackendKind,
        address: str,
        *,
        started: float | None = None,
        error: ConsoleError | None = None,
        generation: str | None = None,
    ) -> None:
        self._backends[kind, address] = backend_reading(
            kind, address, self._clock(), started=started, error=error, generation=generation
        )

    def _ask_root(self, adapter: ControllerAdapter, name: str, address: str) -> _RootAnswer:
        """Ask the root everything, in its queue's thread."""
        status = adapter.status(self._user)
        if status.name not in ("", name):
            # A port can be another node's after a reboot.
            raise NotReachableError(f"{name} is not at {address} any more: {status.name} answers there.")
        children = status.children if status.children is not None else adapter.children_status(self._user)
        holder = adapter.holder(self._user)
        self._describe(adapter, name, address)
        self._learn(adapter, address, status)
        known = self._known
        reading = RootReading(
            name=name,
            address=address,
            generation=adapter.generation,
            status=status,
            holder=holder,
            transitions=known.transitions if known else (),
            possible=known.possible if known else (),
            sequences=known.sequences if known else (),
        )
        return _RootAnswer(reading, children)

    def _learn(self, adapter: ControllerAdapter, address: str, status: NodeStatus) -> None:
        """Ask for the transitions of a new root, and for the possible ones whenever its state changed."""
        known = self._known if self._known and self._known.address == address else None
        if known is not None and replace(known.status, children=None) == replace(status, children=None):
            return
        transitions = known.transitions if known else adapter.transitions(self._user)
        sequences = known.sequences if known else adapter.sequences(self._user)
        self._known = _Known(address, transitions, sequences, adapter.possible(self._user), status)

    def _describe(self, adapter: ControllerAdapter, name: str, address: str) -> None:
        """Ask for the tree, if it may have changed or is old."""
        if self._known is not None and self._known.address != address:
            # Booted anew: nothing of the old tree holds.
            self._tree = self._described_at = None
        age = None if self._described_at is None else self._clock() - self._described_at
        wanted = DESCRIBE_AGAIN_AFTER if self._describe_soon else DESCRIBE_EVERY
        if self._describe_due or age is None or age >= wanted:
            self._tree = merged(self._tree, replace(adapter.describe(self._user), name=name))
            self._described_at = self._clock()
            self._describe_due = False

    def _ask_controllers(self, root_name: str, answer: _RootAnswer) -> Mapping[str, tuple[NodeStatus, ...]]:
        """Return path to children's status, of every controller that answers; all are asked at once."""
        told: dict[str, tuple[NodeStatus, ...]] = {}
        _collect(root_name, answer.children, told)
        asked: dict[str, Future[tuple[NodeStatus, ...]]] = {}
        for path, node in controllers(self._tree, self._addresses) if self._tree else ():
            uri = self._addresses.get(node.name, "")
            if path not in told and uri.startswith(GRPC):
                self._ask_children(path, uri.removeprefix(GRPC), asked)
        for path, future in asked.items():
            try:
                _collect(path, future.result(), told)
            except ConsoleError:
                # Noted as this address's error; its children keep their last state and age.
                continue
        return told

    def _ask_children(self, path: str, address: str, asked: "dict[str, Future[tuple[NodeStatus, ...]]]") -> None:
        try:
            asked[path] = self._ask(address, lambda adapter: adapter.children_status(self._user))
        except GaveWayError:
            return


def root_name(tree_ids: Mapping[str, str | None]) -> str:
    """Return the name of a session's root controller; it is configuration (contract section 14).

    It is ``root-controller`` unless the session's processes say otherwise: the root has the first tree id (9.6).
    """
    placed = [name for name, tree_id in tree_ids.items() if tree_id]
    if ROOT_NAME in tree_ids or not placed:
        return ROOT_NAME
    return min(placed, key=lambda name: tree_order(tree_ids[name]))


def _collect(path: str, children: tuple[NodeStatus, ...], told: dict[str, tuple[NodeStatus, ...]]) -> None:
    told[path] = children
    for child in children:
        if child.children is not None:
            _collect(f"{path}/{child.name}", child.children, told)
