"""Adapters that nobody may ask anything; tests override what is asked."""

from collections.abc import Mapping
from typing import NoReturn

from services.run_control.adapter import THIS_NODE, DescribedNode, NodeStatus
from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.node_types import Target
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery


class UnaskedController:
    generation = "GX"

    def _unasked(self) -> NoReturn:
        raise NotImplementedError

    @property
    def actions(self) -> frozenset[Action]:
        return frozenset(Action)

    def describe(self, user: str) -> DescribedNode:
        self._unasked()

    def status(self, user: str) -> NodeStatus:
        self._unasked()

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        self._unasked()

    def holder(self, user: str) -> str:
        self._unasked()

    def transitions(self, user: str) -> tuple[Transition, ...]:
        self._unasked()

    def possible(self, user: str) -> tuple[str, ...]:
        self._unasked()

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        self._unasked()

    def take_control(self, user: str) -> CommandResult:
        self._unasked()

    def release_control(self, user: str) -> CommandResult:
        self._unasked()

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        self._unasked()

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        self._unasked()

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        self._unasked()

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        self._unasked()

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:
        self._unasked()

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        self._unasked()


class UnaskedProcessManager:
    generation = "GX"

    def _unasked(self) -> NoReturn:
        raise NotImplementedError

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        self._unasked()

    def boot(self, user: str, order: BootOrder) -> Process:
        self._unasked()

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        self._unasked()

    def flush(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        self._unasked()

    def restart(self, user: str, query: ProcessQuery) -> Process:
        self._unasked()

    def terminate(self, user: str) -> tuple[Process, ...]:
        self._unasked()

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        self._unasked()
