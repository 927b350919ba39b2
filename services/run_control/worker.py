"""The run control worker: on duty while it holds the lease, it polls drunc and executes commands."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime

from models.database import Database
from services.audit.trail import AuditTrail
from services.clock import Clock
from services.coordination import LeaseKeeper, LeaseLostError, Leases
from services.health import AlreadyStartedError, WorkerHealth, WorkerState
from services.run_control.config import RunControlConfig
from services.run_control.endpoints import Endpoints
from services.run_control.journal import CommandJournal
from services.run_control.opening import open_adapters
from services.run_control.poller import Poller
from services.run_control.request_ends import RequestCloser
from services.run_control.runner import CommandRunner
from services.run_control.store import RunControlStore

log = logging.getLogger(__name__)

LEASE = "run_control"
CLAIM_INTERVAL_S = 0.1
# What is polled ends at any time and may be due again at once.
LEAST_TURN_S = 0.05
# The lease is renewed so many times within its life.
RENEWALS = 4
# An error younger than this makes the worker degraded.
RECENT_S = 30.0


class RunControlWorker:
    """Three loops in threads of their own: the lease, the polls, the commands. Several workers share one lease."""

    def __init__(self, config: RunControlConfig, database: Database, clock: Clock) -> None:
        """Compose the parts; threads, channels and connections are made by `start`."""
        self._config = config
        self._clock = clock
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._duty_changed = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._turned_at: datetime | None = None
        self._next_poll_s = 0.0
        self._error: tuple[str, datetime] | None = None
        self._stopped = False
        holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        leases = Leases(database)
        self._lease = LeaseKeeper(leases, LEASE, holder, config.lease_ttl_s)
        self._endpoints = Endpoints()
        self._adapters = open_adapters(config)
        self._poller = Poller(
            config,
            adapters=self._adapters,
            endpoints=self._endpoints,
            store=RunControlStore(database, leases, clock),
            clock=clock,
            on_error=self._note_error,
        )
        audit = AuditTrail(database, clock)
        self._requests = RequestCloser(database, audit, clock)
        self._runner = CommandRunner(
            journal=CommandJournal(
                database,
                leases,
                audit,
                clock,
                config.process_manager_address,
                run_control=config.run_control_address,
            ),
            adapters=self._adapters,
            endpoints=self._endpoints,
            pending_limit_s=config.pending_limit_s,
            boot_grace_s=config.boot_grace_s,
            clock=clock,
            on_done=self._poller.poke,
            on_error=self._note_error,
        )

    def start(self) -> None:
        """Start the threads.

        Raises:
            AlreadyStartedError: It was started before.
        """
        with self._lock:
            if self._threads:
                raise AlreadyStartedError("the run control worker was started before")
            self._threads = [
                threading.Thread(target=self._keep_lease, name="run-control-lease", daemon=True),
                threading.Thread(target=self._poll, name="run-control-poller", daemon=True),
                threading.Thread(target=self._run_commands, name="run-control-commands", daemon=True),
            ]
            for thread in self._threads:
                thread.start()

    def wake(self) -> None:
        """Look for commands at once: one was submitted in this process."""
        self._woken.set()

    def stop(self, timeout_s: float) -> None:
        """Stop everything and give up the lease.

        A command under way gets half of the time; then its call is cancelled and its outcome is unknown.

        Raises:
            TimeoutError: A thread did not end in time.
        """
        deadline = time.monotonic() + timeout_s
        self._runner.stop()
        ended = self._runner.join(timeout_s / 2)
        self._stopping.set()
        self._woken.set()
        self._duty_changed.set()
        self._endpoints.close()
        self._adapters.close()
        rest = max(1.0, deadline - time.monotonic())
        ended = self._runner.join(rest / 2) and ended
        ended = self._poller.stop(rest / 2) and self._endpoints.join(rest / 4) and ended
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.1, deadline - time.monotonic()))
                ended = ended and not thread.is_alive()
        self._release()
        self._stopped = True
        if not ended:
            raise TimeoutError(f"run control did not end within {timeout_s} s")

    def health(self) -> WorkerHealth:
        """Return how the worker is; a standby is well."""
        fence = self._lease.fence
        error = self._error
        return WorkerHealth(
            name=LEASE,
            state=self._state(),
            turned_at=self._turned_at,
            last_error=error[0] if error else None,
            last_error_at=error[1] if error else None,
            details={
                "duty": "active" if fence else "standby",
                "fence": fence.number if fence else None,
                "sessions": self._poller.sessions if fence else None,
                "commands_running": self._runner.running,
            },
        )

    def _state(self) -> WorkerState:
        if self._stopped:
            return "stopped"
        if any(not thread.is_alive() for thread in self._threads):
            return "failed"
        if self._turned_at is None:
            return "starting"
        if self._error and (self._clock() - self._error[1]).total_seconds() < RECENT_S:
            return "degraded"
        return "ok"

    def _keep_lease(self) -> None:
        while not self._stopping.is_set():
            held = self._lease.fence
            self._guarded(self._lease.keep, "The lease could not be kept")
            if held is None and self._lease.fence is not None:
                self._duty_changed.set()
                self._woken.set()
            self._stopping.wait(self._config.lease_ttl_s / RENEWALS)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            self._next_poll_s = self._config.poll_interval_s
            self._guarded(self._poll_once, "Polling failed")
            self._turned_at = self._clock()
            rest = min(self._next_poll_s, self._config.poll_interval_s) - (time.monotonic() - started)
            # A new tour of duty begins at once.
            self._duty_changed.wait(max(LEAST_TURN_S, rest))
            self._duty_changed.clear()

    def _poll_once(self) -> None:
        fence = self._lease.fence
        if fence is not None:
            self._next_poll_s = self._poller.turn(fence)
            self._requests.close_due()

    def _run_commands(self) -> None:
        while not self._stopping.is_set():
            self._guarded(self._run_once, "Commands could not be looked for")
            self._woken.wait(CLAIM_INTERVAL_S)
            self._woken.clear()

    def _run_once(self) -> None:
        fence = self._lease.fence
        if fence is not None:
            self._requests.keep_promises()
            self._runner.turn(fence)

    def _guarded(self, work: Callable[[], None], what: str) -> None:
        """Do one turn of a loop; whatever happens in it is noted and the loop goes on."""
        try:
            work()
        except LeaseLostError as error:
            log.info("%s: %s", what, error)
        except Exception as error:
            log.exception("%s", what)
            self._note_error(f"{what}: {error}")
            self._stopping.wait(CLAIM_INTERVAL_S)

    def _note_error(self, text: str) -> None:
        # Database errors bring their SQL along, on further lines.
        self._error = (text.partition("\n")[0], self._clock())

    def _release(self) -> None:
        try:
            self._lease.release()
        except Exception:
            # It expires by itself.
            log.exception("the lease could not be released")
