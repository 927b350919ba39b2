"""Control between people, as plain data: who asks whom for it, and who lost it. drunc tells nobody (contract 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.session_types import SessionSummary


class RequestState(StrEnum):
    """What became of a request (see `models.control.ControlRequest`)."""

    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A request for control, for pages.

    ``expires_at`` is when an open one ends without an answer. With ``after_command_id`` the holder has promised to hand
    over once that command has ended: then it does not end by itself.
    """

    id: int
    session: str
    requester: str
    holder: str
    reason: str | None
    created_at: datetime
    expires_at: datetime
    state: RequestState
    answered_at: datetime | None
    answer: str | None
    command_id: int | None
    after_command_id: int | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Control that went from ``of`` to ``by``.

    ``outside`` is true where ``by`` used another program than this console. ``reason`` is what they gave here.
    """

    session: str
    of: str
    by: str
    at: datetime | None
    outside: bool
    reason: str | None = None


def loss(
    session: SessionSummary, commands: Sequence[CommandView], handed_over: frozenset[int] = frozenset()
) -> Loss | None:
    """Return the last loss of control that still holds; None where whoever holds control got it in good order.

    Args:
        session: Who holds control now.
        commands: Commands of the session by which control passed on, newest first.
        handed_over: Those of them that the holder before agreed to.
    """
    done = [command for command in commands if command.state is CommandState.SUCCEEDED]
    if not done or session.held_by_nobody or session.holder is None or done[0].action is not Action.TAKE_CONTROL:
        return None
    last = done[0]
    if session.holder != last.user_name:
        return Loss(session.name, last.user_name, session.holder, session.holder_since, outside=True)
    before = done[1] if len(done) > 1 else None
    if before is None or before.action is not Action.TAKE_CONTROL or before.user_name == last.user_name:
        return None
    if last.id in handed_over:
        return None
    return Loss(session.name, before.user_name, last.user_name, last.finished_at, outside=False, reason=last.reason)
