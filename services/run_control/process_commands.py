"""What people ask of the process manager: checked, written as a command row, and returned from at once."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import Database
from models.run_control import Process as ProcessRow
from services.accounts.types import Identity, Permission
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.errors import InvalidInputError, NotFoundError, RefusedError
from services.run_control.boot_order import dummy_orders, order_to_json, parse_boot_orders
from services.run_control.command_types import Action
from services.run_control.orders import OrderBook, Plan, Wish, given_reason, require_reason
from services.run_control.process_types import BootOrder, ProcessStatus
from services.texts import is_storable

# Twice as many as the largest session that is foreseen.
MAX_UUIDS = 5000


class ProcessCommandService:
    """Orders for the process manager; the collector claims each row and executes it once.

    Processes are told by UUID: names are patterns on the wire and would hit more (contract 22.21, 22.22). Every
    refusal is audited before it is raised. All methods return the command's id.
    """

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock, on_submit: Callable[[], None]) -> None:
        """Keep the collaborators; ``on_submit`` is called after each stored command, to wake the collector."""
        self._book = OrderBook(database, audit, clock, on_submit)

    def kill(self, identity: Identity, uuids: Sequence[str]) -> int:
        """Order that processes are killed and vanish from the list, their logs with them.

        Raises:
            NotPermittedError, NotFoundError, InvalidInputError: See `services.errors`.
        """
        wish = Wish(identity, Action.KILL)
        return self._book.submit(wish, Permission.KILL, lambda tx: _plan(_known(tx, uuids)))

    def flush(self, identity: Identity, uuids: Sequence[str] = (), *, session: str | None = None) -> int:
        """Order that dead processes vanish from the list: those told, or all of a session, or all there are.

        Raises:
            NotPermittedError, NotFoundError, InvalidInputError: See `services.errors`.
            RefusedError: None of them is dead.
        """
        wish = Wish(identity, Action.FLUSH, session)
        return self._book.submit(wish, Permission.FLUSH, lambda tx: _plan(_dead(tx, uuids, session)))

    def restart(self, identity: Identity, uuid: str) -> int:
        """Order that one process is ended and booted again as it was; its UUID stays.

        Raises:
            NotPermittedError, NotFoundError: See `services.errors`.
        """
        wish = Wish(identity, Action.RESTART)
        return self._book.submit(wish, Permission.RESTART, lambda tx: _plan(_known(tx, (uuid,))))

    def terminate(self, identity: Identity, reason: str) -> int:
        """Order that everything of every session and user is killed. It needs a reason.

        Raises:
            NotPermittedError, InvalidInputError: See `services.errors`.
        """
        wish = Wish(identity, Action.TERMINATE, reason=given_reason(reason))

        def plan(tx: Session) -> Plan:
            require_reason(wish.reason, "Killing everything of every session")
            rows = tx.scalars(select(ProcessRow).order_by(ProcessRow.session, ProcessRow.name)).all()
            return Plan("every process", None, payload={"processes": _names(rows)})

        return self._book.submit(wish, Permission.TERMINATE, plan)

    def boot(self, identity: Identity, text: str) -> int:
        """Order what a text in JSON or YAML tells (see `boot_order.parse_boot_orders`) to be booted.

        Raises:
            NotPermittedError, InvalidInputError: See `services.errors`; the message names every wrong field.
        """
        return self._boot(identity, lambda: parse_boot_orders(text, identity.name))

    def dummy_boot(
        self,
        identity: Identity,
        session: str,
        *,
        user: str | None = None,
        processes: int = 1,
        sleeps: int = 6,
        sleep_s: int = 10,
    ) -> int:
        """Order processes that only sleep, for trials (contract 9.3); ``user`` runs them, the person by default.

        Raises:
            NotPermittedError, InvalidInputError: See `services.errors`.
        """
        owner = user or identity.name
        return self._boot(identity, lambda: dummy_orders(session, owner, processes, sleeps, sleep_s))

    def _boot(self, identity: Identity, orders: Callable[[], tuple[BootOrder, ...]]) -> int:
        wish = Wish(identity, Action.BOOT)
        return self._book.submit(wish, Permission.BOOT, lambda _tx: _boot_plan(orders()))


def _boot_plan(orders: tuple[BootOrder, ...]) -> Plan:
    sessions = {order.session for order in orders}
    return Plan(
        ", ".join(order.name for order in orders),
        sessions.pop() if len(sessions) == 1 else None,
        payload={"orders": [order_to_json(order) for order in orders]},
    )


def _plan(rows: Sequence[ProcessRow]) -> Plan:
    sessions = {row.session for row in rows}
    return Plan(
        ", ".join(row.name for row in rows),
        sessions.pop() if len(sessions) == 1 else None,
        payload={"processes": _names(rows)},
    )


def _names(rows: Sequence[ProcessRow]) -> dict[str, Any]:
    return {row.uuid: row.name for row in rows}


def _known(tx: Session, uuids: Sequence[str]) -> Sequence[ProcessRow]:
    """Return the rows of all that are told, or refuse them all."""
    if not uuids:
        raise InvalidInputError("No process was chosen.", field="uuids", next_step="Choose one.")
    if len(uuids) > MAX_UUIDS:
        raise InvalidInputError(f"These are more than {MAX_UUIDS} processes.", field="uuids")
    wanted = [uuid for uuid in dict.fromkeys(uuids) if is_storable(uuid)]
    statement = select(ProcessRow).where(ProcessRow.uuid.in_(wanted)).order_by(ProcessRow.session, ProcessRow.name)
    rows = tx.scalars(statement).all()
    missing = len(set(uuids)) - len(rows)
    if missing:
        raise NotFoundError(
            f"{missing} of the {len(set(uuids))} processes are not listed any more.",
            not_done="Nothing was sent.",
            next_step="Choose from those that are listed now.",
        )
    return rows


def _dead(tx: Session, uuids: Sequence[str], session: str | None) -> Sequence[ProcessRow]:
    if uuids:
        rows = _known(tx, uuids)
    else:
        statement = select(ProcessRow).order_by(ProcessRow.session, ProcessRow.name)
        if session is not None:
            # What cannot be stored is the name of no session.
            statement = statement.where(ProcessRow.session == (session if is_storable(session) else ""))
        rows = tx.scalars(statement).all()
    dead = [row for row in rows if row.status_code == ProcessStatus.DEAD.value]
    if not dead:
        raise RefusedError("None of these processes is dead.", not_done="Nothing was sent.", next_step="")
    return dead
