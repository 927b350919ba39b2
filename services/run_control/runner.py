"""Executes commands: claims rows, sends each once in its endpoint's queue, writes what came of it."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from services.clock import Clock
from services.coordination import Fence, LeaseLostError
from services.errors import ConsoleError, NotReachableError
from services.run_control.adapter import Adapters
from services.run_control.boot_watch import BootWatch, judged
from services.run_control.command_types import CommandState
from services.run_control.endpoints import Endpoints
from services.run_control.execution import Booted, Order, Outcome, execute
from services.run_control.in_parts import PARTS, execute_in_parts
from services.run_control.journal import CommandJournal
from services.run_control.process_execution import execute_on_processes
from services.run_control.sequence_run import SequenceRun
from services.run_control.session_execution import execute_on_session

log = logging.getLogger(__name__)

T = TypeVar("T")

# The outcome, never the command, is tried again: a database that is away for a moment must not lose it.
WRITE_TRIES = 10
WRITE_PAUSE_S = 0.5


class CommandRunner:
    """One turn claims what waits and hands each order to its endpoint's queue; nothing in it waits for drunc."""

    def __init__(
        self,
        *,
        journal: CommandJournal,
        adapters: Adapters,
        endpoints: Endpoints,
        pending_limit_s: float,
        boot_grace_s: float,
        clock: Clock,
        on_done: Callable[[str | None], None],
        on_error: Callable[[str], None],
    ) -> None:
        """Keep the collaborators.

        ``boot_grace_s`` is how long what was booted is watched. ``on_done`` is called with the session after each
        command, with None after one that changes processes; ``on_error`` with the text of the console's own errors.
        """
        self._journal = journal
        self._adapters = adapters
        self._endpoints = endpoints
        self._pending_limit_s = pending_limit_s
        self._boot_grace_s = boot_grace_s
        self._clock = clock
        self._on_done = on_done
        self._on_error = on_error
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._recovered: Fence | None = None
        self._stopping = threading.Event()

    @property
    def running(self) -> int:
        """How many commands are under way."""
        with self._lock:
            return len(self._threads)

    def turn(self, fence: Fence) -> None:
        """Close what an earlier tour of duty left behind, then start what waits.

        Raises:
            LeaseLostError: Somebody else is on duty.
        """
        if fence != self._recovered:
            self._journal.recover(fence)
            self._recovered = fence
        if self._stopping.is_set() or not self._journal.has_pending():
            return
        for order in self._journal.claim(fence, self._pending_limit_s):
            self._start(fence, order)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the commands under way; return whether all ended."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start(self, fence: Fence, order: Order) -> None:
        """Queue the order; a thread of its own waits for it, so that no other session does."""
        waiter = threading.Thread(
            target=self._see_through, args=(fence, order), name=f"run-control-command-{order.id}", daemon=True
        )
        with self._lock:
            self._threads.add(waiter)
        waiter.start()

    def _see_through(self, fence: Fence, order: Order) -> None:
        try:
            outcome = self._whole(fence, order)
            log.info("command=%s user=%s session=%s outcome=%s", order.id, order.user, order.session, outcome.state)
            self._write(fence, order, outcome)
        except LeaseLostError as error:
            # Who is on duty now has closed it as unknown.
            log.warning("command=%s not carried on: %s", order.id, error)
        except Exception as error:
            log.exception("command=%s could not be finished", order.id)
            self._on_error(f"Command {order.id} could not be finished: {error}")
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
        # Of a session that begins or ends the process manager tells first.
        without_tree = order.action.is_for_processes or order.action.is_for_whole_sessions
        self._on_done(None if without_tree else order.session)

    def _whole(self, fence: Fence, order: Order) -> Outcome:
        try:
            if order.steps:
                return self._sequence(fence, order)
            if PARTS in order.payload:
                return execute_in_parts(order, self._outcome)
            outcome = self._outcome(order)
            return outcome if outcome.booted is None else self._watched(fence, order, outcome, outcome.booted)
        except LeaseLostError:
            raise
        except Exception as error:
            log.exception("command=%s failed", order.id)
            return self._failed(order, error)

    def _outcome(self, order: Order) -> Outcome:
        try:
            future: Future[Outcome] = self._endpoints.get(order.address).command(self._work(order))
            return future.result()
        except (CancelledError, ConsoleError):
            return Outcome(CommandState.FAILED, "The collector stopped before its turn came. Nothing was sent.")
        except Exception as error:
            log.exception("command=%s failed", order.id)
            return self._failed(order, error)

    def _failed(self, order: Order, error: Exception) -> Outcome:
        """Return the outcome of a fault of our own after it may have been sent: nobody can say what came of it."""
        self._on_error(f"Command {order.id} failed: {error}")
        return Outcome(CommandState.UNKNOWN, f"The console failed while it was executed: {error}")

    def _watched(self, fence: Fence, order: Order, outcome: Outcome, booted: Booted) -> Outcome:
        """Watch what was booted; between two looks the process manager's queue is free for everybody."""
        manager = self._adapters.process_manager(booted.address)
        text = f"{outcome.text} Watched for {self._boot_grace_s:g} s."
        watch = BootWatch(
            grace_s=self._boot_grace_s,
            look=lambda: self._ask(booted.address, lambda: manager.processes(order.user, booted.query)),
            note=lambda watched: self._insist(
                order, lambda: self._journal.note_booted(fence, order, text, watched.after)
            ),
            pause=self._stopping.wait,
        )
        return judged(outcome, booted, watch.watch(booted))

    def _sequence(self, fence: Fence, order: Order) -> Outcome:
        run = SequenceRun(
            send=self._outcome,
            look=lambda: self._possible(order),
            note=lambda progress: self._insist(order, lambda: self._journal.note_steps(fence, order, progress)),
            why_end=lambda: self._why_end(order),
            clock=self._clock,
        )
        return run.execute(order)

    def _possible(self, order: Order) -> tuple[str, ...]:
        controller = self._adapters.controller(order.address)
        return self._ask(order.address, lambda: controller.possible(order.user))

    def _ask(self, address: str, work: Callable[[], T]) -> T:
        """Ask something in the queue of an address.

        Raises:
            ConsoleError: It does not tell, or the collector stops.
        """
        try:
            return self._endpoints.get(address).command(work).result()
        except CancelledError as error:
            raise NotReachableError("The collector stopped.") from error

    def _why_end(self, order: Order) -> str | None:
        if self._stopping.is_set():
            return "The collector stops"
        who = self._journal.aborted_by(order.id)
        return None if who is None else f"{who} aborted it"

    def _work(self, order: Order) -> Callable[[], Outcome]:
        if order.action.is_for_processes:
            process_manager = self._adapters.process_manager(order.address)
            return lambda: execute_on_processes(order, process_manager)
        if order.action.is_for_whole_sessions:
            service = self._adapters.run_control_service(order.address)
            return lambda: execute_on_session(order, service)
        controller = self._adapters.controller(order.address)
        return lambda: execute(order, controller)

    def _write(self, fence: Fence, order: Order, outcome: Outcome) -> None:
        try:
            self._insist(order, lambda: self._journal.finish(fence, order, outcome))
        except LeaseLostError as error:
            log.warning("command=%s outcome=%s not written: %s", order.id, outcome.state, error)

    def _insist(self, order: Order, write: Callable[[], None]) -> None:
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                write()
            except SQLAlchemyError:
                if attempt == WRITE_TRIES:
                    raise
                log.warning("command=%s could not be written, trying again", order.id)
                self._stopping.wait(WRITE_PAUSE_S)
            else:
                return
