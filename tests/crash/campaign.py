"""Publish, follow, kill, restart, disturb, and compare: what crash tests and ``make soak`` both do."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from models.messages import MessageCounter
from services.messages.types import MessageFilter
from tests.crash.follower import Follower
from tests.crash.load import SESSIONS, Load
from tests.crash.programs import CollectorProgram
from tests.crash.publisher import Publisher
from tests.crash.verdict import Finding, Published, findings, followed
from tests.waiting import wait_until

# What the counters say of records, of whatever fate.
ACCOUNTS = ("stored", "quarantined", "measurements", "echo")
# A program needs seconds to begin, and the machine may be busy with something else.
PROGRESS_S = 60.0
# Records have times from ten minutes ago on.
BACK_NS = 600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """What a campaign is played on: a migrated database, a broker's address, and a directory for what is printed."""

    database_url: str
    brokers: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """How a campaign goes.

    Attributes:
        kills: How often a collector is killed.
        collectors: How many there are.
        most_between: At most so many records are taken between two kills, at least a tenth of it.
        seconds: Kills go on until so many have passed, also beyond ``kills``.
        disturbances: What else happens between two kills, one of them at a time, in turn; each is told of the campaign.
        seed: Of the order of things; the moments themselves are those of the machine.
    """

    kills: int
    collectors: int = 1
    most_between: int = 5_000
    seconds: float = 0.0
    disturbances: Sequence[Callable[["Campaign"], None]] = ()
    seed: int = 20261121


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign ended; without findings nothing was lost and nothing taken twice."""

    published: int
    kills: int
    disturbances: int
    seconds: float
    findings: Sequence[Finding] = field(default_factory=tuple)

    def number_of(self, *kinds: str) -> int:
        """Return how many findings are of some kinds."""
        return sum(finding.what in kinds for finding in self.findings)

    def told(self, most: int = 10) -> str:
        """Return the first findings, a line each."""
        return "\n".join(f"{finding.what}: {finding.told}" for finding in self.findings[:most])


class Campaign:
    """One run of a plan on a stage."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        """Prepare; nothing runs yet."""
        self._plan = plan
        self._stage = stage
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same order every time
        self._database = Database(stage.database_url)
        self._publisher = Publisher(stage.brokers, Load(time.time_ns() - BACK_NS), self.accounted)
        self._collectors = [
            CollectorProgram(stage.database_url, stage.brokers, stage.directory / f"collector-{number}.log")
            for number in range(plan.collectors)
        ]
        self._last_accounted = 0
        self._kills = 0
        # How many gaps disturbances have left.
        self.gaps = 0

    def run(self) -> Outcome:
        """Play it; return how it ended.

        Raises:
            AssertionError: The broker refused records, or nothing went on for a minute.
        """
        started = time.monotonic()
        feed = Follower(self._stage.database_url)
        one_session = Follower(self._stage.database_url, MessageFilter(sessions=frozenset({SESSIONS[0]}), text="#"))
        with ExitStack() as stack:
            for collector in self._collectors:
                stack.callback(collector.discard)
                collector.start()
            stack.callback(self._database.close)
            for worker in (feed, one_session, self._publisher):
                stack.callback(worker.discard)
                worker.start()
            disturbed = self._troubled(started)
            published = self._settled()
            for collector in self._collectors:
                assert collector.stop() == 0, collector.said()
            told = [
                *findings(self._database, published, gaps=self.gaps),
                *followed(self._database, feed.finish()),
                *followed(self._database, one_session.finish(), SESSIONS[0]),
            ]
        return Outcome(len(published.places), self._kills, disturbed, time.monotonic() - started, told)

    def accounted(self) -> int:
        """Return how many records the database accounts for, as far as it can be asked now."""
        try:
            with self._database.read() as session:
                values = session.scalars(select(MessageCounter.value).where(MessageCounter.name.in_(ACCOUNTS)))
                self._last_accounted = sum(values)
        except SQLAlchemyError:
            pass
        return self._last_accounted

    def quiesce(self) -> None:
        """Publish nothing until `go_on`, and wait until all that was published is accounted for."""
        self._wait_for(self._publisher.pause())

    def go_on(self) -> None:
        """Publish again."""
        self._publisher.resume()

    def _trouble(self, started: float) -> int:
        """Kill and disturb; return how often something was disturbed."""
        disturbed = 0
        self._work()
        for turn in count():
            if turn >= self._plan.kills and time.monotonic() - started >= self._plan.seconds:
                break
            self._kill_some()
            self._work()
            if self._plan.disturbances:
                self._plan.disturbances[turn % len(self._plan.disturbances)](self)
                disturbed += 1
                self._work()
        return disturbed

    def _work(self) -> None:
        """Wait until all collectors are at it and some records were taken."""
        most = self._plan.most_between
        goal = self.accounted() + self._chance.randint(most // 10, most)
        wait_until(lambda: all(one.is_reading() for one in self._collectors), PROGRESS_S, "the collectors to read")
        self._wait_for(goal)

    def _kill_some(self) -> None:
        """Kill one collector or, now and then, all; and start them again."""
        chosen = self._chance.randint(0, len(self._collectors))
        victims = self._collectors if chosen == len(self._collectors) else [self._collectors[chosen]]
        for victim in victims:
            victim.kill()
        self._kills += len(victims)
        for victim in victims:
            victim.start()

    def _settled(self) -> Published:
        """End the load; return it when the database accounts for all of it, or does not get any further."""
        published = self._publisher.finish()
        with suppress(AssertionError):
            # What is missing then is told one by one.
            self._wait_for(len(published.places))
        return published

    def _wait_for(self, number: int) -> None:
        while (before := self.accounted()) < number:
            told = f"more than {before} of {number} records to be accounted for"
            wait_until(partial(self._has_moved, before), PROGRESS_S, told)

    def _has_moved(self, before: int) -> bool:
        return self.accounted() != before

    def _troubled(self, started: float) -> int:
        """Kill and disturb; when nothing goes on any more, the error has what the collectors printed last."""
        try:
            return self._trouble(started)
        except AssertionError as error:
            for collector in self._collectors:
                error.add_note(collector.said())
            raise
