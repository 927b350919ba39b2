"""What people ask of run control: checked, written as a command row, and returned from at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from models.database import Database
from models.run_control import DaqSession
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import ConsoleError, StaleError
from services.run_control import rules
from services.run_control.arguments import parse_arguments
from services.run_control.command_types import Action
from services.run_control.fsm_types import ArgumentValue
from services.run_control.orders import OrderBook, Plan, Wish, given_reason, require_reason
from services.run_control.queries import session_not_found
from services.run_control.rows import load_summaries
from services.run_control.session_types import SessionSummary
from services.texts import is_storable


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """Limits of what may be acted on. ``stale_after``: a state older than this is not acted on."""

    stale_after: timedelta = timedelta(seconds=5)

    @classmethod
    def for_polling(cls, interval_s: float) -> "CommandLimits":
        """Return limits for a poll interval: three missed polls make a state too old, five seconds at least."""
        return cls(timedelta(seconds=max(5.0, 3 * interval_s + 1)))


class CommandService:
    """The door for every command. Nothing is sent here: the collector claims the row and executes it once.

    Every refusal is audited before it is raised.
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

    def take_control(self, identity: Identity, session: str, reason: str | None = None) -> int:
        """Order that ``identity`` takes control of a session; return the command's id.

        From another person it needs ``Permission.FORCE_CONTROL`` and a reason: drunc itself never refuses and tells
        nobody (contract 8.1).

        Raises:
            NotPermittedError, NotFoundError, RefusedError, StaleError: See `services.errors`.
            InvalidInputError: The reason is missing or too long.
        """
        wish = Wish(identity, Action.TAKE_CONTROL, session, reason=given_reason(reason))
        return self._submit(wish, Permission.TAKE_CONTROL, self._check_take)

    def release_control(self, identity: Identity, session: str) -> int:
        """Order that ``identity``, who holds it, releases control of a session; return the command's id.

        Raises:
            NotPermittedError, NotFoundError, RefusedError, StaleError, NotInControlError: See `services.errors`.
        """
        wish = Wish(identity, Action.RELEASE_CONTROL, session)
        return self._submit(wish, Permission.RELEASE_CONTROL, self._check_release)

    def execute_transition(
        self, identity: Identity, session: str, transition: str, arguments: Mapping[str, object]
    ) -> int:
        """Order a transition of the root controller, arguments as people gave them; return the command's id.

        Raises:
            NotPermittedError, NotFoundError, RefusedError, StaleError, NotInControlError: See `services.errors`.
            InvalidInputError: An argument is wrong; ``field`` is its name.
        """
        wish = Wish(identity, Action.EXECUTE_TRANSITION, session, transition, arguments)
        return self._submit(wish, Permission.EXECUTE_TRANSITION, self._check_transition)

    def why_not(self, identity: Identity, session_summary: SessionSummary, transition: str) -> str | None:
        """Return why a transition cannot be executed now, None if it can. Same rules, no side effect."""
        return next(iter(self.obstacles(identity, session_summary, transition)), None)

    def obstacles(self, identity: Identity, summary: SessionSummary, transition: str) -> tuple[str, ...]:
        """Return all that stands against a transition now, the weightiest first; empty if nothing does."""
        checks: tuple[Callable[[], object], ...] = (
            lambda: rules.require_permission(identity, Permission.EXECUTE_TRANSITION),
            lambda: rules.require_idle(summary),
            lambda: self._require_fresh(summary),
            lambda: rules.require_control(identity, summary),
            lambda: rules.require_able(summary),
            lambda: rules.require_possible(summary, transition),
        )
        refusals = (_refusal(check) for check in checks)
        return tuple(refusal for refusal in refusals if refusal is not None)

    def control_obstacle(self, identity: Identity, summary: SessionSummary) -> str | None:
        """Return why control can be neither taken nor released now, None if it can. Same rules, no side effect."""
        checks: tuple[Callable[[], object], ...] = (
            lambda: rules.require_permission(identity, Permission.TAKE_CONTROL),
            lambda: rules.require_idle(summary),
            lambda: self._require_fresh(summary),
        )
        return next((refusal for refusal in map(_refusal, checks) if refusal is not None), None)

    def _check_take(self, wish: Wish, summary: SessionSummary) -> dict[str, ArgumentValue]:
        rules.require_idle(summary)
        self._require_fresh(summary)
        if summary.holder is None:
            raise StaleError(
                f"It is not known yet who is in control of {summary.name}.",
                not_done="Nothing was sent.",
                next_step="Wait for the next poll.",
            )
        if not summary.held_by_nobody and summary.holder != wish.identity.name:
            rules.require_permission(wish.identity, Permission.FORCE_CONTROL)
            require_reason(wish.reason, f"{summary.holder} is in control of {summary.name}. Taking it over")
        return {}

    def _check_release(self, wish: Wish, summary: SessionSummary) -> dict[str, ArgumentValue]:
        rules.require_idle(summary)
        self._require_fresh(summary)
        rules.require_control(wish.identity, summary)
        return {}

    def _check_transition(self, wish: Wish, summary: SessionSummary) -> dict[str, ArgumentValue]:
        name = wish.transition or ""
        self._require_transition(wish.identity, summary, name)
        return parse_arguments(rules.require_possible(summary, name), wish.raw)

    def _require_transition(self, identity: Identity, summary: SessionSummary, transition: str) -> None:
        rules.require_idle(summary)
        self._require_fresh(summary)
        rules.require_control(identity, summary)
        rules.require_able(summary)
        rules.require_possible(summary, transition)

    def _require_fresh(self, summary: SessionSummary) -> None:
        rules.require_fresh(summary, self._clock(), self._limits.stale_after)

    def _submit(
        self,
        wish: Wish,
        permission: Permission,
        check: Callable[[Wish, SessionSummary], dict[str, ArgumentValue]],
    ) -> int:
        def plan(tx: Session) -> Plan:
            summary = locked_summary(tx, wish.session or "")
            return Plan(summary.root_name or "", summary.name, check(wish, summary))

        return self._book.submit(wish, permission, plan)


def _refusal(check: Callable[[], object]) -> str | None:
    try:
        check()
    except ConsoleError as error:
        return error.message
    return None


def locked_summary(tx: Session, name: str) -> SessionSummary:
    """Lock the session's row, so that two orders at the same moment cannot both find it idle."""
    known = is_storable(name) and tx.get(DaqSession, name, with_for_update=True) is not None
    found = load_summaries(tx, name) if known else ()
    if not found:
        raise session_not_found(name)
    return found[0]
