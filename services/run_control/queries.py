"""What pages and the API read of run control: the last state the collector saw."""

import re
from collections.abc import Collection

from sqlalchemy import select

from models.commands import Command
from models.commands import CommandResult as ResultRow
from models.control import ControlRequest
from models.database import Database
from models.run_control import Backend, BootConfiguration, DaqSession
from models.run_control import Node as NodeRow
from models.run_control import Process as ProcessRow
from services.clock import Clock
from services.errors import NotFoundError
from services.run_control.backend_types import BackendKind, BackendView
from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.fsm_types import Remembered
from services.run_control.node_types import Node
from services.run_control.ownership import Loss, loss
from services.run_control.process_types import Process
from services.run_control.remembered import load_remembered
from services.run_control.rows import command_view, load_summaries, node_view, process_view, summaries
from services.run_control.session_types import Configuration, SessionSummary
from services.texts import clean, is_storable


class RunControlQueries:
    """Reads of sessions, processes, trees, backends and commands. Every method takes a constant number of queries."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock

    def sessions(self) -> tuple[SessionSummary, ...]:
        """Return every session that is present, by name."""
        with self._database.read() as tx:
            return load_summaries(tx)

    def vanished_sessions(self, limit: int = 50) -> tuple[SessionSummary, ...]:
        """Return sessions that nobody knows of any more, as they were when they vanished, the last one first."""
        statement = (
            select(DaqSession)
            .where(~DaqSession.present)
            .order_by(DaqSession.vanished_at.desc().nulls_last(), DaqSession.name)
            .limit(limit)
        )
        with self._database.read() as tx:
            return summaries(tx, statement)

    def configurations(self) -> tuple[Configuration, ...]:
        """Return what a session can be booted from, in the session manager's order; empty where there is none."""
        statement = select(BootConfiguration).order_by(BootConfiguration.position)
        with self._database.read() as tx:
            return tuple(Configuration(row.file, row.configuration_id) for row in tx.scalars(statement))

    def session(self, name: str) -> SessionSummary:
        """Return one session.

        Raises:
            NotFoundError: It does not exist (any more).
        """
        if not is_storable(name):
            raise session_not_found(clean(name))
        with self._database.read() as tx:
            found = load_summaries(tx, name)
        if not found:
            raise session_not_found(name)
        return found[0]

    def processes(self, session: str | None = None) -> tuple[Process, ...]:
        """Return all processes, or those of one session, by session and numeric tree id (contract 22.26)."""
        statement = select(ProcessRow)
        if session is not None:
            statement = statement.where(ProcessRow.session == clean(session))
        with self._database.read() as tx:
            found = [process_view(row) for row in tx.scalars(statement)]
        return tuple(sorted(found, key=_process_order))

    def tree(self, session: str) -> tuple[Node, ...]:
        """Return the nodes of a session's application tree, parents before children; empty while unknown."""
        statement = select(NodeRow).where(NodeRow.session == clean(session)).order_by(NodeRow.position)
        with self._database.read() as tx:
            return tuple(node_view(row) for row in tx.scalars(statement))

    def backends(self) -> tuple[BackendView, ...]:
        """Return every outside address that run control talks to, by kind and address."""
        statement = select(Backend).order_by(Backend.kind, Backend.address)
        with self._database.read() as tx:
            return tuple(_backend_view(row) for row in tx.scalars(statement))

    def command(self, command_id: int) -> CommandView:
        """Return a command with what each node answered.

        Raises:
            NotFoundError: There is no such command.
        """
        with self._database.read() as tx:
            row = tx.get(Command, command_id)
            if row is None:
                raise NotFoundError(f"There is no command {command_id}.")
            statement = select(ResultRow).where(ResultRow.command_id == command_id).order_by(ResultRow.position)
            return command_view(row, tx.scalars(statement))

    def last_commands(
        self, session: str | None, limit: int = 20, actions: Collection[Action] = ()
    ) -> tuple[CommandView, ...]:
        """Return the newest commands of one session, or of all, newest first, with what each node answered.

        With ``actions`` only those are returned.
        """
        statement = select(Command).order_by(Command.id.desc()).limit(limit)
        if actions:
            statement = statement.where(Command.action.in_([action.value for action in actions]))
        if session is not None:
            statement = statement.where(Command.session == clean(session))
        with self._database.read() as tx:
            commands = tx.scalars(statement).all()
            results: dict[int, list[ResultRow]] = {row.id: [] for row in commands}
            for result in tx.scalars(
                select(ResultRow)
                .where(ResultRow.command_id.in_(results))
                .order_by(ResultRow.command_id, ResultRow.position)
            ):
                results[result.command_id].append(result)
            return tuple(command_view(row, results[row.id]) for row in commands)

    def loss(self, summary: SessionSummary) -> Loss | None:
        """Return who lost control of a session without having agreed to it, as long as that still holds."""
        passed_on = (Action.TAKE_CONTROL.value, Action.RELEASE_CONTROL.value)
        commands = (
            select(Command)
            .where(
                Command.session == summary.name,
                Command.action.in_(passed_on),
                Command.state == CommandState.SUCCEEDED.value,
            )
            .order_by(Command.id.desc())
            .limit(2)
        )
        with self._database.read() as tx:
            found = [command_view(row) for row in tx.scalars(commands)]
            granted = select(ControlRequest.command_id).where(
                ControlRequest.command_id.in_([command.id for command in found])
            )
            return loss(summary, found, frozenset(number for number in tx.scalars(granted) if number is not None))

    def remembered(self, session: str) -> Remembered:
        """Return the arguments that were used lately in a session."""
        with self._database.read() as tx:
            return load_remembered(tx, clean(session))


def session_not_found(name: str) -> NotFoundError:
    """Return the error for a session that nobody knows."""
    return NotFoundError(
        f"There is no session {name}.",
        next_step="Choose one of the sessions on the overview; this one may have been terminated.",
    )


def tree_order(tree_id: str | None) -> tuple[bool, tuple[int, ...]]:
    """Return a key that sorts ``1.2`` before ``1.10``, and what has no tree id last (contract 9.6)."""
    return (not tree_id, tuple(int(part) for part in re.findall(r"\d+", tree_id or "")))


def _process_order(process: Process) -> tuple[str, tuple[bool, tuple[int, ...]], str, str]:
    return (process.session, tree_order(process.tree_id), process.name, process.uuid)


def _backend_view(row: Backend) -> BackendView:
    return BackendView(
        kind=BackendKind(row.kind),
        address=row.address,
        generation=row.generation,
        reachable=row.reachable,
        since=row.since,
        answered_at=row.answered_at,
        tried_at=row.tried_at,
        latency_ms=row.latency_ms,
        error=row.error,
        error_at=row.error_at,
    )
