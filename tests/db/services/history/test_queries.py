"""Pages of the timeline and the transition board, on both engines."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.database import Database
from models.history import HistoryEntry
from services.errors import InvalidInputError, NotFoundError
from services.history import transitions
from services.history.queries import HistoryQueries
from services.history.record import Changes
from services.history.transitions import Cell
from services.history.types import Aspect, HistoryFilter, Source, Subject, TransitionOutcome
from tests.db.services.run_control.rows import NOW, SESSION

EVERYTHING = HistoryFilter()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Book:
    """A history to write and to read."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queries = HistoryQueries(database)

    def note(self, seconds: float, name: str = "root-controller", session: str = SESSION, **more: Any) -> None:
        changes = Changes(at(seconds))
        values = {"subject": Subject.NODE, "aspect": Aspect.STATE, "old": "initial", "new": "configured"} | more
        changes.note(values.pop("subject"), name, values.pop("aspect"), session=session, **values)
        with self.database.write() as tx:
            changes.write(tx)

    def names(self, wanted: HistoryFilter = EVERYTHING) -> list[str]:
        return [change.name for change in self.queries.changes(wanted).changes]


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


@pytest.mark.parametrize("value", ["configured", 139, 2.5, True, False, None])
def test_a_value_comes_back_as_it_was(book: Book, value: str | float | bool | None) -> None:
    book.note(0, old=value, new=value, aspect=Aspect.DIED, subject=Subject.PROCESS, uuid="u-1")
    (change,) = book.queries.changes(EVERYTHING).changes
    assert (change.old, change.new) == (value, value)
    assert (type(change.old), type(change.new)) == (type(value), type(value))
    assert (change.at, change.noted_at, change.source) == (NOW, NOW, Source.POLL)
    assert (change.uuid, change.aspect, change.subject) == ("u-1", Aspect.DIED, Subject.PROCESS)


def test_the_newest_come_first_by_the_time_that_is_known_best(book: Book) -> None:
    for seconds, name in ((1, "a"), (2, "b"), (3, "c")):
        book.note(seconds, name)
    with book.database.write() as tx:
        row = tx.get(HistoryEntry, book.queries.changes(EVERYTHING).changes[0].id)
        assert row is not None
        row.at = at(0)
    assert book.names() == ["b", "a", "c"]


def test_every_change_is_on_exactly_one_page(book: Book) -> None:
    for number in range(7):
        # Several at the same moment, as of one poll.
        book.note(number // 3, str(number))
    seen: list[str] = []
    before: int | None = None
    while True:
        page = book.queries.changes(EVERYTHING, before=before, limit=2)
        assert len(page.changes) <= 2
        seen += [change.name for change in page.changes]
        before = page.next_before
        if before is None:
            break
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_a_page_after_what_was_pruned_is_the_end(book: Book) -> None:
    book.note(0)
    page = book.queries.changes(EVERYTHING, before=10**6)
    assert (page.changes, page.next_before) == ((), None)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (HistoryFilter(session=SESSION), ["d", "b", "a"]),
        (HistoryFilter(session="other"), ["c"]),
        (HistoryFilter(session="nobody"), []),
        (HistoryFilter(start=at(2)), ["d", "c", "b"]),
        (HistoryFilter(end=at(2)), ["a"]),
        (HistoryFilter(start=at(2), end=at(3)), ["b"]),
        (HistoryFilter(subjects=frozenset({Subject.PROCESS, Subject.BACKEND})), ["d"]),
        (HistoryFilter(aspects=frozenset({Aspect.STATE})), ["c", "b", "a"]),
        (HistoryFilter(name="b"), ["b"]),
        (HistoryFilter(session=SESSION, name="c"), []),
    ],
)
def test_filters(book: Book, wanted: HistoryFilter, names: list[str]) -> None:
    book.note(1, "a")
    book.note(2, "b")
    book.note(3, "c", "other")
    book.note(4, "d", subject=Subject.PROCESS, aspect=Aspect.DIED)
    assert book.names(wanted) == names


@pytest.mark.parametrize("name", ["a\x00", "\ud800"])
def test_what_no_database_holds_is_the_name_of_nothing(book: Book, name: str) -> None:
    assert book.names(HistoryFilter(session=name)) == book.names(HistoryFilter(name=name)) == []
    assert book.queries.transitions(name) == ()


@pytest.mark.parametrize("limit", [0, 501])
def test_limits_of_pages(book: Book, limit: int) -> None:
    with pytest.raises(InvalidInputError):
        book.queries.changes(EVERYTHING, limit=limit)


def test_the_board_has_the_last_transitions_with_their_nodes(book: Book) -> None:
    with book.database.write() as tx:
        for number, name in enumerate(("conf", "start", "stop")):
            run = transitions.begin(tx, SESSION, name, at=at(10 * number), state="before", source=Source.POLL)
            cells = [
                Cell("root-controller", TransitionOutcome.SUCCEEDED),
                Cell("root-controller/df", TransitionOutcome.FAILED, "broke", began_at=at(10 * number + 1)),
            ]
            outcome = TransitionOutcome.FAILED
            transitions.end(tx, run, at=at(10 * number + 4), outcome=outcome, state="after", cells=cells)
        transitions.begin(tx, "other", "conf", at=at(99), state=None, source=Source.POLL)
    last, middle = book.queries.transitions(SESSION, limit=2)
    assert (last.transition, middle.transition) == ("stop", "start")
    assert (last.state_before, last.state_after, last.outcome) == ("before", "after", TransitionOutcome.FAILED)
    assert last.duration == timedelta(seconds=4)
    root, node = last.nodes
    assert (root.path, root.outcome, root.duration) == (
        "root-controller", TransitionOutcome.SUCCEEDED, timedelta(seconds=4),
    )  # fmt: skip
    assert (node.outcome, node.text, node.duration) == (TransitionOutcome.FAILED, "broke", timedelta(seconds=3))
    (running,) = book.queries.transitions("other")
    assert (running.outcome, running.ended_at, running.duration) == (TransitionOutcome.RUNNING, None, None)


def test_what_was_open_ends_when_the_next_begins(book: Book) -> None:
    with book.database.write() as tx:
        transitions.begin(tx, SESSION, "conf", at=at(0), state="initial", source=Source.POLL)
        transitions.begin(tx, SESSION, "start", at=at(5), state="configured", source=Source.POLL)
    start, conf = book.queries.transitions(SESSION)
    assert (conf.outcome, conf.ended_at) == (TransitionOutcome.UNKNOWN, at(5))
    assert start.ended_at is None


def test_times_that_broadcasts_told_stay(book: Book) -> None:
    with book.database.write() as tx:
        run = transitions.begin(tx, SESSION, "conf", at=at(0), state="initial", source=Source.COMMAND)
        transitions.node_began(tx, run, "root/df", at(1))
        transitions.node_ended(tx, run, "root/df", at(3))
        transitions.node_began(tx, run, "root/silent", at(2))
        cells = [Cell("root/df", TransitionOutcome.FAILED, "broke"), Cell("root/ru", TransitionOutcome.SUCCEEDED)]
        transitions.end(tx, run, at=at(9), outcome=TransitionOutcome.SUCCEEDED, state="configured", cells=cells)
    (found,) = book.queries.transitions(SESSION)
    cells_by_path = {node.path: node for node in found.nodes}
    df, ru, silent = cells_by_path["root/df"], cells_by_path["root/ru"], cells_by_path["root/silent"]
    assert (df.began_at, df.ended_at, df.source, df.outcome) == (
        at(1),
        at(3),
        Source.BROADCAST,
        TransitionOutcome.FAILED,
    )
    assert (ru.began_at, ru.ended_at, ru.source) == (at(0), at(9), Source.COMMAND)
    assert (silent.began_at, silent.ended_at, silent.outcome) == (at(2), at(9), TransitionOutcome.UNKNOWN)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT id FROM history_entry WHERE session = 's' ORDER BY at DESC, id DESC LIMIT 200",
         "ix_history_entry_session_at_id"),
        ("SELECT id FROM history_entry ORDER BY at DESC, id DESC LIMIT 200", "ix_history_entry_at_id"),
        ("SELECT id FROM transition_run WHERE session = 's' ORDER BY began_at DESC, id DESC LIMIT 20",
         "ix_transition_run_session_began_at_id"),
    ],
)  # fmt: skip
def test_timeline_and_board_are_read_by_index(database: Database, statement: str, index: str) -> None:
    # As a writer, who has the transaction that SET LOCAL is for.
    with database.write() as tx:
        if database.is_sqlite:
            plan = " ".join(str(row) for row in tx.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
        else:
            # So few rows would be read one by one.
            for other_way in ("seqscan", "bitmapscan", "sort"):
                tx.execute(text(f"SET LOCAL enable_{other_way} = off"))
            plan = " ".join(str(row) for row in tx.execute(text(f"EXPLAIN {statement}")))
    assert index in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def go_through(book: Book, name: str, seconds: float, took: float, *, session: str = SESSION) -> int:
    """Record a transition of root and ``df``, which told its own times; return its id."""
    with book.database.write() as tx:
        run = transitions.begin(tx, session, name, at=at(seconds), state=None, source=Source.COMMAND)
        transitions.node_began(tx, run, "root/df", at(seconds + 1))
        transitions.node_ended(tx, run, "root/df", at(seconds + 1 + took))
        cells = [Cell(path, TransitionOutcome.SUCCEEDED) for path in ("root", "root/df", "root/app")]
        transitions.end(
            tx, run, at=at(seconds + 9), outcome=TransitionOutcome.SUCCEEDED, state="configured", cells=cells
        )
        return run.id


def test_the_board_is_judged_by_what_is_usual_also_beyond_its_columns(book: Book) -> None:
    for number, took in enumerate((2, 3, 4, 5)):
        go_through(book, "conf", 100 * number, took)
    board = book.queries.board(SESSION, 1, None)
    assert [run.transition for run in board.runs] == ["conf"]
    # What has no time of its own is not usual in any way.
    assert board.usual == {("conf", "root/df"): timedelta(seconds=3.5), ("conf", "root"): timedelta(seconds=9)}
    assert book.queries.board("nobody", 8, None).runs == ()


def test_the_board_knows_in_which_run_a_transition_was(book: Book) -> None:
    start = go_through(book, "start", 0, 2)
    book.note(9, subject=Subject.RUN, aspect=Aspect.RUN_NUMBER, old=None, new=31428)
    drain = go_through(book, "drain_dataflow", 100, 2)
    assert book.queries.board(SESSION, 8, 31428).run_numbers == {start: 31428, drain: 31428}


def test_a_nodes_transition_comes_with_its_last_times_of_the_same(book: Book) -> None:
    first, second, _other = (go_through(book, name, 100 * n, 2 + n) for n, name in enumerate(("conf", "conf", "start")))
    third = go_through(book, "conf", 300, 5)
    go_through(book, "conf", 50, 2, session="other")
    found = book.queries.of_node(third, "root/df")
    assert [run.id for run in found] == [third, second, first]
    assert [len(run.nodes) for run in found] == [3, 1, 1]
    cells = [run.node("root/df") for run in found]
    assert [cell and cell.duration for cell in cells] == [timedelta(seconds=took) for took in (5, 3, 2)]


@pytest.mark.parametrize(("run_id", "path"), [(10**6, "root"), (None, "root/nobody"), (None, "a\x00")])
def test_what_took_no_part_is_not_found(book: Book, run_id: int | None, path: str) -> None:
    known = go_through(book, "conf", 0, 2)
    with pytest.raises(NotFoundError):
        book.queries.of_node(run_id or known, path)
