"""Right after a command drunc is looked at at once and more often, for a while: by a clock that the test turns."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from models.database import Database
from services.audit.trail import AuditTrail
from services.coordination import Fence, Leases
from services.history.record import Changes
from services.revisions import LiveTopic, bump
from services.run_control.command_types import CommandState
from services.run_control.commands import CommandLimits, CommandService
from services.run_control.endpoints import Endpoints
from services.run_control.journal import CommandJournal
from services.run_control.pacing import QUICK_FACTOR, QUICK_FOR_S
from services.run_control.poller import Poller
from services.run_control.process_types import Process
from services.run_control.queries import RunControlQueries
from services.run_control.runner import CommandRunner
from services.run_control.saving_processes import save_asked_processes
from services.run_control.store import RunControlStore
from tests.contract.run_control.conftest import ALICE, SESSION, config_for
from tests.contract.run_control.sites import G1, G2B, G3, Site, simulated
from tests.waiting import wait_until

INTERVAL_S = 2.0
QUICK_S = INTERVAL_S * QUICK_FACTOR
START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture(params=[G1, G2B, G3], ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with simulated(request.param) as made:
        yield made


@dataclass
class Desk:
    """Poller and commands of a worker, without its threads: they move when the test says so."""

    site: Site
    database: Database
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = replace(config_for(self.site.installation), poll_interval_s=INTERVAL_S)
        leases, audit, endpoints = Leases(self.database), AuditTrail(self.database, self.clock), Endpoints()
        self.fence = self._on_duty(leases)
        self.queries = RunControlQueries(self.database, self.clock)
        self.poller = Poller(
            config,
            adapters=self.site.adapters,
            endpoints=endpoints,
            store=RunControlStore(self.database, leases, self.clock),
            clock=self.clock,
            on_error=self.errors.append,
            now=lambda: self.seconds,
        )
        self.runner = CommandRunner(
            journal=CommandJournal(self.database, leases, audit, self.clock, config.process_manager_address),
            adapters=self.site.adapters,
            endpoints=endpoints,
            pending_limit_s=config.pending_limit_s,
            boot_grace_s=config.boot_grace_s,
            clock=self.clock,
            on_done=self.poller.poke,
            on_error=self.errors.append,
        )
        limits = CommandLimits.for_polling(INTERVAL_S)
        self.commands = CommandService(self.database, audit, self.clock, limits, lambda: None)
        self.endpoints = endpoints

    @staticmethod
    def _on_duty(leases: Leases) -> Fence:
        fence = leases.acquire("run_control", "a test", timedelta(hours=1))
        assert fence is not None
        return fence

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def stop(self) -> None:
        self.runner.stop()
        assert self.runner.join(10)
        assert self.poller.stop(10)
        self.endpoints.close()

    def settle(self) -> float:
        """Let everything that is due happen; return the seconds until more is."""
        due_in_s = 0.0
        while due_in_s == 0.0:
            self.poller.turn(self.fence)
            wait_until(lambda: self.poller.under_way == 0, what="the end of the polls")
            due_in_s = self.poller.turn(self.fence)
            wait_until(lambda: self.poller.under_way == 0, what="the end of the polls")
        return due_in_s

    def listed(self) -> set[str]:
        """The names of the processes in the table."""
        return {process.name for process in self.queries.processes(SESSION)}

    def polled_at(self) -> float:
        """The second of the session's last poll."""
        polled_at = self.queries.session(SESSION).polled_at
        assert polled_at is not None
        return (polled_at - START).total_seconds()

    def polls_until(self, end_s: float) -> list[float]:
        """Turn the clock on, stopping wherever something falls due; return the seconds of the session's polls."""
        polls = []
        before = self.polled_at()
        due_in_s = self.settle()
        while self.seconds + due_in_s <= end_s:
            self.seconds += due_in_s
            due_in_s = self.settle()
            if self.polled_at() != before:
                before = self.polled_at()
                polls.append(before)
        self.seconds = end_s
        return polls

    def take_control(self) -> None:
        command_id = self.commands.take_control(ALICE, SESSION)
        self.runner.turn(self.fence)
        assert self.runner.join(30)
        assert self.queries.command(command_id).state is CommandState.SUCCEEDED


@pytest.fixture
def desk(site: Site, database: Database) -> Iterator[Desk]:
    made = Desk(site, database)
    made.settle()
    # The first poll has made its own: sessions found, generations, transitions.
    made.polls_until(3 * INTERVAL_S)
    try:
        yield made
    finally:
        made.stop()
    assert made.errors == []


def test_more_polls_after_a_command_and_then_as_before(desk: Desk) -> None:
    begun_s = desk.seconds
    # Without a command one in an interval.
    assert desk.polls_until(begun_s + 2 * INTERVAL_S) == [begun_s + INTERVAL_S, begun_s + 2 * INTERVAL_S]
    commanded_s = desk.seconds = desk.seconds + QUICK_S / 2
    desk.take_control()
    quick = [commanded_s + number * QUICK_S for number in range(1, 5)]
    # The first was at once, when the command had ended, and the next interval begins there.
    assert desk.polls_until(commanded_s + INTERVAL_S) == quick
    rest = desk.polls_until(commanded_s + QUICK_FOR_S + 2 * INTERVAL_S)
    assert rest[1] - rest[0] == QUICK_S
    assert rest[-1] - rest[-2] == INTERVAL_S
    assert desk.queries.session(SESSION).holder == "alice"


@pytest.mark.parametrize("is_news", [True, False], ids=["other list", "same list"])
def test_what_was_listed_before_a_command_takes_nothing_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, is_news: bool
) -> None:
    """A command tells of what it booted at once; a list that was under way then is of before."""
    ask, seen = desk.poller._ask_processes, list[set[str]]()
    before = desk.listed()

    def ask_while_a_command_ends(address: str) -> tuple[Process, ...]:
        seen.append(desk.listed())
        listed = ask(address)
        if len(seen) > 1:
            return listed
        with desk.database.write() as tx:
            booted = replace(listed[0], uuid="u-booted", name="booted", session=SESSION)
            save_asked_processes(tx, [], [booted], Changes(desk.clock()))
            bump(tx, desk.clock(), LiveTopic.PROCESSES)
        return listed[1:] if is_news else listed

    monkeypatch.setattr(desk.poller, "_ask_processes", ask_while_a_command_ends)
    desk.polls_until(desk.seconds + 3 * INTERVAL_S)
    assert seen[:2] == [before, before | {"booted"}]
    # The process manager knows nothing of it.
    assert desk.listed() == before
    assert desk.errors == []
