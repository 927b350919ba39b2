"""Adapters that find out on their first call which generation an address speaks, and remember it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.errors import NotSupportedError, UnknownCallError
from services.run_control.adapter import (
    THIS_NODE,
    ControllerAdapter,
    DescribedNode,
    NodeStatus,
    ProcessManagerAdapter,
    RunControlServiceAdapter,
    SessionManagerAdapter,
)
from services.run_control.channels import Channels
from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.generations import Detector, Generation
from services.run_control.node_types import Target
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery
from services.run_control.session_types import ActiveSession, Configuration
from services.run_control.support import Deadlines


class _OfGeneration(Protocol):
    @property
    def generation(self) -> str: ...


A = TypeVar("A", bound=_OfGeneration)
R = TypeVar("R")

# A version that is not supported may be replaced by one that is.
ASK_AGAIN_AFTER_S = 60.0

# What stands for the generation until an address has answered.
NOT_KNOWN = ""


class _Found(Generic[A]):
    """The adapter of one address, once it is found."""

    def __init__(self, find: Callable[[str], A]) -> None:
        """Keep how to find it, given the user to ask as."""
        self._find = find
        self._adapter: A | None = None
        self._refused: tuple[NotSupportedError, float] | None = None

    @property
    def adapter(self) -> A | None:
        """The adapter; None as long as the address has not answered."""
        return self._adapter

    @property
    def generation(self) -> str:
        """Name of the generation; empty as long as it is not known."""
        adapter = self._adapter
        return NOT_KNOWN if adapter is None else adapter.generation

    def ask(self, user: str, work: Callable[[A], R]) -> R:
        """Ask the adapter; a call that the server does not know means that it may have been exchanged for another."""
        adapter = self._adapter or self._found(user)
        try:
            return work(adapter)
        except UnknownCallError:
            self._adapter = None
            raise

    def _found(self, user: str) -> A:
        """Find the adapter; a version that is not supported is not asked again with every poll."""
        if self._refused is not None and time.monotonic() < self._refused[1]:
            known = self._refused[0]
            raise NotSupportedError(known.message, not_done=known.not_done, next_step=known.next_step)
        try:
            adapter = self._adapter = self._find(user)
        except NotSupportedError as error:
            self._refused = error, time.monotonic() + ASK_AGAIN_AFTER_S
            raise
        self._refused = None
        return adapter


@dataclass(frozen=True, slots=True)
class DetectingController:
    """A controller of whichever generation (see `services.run_control.adapter.ControllerAdapter`)."""

    found: _Found[ControllerAdapter]

    @property
    def generation(self) -> str:
        """Name of the generation; empty as long as it is not known."""
        return self.found.generation

    @property
    def actions(self) -> frozenset[Action]:
        """What can be asked of it; nothing as long as its generation is not known."""
        adapter = self.found.adapter
        return frozenset() if adapter is None else adapter.actions

    def describe(self, user: str) -> DescribedNode:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.describe(user))

    def status(self, user: str) -> NodeStatus:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.status(user))

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.children_status(user))

    def holder(self, user: str) -> str:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.holder(user))

    def transitions(self, user: str) -> tuple[Transition, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.transitions(user))

    def possible(self, user: str) -> tuple[str, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.possible(user))

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.sequences(user))

    def take_control(self, user: str) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.take_control(user))

    def release_control(self, user: str) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.release_control(user))

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.execute(user, transition, arguments, target))

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.include(user, target))

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.exclude(user, target))

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.recompute_status(user, target))

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.execute_expert_command(user, command, target))

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.to_error(user, target))


@dataclass(frozen=True, slots=True)
class DetectingProcessManager:
    """A process manager of whichever generation (see `services.run_control.adapter.ProcessManagerAdapter`)."""

    found: _Found[ProcessManagerAdapter]

    @property
    def generation(self) -> str:
        """Name of the generation; empty as long as it is not known."""
        return self.found.generation

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.processes(user, query))

    def boot(self, user: str, order: BootOrder) -> Process:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.boot(user, order))

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.kill(user, query))

    def flush(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.flush(user, query))

    def restart(self, user: str, query: ProcessQuery) -> Process:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.restart(user, query))

    def terminate(self, user: str) -> tuple[Process, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.terminate(user))

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.logs(user, query, lines))


@dataclass(frozen=True, slots=True)
class DetectingSessionManager:
    """A session manager of whichever generation (see `services.run_control.adapter.SessionManagerAdapter`)."""

    found: _Found[SessionManagerAdapter]

    @property
    def generation(self) -> str:
        """Name of the generation; empty as long as it is not known."""
        return self.found.generation

    def sessions(self, user: str) -> tuple[ActiveSession, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.sessions(user))

    def configurations(self, user: str) -> tuple[Configuration, ...]:
        """See the protocol."""
        return self.found.ask(user, lambda adapter: adapter.configurations(user))


class DetectingAdapters:
    """Adapters that share their channels (see `services.run_control.adapter.Adapters`).

    Each address is asked for itself: an installation may mix generations.
    """

    def __init__(self, channels: Channels, deadlines: Deadlines, pinned: Generation | None = None) -> None:
        """Keep the channels; ``pinned`` is the generation to assume everywhere, None to find out."""
        self._channels = channels
        self._detector = Detector(channels, deadlines, pinned)
        self._lock = threading.Lock()
        self._controllers: dict[str, DetectingController] = {}
        self._process_managers: dict[str, DetectingProcessManager] = {}
        self._session_managers: dict[str, DetectingSessionManager] = {}

    def controller(self, address: str) -> DetectingController:
        """Return the adapter of the controller at ``host:port``; nothing is asked yet."""
        with self._lock:
            known = self._controllers.get(address)
            if known is None:
                found = _Found(lambda user: self._detector.controller(address, user))
                known = self._controllers[address] = DetectingController(found)
            return known

    def process_manager(self, address: str) -> DetectingProcessManager:
        """Return the adapter of the process manager at ``host:port``; nothing is asked yet."""
        with self._lock:
            known = self._process_managers.get(address)
            if known is None:
                found = _Found(lambda user: self._detector.process_manager(address, user))
                known = self._process_managers[address] = DetectingProcessManager(found)
            return known

    def session_manager(self, address: str) -> DetectingSessionManager:
        """Return the adapter of the session manager at ``host:port``; nothing is asked yet."""
        with self._lock:
            known = self._session_managers.get(address)
            if known is None:
                found = _Found(lambda user: self._detector.session_manager(address, user))
                known = self._session_managers[address] = DetectingSessionManager(found)
            return known

    def run_control_service(self, address: str) -> RunControlServiceAdapter:
        """Return the adapter of the run control service at ``host:port``: G3's, no other has it."""
        return self._detector.run_control_service(address)

    def forget(self, address: str) -> None:
        """Close the channel to an address and forget what it speaks."""
        with self._lock:
            self._controllers.pop(address, None)
            self._process_managers.pop(address, None)
            self._session_managers.pop(address, None)
        self._channels.forget(address)

    def close(self) -> None:
        """Close all channels."""
        self._channels.close()
