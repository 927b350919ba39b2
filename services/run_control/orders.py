"""The door every order goes through: permission, checks, row and audit in one place."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.commands import Command
from models.database import Database
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.errors import ConsoleError, InvalidInputError
from services.revisions import LiveTopic, bump
from services.run_control import rules
from services.run_control.arguments import MAX_TEXT
from services.run_control.command_types import Action, CommandState
from services.run_control.fsm_types import ArgumentValue
from services.texts import clean, is_storable

# A session's column is so wide; what a browser sends may be longer.
WIDTH = 255


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for, before it is checked; ``raw`` holds arguments as they were given."""

    identity: Identity
    action: Action
    session: str | None = None
    transition: str | None = None
    raw: Mapping[str, object] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a checked wish comes to; the fields are those of `models.commands.Command`."""

    target: str
    session: str | None
    arguments: Mapping[str, ArgumentValue] = field(default_factory=dict)
    payload: Mapping[str, Any] | None = None
    steps: list[Any] | None = None


class OrderBook:
    """Stores orders. Every refusal is audited before it is raised."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock, on_submit: Callable[[], None]) -> None:
        """Keep the collaborators; ``on_submit`` is called after each stored order, to wake the collector."""
        self._database = database
        self._audit = audit
        self._clock = clock
        self._on_submit = on_submit

    def submit(self, wish: Wish, permission: Permission, plan: Callable[[Session], Plan]) -> int:
        """Check and store an order; return the command's id. ``plan`` reads and locks rows and raises refusals.

        Raises:
            ConsoleError: It is refused, by the person's role or by ``plan``.
        """
        return self.act(wish, permission, lambda tx: self.store(tx, wish, plan(tx)))

    def amend(self, wish: Wish, permission: Permission, command_id: int, change: Callable[[Session], Plan]) -> None:
        """Change a stored order; ``change`` reads, locks and changes rows and raises refusals.

        Raises:
            ConsoleError: It is refused, by the person's role or by ``change``.
        """

        def work(tx: Session) -> int:
            self.note(tx, wish, change(tx), command_id)
            bump(tx, self._clock(), LiveTopic.COMMANDS, LiveTopic.SESSIONS)
            return command_id

        self.act(wish, permission, work)

    def act(self, wish: Wish, permission: Permission, work: Callable[[Session], int]) -> int:
        """Do what a person may, in one unit of work; return what ``work`` returns. It raises refusals.

        Raises:
            ConsoleError: It is refused, by the person's role or by ``work``.
        """
        try:
            rules.require_permission(wish.identity, permission)
            with self._database.write() as tx:
                command_id = work(tx)
        except ConsoleError as error:
            self._audit.record(_entry(wish, AuditKind.REFUSAL, text=error.message))
            raise
        self._on_submit()
        return command_id

    def note(self, tx: Session, wish: Wish, plan: Plan, command_id: int | None = None) -> None:
        """Write into the audit what a checked wish comes to."""
        self._audit.add(tx, _entry(wish, AuditKind.INTENT, plan=plan, command_id=command_id))

    def store(self, tx: Session, wish: Wish, plan: Plan) -> int:
        """Store a checked order in the caller's unit of work; return the command's id."""
        now = self._clock()
        row = _row(wish, plan, now)
        tx.add(row)
        tx.flush()
        self.note(tx, wish, plan, row.id)
        bump(tx, now, LiveTopic.COMMANDS, LiveTopic.SESSIONS)
        return row.id


def given_reason(reason: str | None) -> str | None:
    """Return a reason as it is stored; None for one that says nothing."""
    return (reason or "").strip() or None


def require_reason(reason: str | None, why: str) -> None:
    """Check a reason that must be given; ``why`` says in a sentence what makes it necessary.

    Raises:
        InvalidInputError: It is missing, too long, or cannot be stored.
    """
    if reason is None:
        raise InvalidInputError(f"{why} needs a reason.", field="reason", next_step="Say why; it goes into the audit.")
    check_reason(reason)


def check_reason(reason: str | None) -> None:
    """Check a reason that may be given.

    Raises:
        InvalidInputError: It is too long, or cannot be stored.
    """
    if reason is not None and (len(reason) > MAX_TEXT or not is_storable(reason)):
        raise InvalidInputError("The reason is too long or holds a character that cannot be stored.", field="reason")


def _row(wish: Wish, plan: Plan, now: datetime) -> Command:
    return Command(
        request_id=str(uuid.uuid4()),
        created_at=now,
        user_name=wish.identity.name,
        remote_address=wish.identity.remote_address,
        session=plan.session,
        action=wish.action.value,
        target=plan.target,
        transition=wish.transition,
        arguments=dict(plan.arguments),
        payload=None if plan.payload is None else dict(plan.payload),
        steps=plan.steps,
        reason=wish.reason,
        state=CommandState.PENDING.value,
        text="",
    )


def _entry(
    wish: Wish, kind: AuditKind, *, plan: Plan | None = None, command_id: int | None = None, text: str = ""
) -> AuditEntry:
    session = plan.session if plan else wish.session
    return AuditEntry(
        kind=kind,
        user_name=wish.identity.name,
        remote_address=wish.identity.remote_address,
        action=wish.action.value,
        session=None if session is None else clean(session, WIDTH),
        target=plan.target if plan else None,
        arguments=_details(wish, plan),
        text=clean(text),
        command_id=command_id,
    )


def _details(wish: Wish, plan: Plan | None) -> dict[str, Any]:
    details: dict[str, Any] = {}
    given = (
        dict(plan.arguments) if plan else {clean(name, WIDTH): _printable(value) for name, value in wish.raw.items()}
    )
    if wish.transition is not None:
        details = {"transition": clean(wish.transition, WIDTH)}
    if wish.transition is not None or given:
        details["arguments"] = given
    if plan is not None and plan.payload is not None:
        details["order"] = dict(plan.payload)
    if wish.reason is not None:
        details["reason"] = clean(wish.reason)
    return details


def _printable(value: object) -> Any:
    """Return what a refusal's record can hold of anything a browser may have sent."""
    return value if value is None or isinstance(value, bool | int) else clean(str(value), WIDTH)
