"""What people ask of whole sessions: boot one from a configuration, end one. Where nobody can, the lines to type."""

import re
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.commands import Command
from models.database import Database
from models.run_control import Backend, DaqSession
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import InvalidInputError, NotSupportedError, RefusedError
from services.run_control import rules
from services.run_control.backend_types import BackendKind
from services.run_control.command_types import SESSION_ACTIONS, Action
from services.run_control.commands import locked_summary
from services.run_control.config import RunControlConfig
from services.run_control.orders import WIDTH, OrderBook, Plan, Wish
from services.run_control.rows import OPEN_STATES
from services.run_control.session_types import Configuration
from services.run_control.shell_lines import GRPC, ShellLines, end_lines, start_lines
from services.texts import is_storable

# Names may not split paths or Kafka topics (contract 3); what begins with a dash is an option to a shell.
_SESSION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
MAX_FILE = 1024


class SessionCommandService:
    """Orders for the run control service of G3 (contract 6.5); the collector executes each once, as the person.

    Every refusal is audited before it is raised. The orders return the command's id and raise `services.errors`:
    NotPermittedError, NotFoundError, InvalidInputError, RefusedError, and NotSupportedError where there is no such
    service: then `start_lines` and `end_lines` say what to type.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        clock: Clock,
        config: RunControlConfig,
        *,
        on_submit: Callable[[], None],
    ) -> None:
        """Keep the collaborators; ``on_submit`` is called after each stored command, to wake the collector."""
        self._database = database
        self._book = OrderBook(database, audit, clock, on_submit)
        self._process_manager = config.process_manager_address
        self._run_control = config.run_control_address

    @property
    def can_order(self) -> bool:
        """Whether sessions can be started and ended from here."""
        return self._run_control is not None

    def start(self, identity: Identity, name: str, configuration: Configuration) -> int:
        """Order that a session of this name is booted from a configuration.

        Raises:
            InvalidInputError: Name or configuration cannot be; ``field`` says which.
            RefusedError: A session of this name is there, or another is being started or ended.
        """
        raw = {"name": name, "file": configuration.file, "configuration": configuration.id}
        wish = Wish(identity, Action.START_SESSION, name, raw=raw)

        def plan(tx: Session) -> Plan:
            self._require_service()
            _check_name(name)
            _check_configuration(configuration)
            _require_free(tx, name)
            _require_none_under_way(tx)
            return self._plan(name, configuration)

        return self._book.submit(wish, Permission.START_SESSION, plan)

    def end(self, identity: Identity, session: str) -> int:
        """Order that a session is ended with all its processes, whatever it does.

        Raises:
            NotFoundError: There is no such session.
            RefusedError: A command is under way in it, or a session is being started or ended.
        """
        wish = Wish(identity, Action.END_SESSION, session)

        def plan(tx: Session) -> Plan:
            summary = locked_summary(tx, session)
            self._require_service()
            rules.require_idle(summary)
            _require_none_under_way(tx)
            return self._plan(summary.name, summary.configuration or Configuration("", ""))

        return self._book.submit(wish, Permission.END_SESSION, plan)

    def start_lines(self, name: str, configuration: Configuration) -> ShellLines:
        """Return what to type to boot such a session by hand.

        Raises:
            InvalidInputError: Name or configuration cannot be; ``field`` says which.
        """
        _check_name(name)
        _check_configuration(configuration)
        return start_lines(self._generation(), self._process_manager, name, configuration)

    def end_lines(self, session: str) -> ShellLines:
        """Return what to type to end a session by hand."""
        return end_lines(self._process_manager, session)

    def _generation(self) -> str | None:
        key = (BackendKind.PROCESS_MANAGER.value, self._process_manager)
        with self._database.read() as tx:
            row = tx.get(Backend, key)
        return row.generation if row else None

    def _require_service(self) -> None:
        if self._run_control is None:
            raise NotSupportedError(
                "There is no run control service here: drunc boots and ends sessions from its own shells.",
                not_done="Nothing was sent.",
                next_step="Copy the lines for the shell.",
            )

    def _plan(self, name: str, configuration: Configuration) -> Plan:
        payload = {
            "file": configuration.file,
            "configuration": configuration.id,
            "process_manager": GRPC + self._process_manager,
        }
        return Plan(name, name, payload=payload)


def _check_name(name: str) -> None:
    if len(name) > WIDTH or _SESSION_NAME.fullmatch(name) is None:
        raise InvalidInputError(
            "A session's name has letters, digits, - and _, and does not begin with a dash.", field="name"
        )


def _check_configuration(configuration: Configuration) -> None:
    for field, text, width in (("file", configuration.file, MAX_FILE), ("configuration", configuration.id, WIDTH)):
        if not text or len(text) > width or not is_storable(text) or not text.isprintable():
            raise InvalidInputError(f"A configuration's {field} is missing, or cannot be one.", field=field)


def _require_free(tx: Session, name: str) -> None:
    row = tx.get(DaqSession, name)
    if row is not None and row.present:
        raise RefusedError(f"A session {name} is there already.", not_done="Nothing was sent.", next_step="")


def _require_none_under_way(tx: Session) -> None:
    """Refuse a second order: the service operates one session at a time (contract 6.5)."""
    statement = select(Command).where(Command.state.in_(OPEN_STATES), Command.action.in_(SESSION_ACTIONS)).limit(1)
    row = tx.scalars(statement).first()
    if row is not None:
        raise RefusedError(
            f"{row.action} of {row.session} by {row.user_name} (command {row.id}) is under way.",
            not_done="Nothing was sent.",
            next_step="Wait until it has ended.",
        )
