"""A session now and in its last good run, from what polls have left in the history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.database import Database
from services.history import transitions
from services.history.queries import HistoryQueries
from services.history.types import Source, TransitionOutcome
from services.run_control.comparison import SessionComparison
from services.run_control.difference import Difference, Kind, Thing
from services.run_control.readings import Origin
from services.run_control.session_types import Configuration, SessionSource
from tests.db.services.run_control.rows import SESSION
from tests.db.services.run_control.test_store import PROCESS, READING, Shelf

BOOTED = Origin(frozenset({SessionSource.SESSION_MANAGER}), "ann", Configuration("f.xml", "c"))


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """A session of ann's, of one process, that went well through one run."""
    found = Shelf(database)
    found.save(replace(READING, origin=BOOTED))
    found.list(PROCESS)
    for name, before, after in (("start", "configured", "ready"), ("stop", "ready", "configured")):
        found.clock.advance(60)
        with database.write() as tx:
            run = transitions.begin(tx, SESSION, name, at=found.clock.now, state=before, source=Source.POLL)
            end = found.clock.now + timedelta(seconds=2)
            transitions.end(tx, run, at=end, outcome=TransitionOutcome.SUCCEEDED, state=after)
    found.clock.advance(60)
    return found


def found_since(shelf: Shelf) -> tuple[Difference, ...]:
    since = SessionComparison(shelf.queries, HistoryQueries(shelf.database)).since_good_run(SESSION)
    assert since.run is not None
    return since.found


def test_nothing_differs_where_nothing_has_changed(shelf: Shelf) -> None:
    assert found_since(shelf) == ()


def test_hosts_and_owner_are_those_of_the_run(shelf: Shelf) -> None:
    # Booted anew by somebody else, and on another host, twice.
    for number, host in enumerate(("np04-srv-029", "np04-srv-030")):
        shelf.list()
        shelf.list(replace(PROCESS, uuid=f"u-{number + 2}", hostname=host))
    shelf.save(replace(READING, origin=replace(BOOTED, owner="bob")))
    process = Thing(Kind.PROCESS, "df-01")
    assert found_since(shelf) == (
        Difference(Thing(Kind.SESSION, ""), "owner", "ann", "bob"),
        Difference(process, "host", "localhost", "np04-srv-030"),
        Difference(process, "booted", "before", "since then"),
    )
