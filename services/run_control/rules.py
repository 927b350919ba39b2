"""The rules that decide whether a command may be sent now. No side effects: buttons ask them too."""

from datetime import datetime, timedelta

from services.accounts.types import Identity, Permission
from services.errors import NotInControlError, NotPermittedError, RefusedError, StaleError
from services.run_control.command_types import CommandView
from services.run_control.fsm_types import Transition
from services.run_control.session_types import INITIAL_HOLDER, SessionSummary


def require_permission(identity: Identity, permission: Permission) -> None:
    """Check the person's role.

    Raises:
        NotPermittedError: The role does not include the permission.
    """
    if obstacle := identity.obstacle(permission):
        raise NotPermittedError(obstacle, not_done="Nothing was sent.", next_step="Ask somebody with the right role.")


def require_idle(summary: SessionSummary) -> None:
    """Check that no other command is under way in the session.

    Raises:
        RefusedError: One is; the text names it.
    """
    if summary.executing is not None:
        raise RefusedError(
            f"{describe(summary.executing)} is under way in {summary.name}.",
            not_done="Nothing was sent.",
            next_step="Wait until it has ended.",
        )


def describe(command: CommandView) -> str:
    """Return a command in words, e.g. ``start of alice (command 12)``."""
    return f"{command.transition or command.action} of {command.user_name} (command {command.id})"


def require_fresh(summary: SessionSummary, now: datetime, limit: timedelta) -> None:
    """Check that the session's state is recent enough to act on.

    Raises:
        StaleError: It is older than ``limit``, or was never read.
    """
    if summary.polled_at is not None and now - summary.polled_at <= limit:
        return
    age = "was never read" if summary.polled_at is None else f"is {(now - summary.polled_at).total_seconds():.0f} s old"
    raise StaleError(
        f"What is known of {summary.name} {age}" + (f": {summary.error}" if summary.error else "."),
        not_done="Nothing was sent.",
        next_step="Wait until the console hears from the session again.",
    )


def require_control(identity: Identity, summary: SessionSummary) -> None:
    """Check that the person holds control of the session.

    Raises:
        NotInControlError: Somebody else does, or nobody.
    """
    if summary.holder == identity.name:
        return
    raise not_in_control(summary.name, summary.holder or "", summary.holder_since)


def not_in_control(session: str, holder: str, since: datetime | None) -> NotInControlError:
    """Return the error that names who holds control, ``holder`` as drunc tells it."""
    if holder in ("", INITIAL_HOLDER):
        return NotInControlError(
            f"Nobody is in control of {session}" + (f" (it still belongs to {holder})." if holder else "."),
            holder=holder,
            next_step="Take control first.",
        )
    when = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
    return NotInControlError(
        f"{holder} is in control of {session}{when}.",
        holder=holder,
        next_step=f"Ask {holder} to release control, or take it over with a reason.",
    )


def require_able(summary: SessionSummary) -> None:
    """Check that the root controller takes transitions (contract 10.5, steps 1 and 3).

    It does not where it is in error, excluded, or in the middle of one.

    Raises:
        RefusedError: It is.
    """
    if summary.in_error:
        raise RefusedError(
            f"{summary.root_name} is in error.",
            not_done="Nothing was sent.",
            next_step="Repair or exclude what failed, then clear the error.",
        )
    if summary.included is False:
        raise RefusedError(
            f"{summary.root_name} is excluded.", not_done="Nothing was sent.", next_step="Include it first."
        )
    if is_between(summary.sub_state):
        raise RefusedError(
            f"{summary.root_name} is in {summary.sub_state}: a transition is under way, or an action of it failed.",
            not_done="Nothing was sent.",
            next_step="If it stays so, recompute its status (not in G1), or boot it anew.",
        )


def is_between(sub_state: str | None) -> bool:
    """Tell whether a node runs the actions before or after a transition, where a failed one leaves it (10.5, 12.4)."""
    return (sub_state or "").startswith(("preparing-", "finalising-"))


def require_possible(summary: SessionSummary, name: str) -> Transition:
    """Return the transition called ``name``, which the state machine allows now.

    Raises:
        RefusedError: It does not exist, or is not allowed in the present state.
    """
    known = next((transition for transition in summary.transitions if transition.name == name), None)
    possible = ", ".join(summary.possible) or "none"
    if known is None:
        raise RefusedError(f"{summary.root_name} has no transition {name}.", not_done="Nothing was sent.", next_step="")
    if name not in summary.possible:
        raise RefusedError(
            f"{name} is not possible in the state {summary.state}.",
            not_done="Nothing was sent.",
            next_step=f"Possible now: {possible}.",
        )
    return known
