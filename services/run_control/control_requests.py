"""Control asked for and handed over: drunc knows only stealing (contract 8.1), people ask first."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.control import ControlRequest as Row
from models.database import Database
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import NotFoundError, RefusedError
from services.revisions import LiveTopic, bump
from services.run_control import rules
from services.run_control.command_types import Action
from services.run_control.commands import CommandLimits, locked_summary
from services.run_control.orders import OrderBook, Plan, Wish, check_reason, given_reason
from services.run_control.ownership import ControlRequest, RequestState
from services.run_control.request_ends import TIME_TO_ANSWER, answer, hand_over
from services.run_control.session_types import SessionSummary

# An answer is shown for so long.
NEWS_FOR = timedelta(minutes=10)


class ControlRequestService:
    """Requests for control of sessions. Every refusal is audited before it is raised.

    All methods that act raise `services.errors`: NotPermittedError, NotFoundError, RefusedError, StaleError,
    NotInControlError, InvalidInputError (the reason).
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
        self._database = database
        self._book = OrderBook(database, audit, clock, on_submit)
        self._clock = clock
        self._limits = limits

    def request(self, identity: Identity, session: str, reason: str | None = None) -> int:
        """Ask the holder of a session for control; return the request's id."""
        wish = Wish(identity, Action.REQUEST_CONTROL, session, reason=given_reason(reason))

        def work(tx: Session) -> int:
            summary = locked_summary(tx, session)
            check_reason(wish.reason)
            now = self._clock()
            self._require_askable(tx, identity, summary, now)
            row = Row(
                session=session,
                requester=identity.name,
                requester_address=identity.remote_address,
                holder=summary.holder or "",
                reason=wish.reason,
                created_at=now,
                expires_at=now + TIME_TO_ANSWER,
                state=RequestState.OPEN.value,
            )
            tx.add(row)
            tx.flush()
            self._book.note(tx, wish, Plan(summary.holder or "", session))
            bump(tx, now, LiveTopic.CONTROL)
            return row.id

        return self._book.act(wish, Permission.TAKE_CONTROL, work)

    def why_not(self, identity: Identity, summary: SessionSummary) -> str | None:
        """Return why control cannot be asked for now, None if it can. No side effect."""
        return identity.obstacle(Permission.TAKE_CONTROL) or _why_not(identity, summary)

    def grant(self, identity: Identity, request_id: int) -> int:
        """Hand over control, as its holder; return the id of the command by which the requester gets it."""
        wish = Wish(identity, Action.GRANT_CONTROL)

        def work(tx: Session) -> int:
            row, summary, now = self._answerable(tx, identity, request_id)
            rules.require_idle(summary)
            return self._grant(tx, wish, row, summary, now)

        return self._book.act(wish, Permission.RELEASE_CONTROL, work)

    def promise(self, identity: Identity, request_id: int) -> None:
        """Hand over control, as its holder, as soon as the command under way has ended, whatever comes of it.

        Where it has ended meanwhile control goes over at once. Until then the promise can be taken back.
        """
        wish = Wish(identity, Action.PROMISE_CONTROL)

        def work(tx: Session) -> int:
            row, summary, now = self._answerable(tx, identity, request_id)
            if summary.executing is None:
                return self._grant(tx, wish, row, summary, now)
            _require_no_promise(tx, row)
            row.after_command_id = summary.executing.id
            self._book.note(tx, wish, Plan(row.requester, row.session), row.after_command_id)
            bump(tx, now, LiveTopic.CONTROL)
            return row.id

        self._book.act(wish, Permission.RELEASE_CONTROL, work)

    def take_back(self, identity: Identity, request_id: int) -> None:
        """Take back a promise: the request waits for an answer again, as long as a new one does."""
        wish = Wish(identity, Action.TAKE_PROMISE_BACK)

        def work(tx: Session) -> int:
            row, _, now = self._answerable(tx, identity, request_id)
            if row.after_command_id is None:
                raise RefusedError(f"Nothing was promised to {row.requester}.", next_step="")
            row.after_command_id, row.expires_at = None, now + TIME_TO_ANSWER
            self._book.note(tx, wish, Plan(row.requester, row.session))
            bump(tx, now, LiveTopic.CONTROL)
            return row.id

        self._book.act(wish, Permission.RELEASE_CONTROL, work)

    def _grant(self, tx: Session, wish: Wish, row: Row, summary: SessionSummary, now: datetime) -> int:
        rules.require_fresh(summary, now, self._limits.stale_after)
        command_id = hand_over(tx, self._book, row, summary, now)
        self._book.note(tx, wish, Plan(row.requester, row.session), command_id)
        return command_id

    def decline(self, identity: Identity, request_id: int, why: str | None = None) -> None:
        """Keep control, as its holder, and say why; what was promised is taken back."""
        wish = Wish(identity, Action.DECLINE_CONTROL, reason=given_reason(why))

        def work(tx: Session) -> int:
            check_reason(wish.reason)
            row, _, now = self._answerable(tx, identity, request_id)
            answer(row, RequestState.DECLINED, now, wish.reason)
            self._book.note(tx, wish, Plan(row.requester, row.session))
            bump(tx, now, LiveTopic.CONTROL)
            return row.id

        self._book.act(wish, Permission.RELEASE_CONTROL, work)

    def withdraw(self, identity: Identity, request_id: int) -> None:
        """Take back one's own request."""
        wish = Wish(identity, Action.WITHDRAW_REQUEST)

        def work(tx: Session) -> int:
            row = _open(tx, request_id)
            if row.requester != identity.name:
                raise RefusedError(f"It was {row.requester} who asked.", next_step="")
            now = self._clock()
            answer(row, RequestState.WITHDRAWN, now)
            self._book.note(tx, wish, Plan(row.holder, row.session))
            bump(tx, now, LiveTopic.CONTROL)
            return row.id

        self._book.act(wish, Permission.TAKE_CONTROL, work)

    def concerning(self, person: str) -> tuple[ControlRequest, ...]:
        """Return what a person has to know: requests they have to answer, and their own with what came of them lately.

        The oldest comes first. One whose time is over is none to answer any more, also before it is closed.
        """
        now = self._clock()
        waits = (Row.expires_at > now) | Row.after_command_id.is_not(None)
        is_open = (Row.state == RequestState.OPEN.value) & waits
        news = (Row.requester == person) & (Row.answered_at > now - NEWS_FOR)
        statement = select(Row).where(or_(is_open & or_(Row.holder == person, Row.requester == person), news))
        with self._database.read() as tx:
            return tuple(_view(row) for row in tx.scalars(statement.order_by(Row.id)))

    def _require_askable(self, tx: Session, identity: Identity, summary: SessionSummary, now: datetime) -> None:
        why = _why_not(identity, summary)
        if why is not None:
            raise RefusedError(why, not_done="Nobody was asked.")
        if summary.executing is None:
            # During a command controllers answer no poll (contract 10.1), and that is when people ask.
            rules.require_fresh(summary, now, self._limits.stale_after)
        asked = select(Row).where(
            Row.session == summary.name, Row.requester == identity.name, Row.state == RequestState.OPEN.value
        )
        if any(_waits(row, now) for row in tx.scalars(asked)):
            raise RefusedError(f"{summary.holder} was asked already.", not_done="Nobody was asked again.")

    def _answerable(self, tx: Session, identity: Identity, request_id: int) -> tuple[Row, SessionSummary, datetime]:
        """Return an open request that this person may answer, with its session, locked."""
        row = _open(tx, request_id)
        summary = locked_summary(tx, row.session)
        rules.require_control(identity, summary)
        now = self._clock()
        if not _waits(row, now):
            raise RefusedError(f"The time to answer {row.requester} is over.", next_step="They may ask again.")
        return row, summary, now


def _why_not(identity: Identity, summary: SessionSummary) -> str | None:
    if summary.holder is None:
        return f"It is not known yet who is in control of {summary.name}."
    if summary.holder == identity.name:
        return "You are in control already."
    if summary.held_by_nobody:
        return "Nobody is in control: there is nobody to ask, take it."
    return None


def _waits(row: Row, now: datetime) -> bool:
    """Tell whether an open request still waits: for an answer, or for the command after which it was promised."""
    return row.expires_at > now or row.after_command_id is not None


def _require_no_promise(tx: Session, row: Row) -> None:
    promised = select(Row.requester).where(
        Row.session == row.session, Row.state == RequestState.OPEN.value, Row.after_command_id.is_not(None)
    )
    requester = tx.scalars(promised).first()
    if requester is not None:
        raise RefusedError(f"Control was promised to {requester} already.", next_step="Take that back first.")


def _open(tx: Session, request_id: int) -> Row:
    row = tx.get(Row, request_id, with_for_update=True)
    if row is None:
        raise NotFoundError(f"There is no request for control with the number {request_id}.")
    if row.state != RequestState.OPEN.value:
        raise RefusedError(f"This request of {row.requester} is {row.state} already.", next_step="")
    return row


def _view(row: Row) -> ControlRequest:
    return ControlRequest(
        id=row.id,
        session=row.session,
        requester=row.requester,
        holder=row.holder,
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=RequestState(row.state),
        answered_at=row.answered_at,
        answer=row.answer,
        command_id=row.command_id,
        after_command_id=row.after_command_id,
    )
