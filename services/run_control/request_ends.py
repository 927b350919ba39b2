"""How a request for control ends: answered, handed over by a command, or kept open until a command has ended."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.commands import Command
from models.control import ControlRequest as Row
from models.database import Database
from models.run_control import DaqSession
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.revisions import LiveTopic, bump
from services.run_control.command_types import Action
from services.run_control.orders import OrderBook, Plan, Wish
from services.run_control.ownership import RequestState
from services.run_control.rows import OPEN_STATES, load_summaries
from services.run_control.session_types import SessionSummary

# How long a holder has to answer.
TIME_TO_ANSWER = timedelta(seconds=90)


def answer(row: Row, state: RequestState, now: datetime, text: str | None = None) -> None:
    """Write what came of a request."""
    row.state = state.value
    row.answered_at = now
    row.answer = text


def hand_over(tx: Session, book: OrderBook, row: Row, summary: SessionSummary, now: datetime) -> int:
    """Grant a request: store the command by which the requester takes control; return its id."""
    # Only who may take control could ask.
    requester = Identity(row.requester, Role.OPERATOR, row.requester_address)
    take = Wish(requester, Action.TAKE_CONTROL, row.session, reason=f"handed over by {row.holder}")
    row.command_id = book.store(tx, take, Plan(summary.root_name or "", summary.name))
    answer(row, RequestState.GRANTED, now)
    bump(tx, now, LiveTopic.CONTROL)
    return row.command_id


class RequestCloser:
    """Ends requests by itself: keeps promises, and closes what nobody answered in time. The collector's part."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._audit = audit
        self._clock = clock
        # Commands are looked for so often that nobody needs to be woken.
        self._book = OrderBook(database, audit, clock, lambda: None)

    def keep_promises(self) -> int:
        """Hand over what was promised after a command that has ended; return how many. Cheap while nothing was."""
        due = (
            select(Row.id)
            .join(Command, Command.id == Row.after_command_id)
            .where(Row.state == RequestState.OPEN.value, Command.state.not_in(OPEN_STATES))
            .order_by(Row.id)
        )
        with self._database.read() as tx:
            numbers = tx.scalars(due).all()
        return sum(self._keep(number) for number in numbers)

    def _keep(self, number: int) -> bool:
        """Keep one promise, whatever came of the command; tell whether control goes over."""
        with self._database.write() as tx:
            row = tx.get(Row, number, with_for_update=True)
            if row is None or row.state != RequestState.OPEN.value or row.after_command_id is None:
                # It was withdrawn or taken back a moment ago, or another collector was quicker.
                return False
            tx.get(DaqSession, row.session, with_for_update=True)
            now = self._clock()
            summary = next(iter(load_summaries(tx, row.session)), None)
            if summary is None or summary.holder is None:
                # Nobody can tell whether there is anything to hand over: back to the holder.
                row.after_command_id, row.expires_at = None, now + TIME_TO_ANSWER
                bump(tx, now, LiveTopic.CONTROL)
                return False
            if summary.holder != row.holder:
                # Overtaken: `close_due` says so.
                return False
            if summary.executing is not None:
                # The next command was quicker.
                row.after_command_id = summary.executing.id
                return False
            after = row.after_command_id
            hand_over(tx, self._book, row, summary, now)
            self._note(tx, row, f"granted after command {after}, as promised")
            return True

    def close_due(self) -> int:
        """Close what was not answered in time or was overtaken by another change of hands; return how many.

        Cheap while nothing is open.
        """
        open_ones = select(Row).where(Row.state == RequestState.OPEN.value)
        with self._database.read() as tx:
            if tx.scalars(open_ones.limit(1)).first() is None:
                return 0
        with self._database.write() as tx:
            now = self._clock()
            closed = [row for row in tx.scalars(open_ones.with_for_update()) if self._close(tx, row, now)]
            if closed:
                bump(tx, now, LiveTopic.CONTROL)
            return len(closed)

    def _close(self, tx: Session, row: Row, now: datetime) -> bool:
        session = tx.get(DaqSession, row.session)
        holder = session.holder if session is not None and session.present else None
        if holder is not None and holder != row.holder:
            answer(row, RequestState.OVERTAKEN, now, f"{holder or 'nobody'} is in control now")
        elif row.expires_at <= now and row.after_command_id is None:
            answer(row, RequestState.EXPIRED, now)
        else:
            return False
        self._note(tx, row, f"{row.state}{f': {row.answer}' if row.answer else ''}")
        return True

    def _note(self, tx: Session, row: Row, text: str) -> None:
        entry = AuditEntry(
            kind=AuditKind.OUTCOME,
            user_name=row.requester,
            remote_address=row.requester_address,
            action=Action.REQUEST_CONTROL.value,
            session=row.session,
            target=row.holder,
            text=text,
            command_id=row.command_id,
        )
        self._audit.add(tx, entry)
