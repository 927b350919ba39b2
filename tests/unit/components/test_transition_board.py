from datetime import UTC, datetime, timedelta
from typing import Any

from components.transition_board import transition_board
from services.history.types import Board, NodeTransition, Source, TransitionOutcome, TransitionRun
from services.run_control.node_types import Node, NodeKind
from tests.unit.components.reading import attribute, walk, with_class, words

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
NAMES = ("root", "root/a", "root/b", "root/c")
NODES = [Node(path, path.rpartition("/")[2], NodeKind.APPLICATION, path.count("/")) for path in NAMES]
DONE, FAILED, RUNNING = TransitionOutcome.SUCCEEDED, TransitionOutcome.FAILED, TransitionOutcome.RUNNING


def cell(
    path: str, seconds: float | None, outcome: TransitionOutcome = DONE, source: Source = Source.BROADCAST
) -> NodeTransition:
    ended = None if seconds is None else THEN + timedelta(seconds=seconds)
    return NodeTransition(path, THEN, ended, outcome, source, "no such directory" if outcome is FAILED else "")


def run(number: int, name: str | None, *cells: NodeTransition, outcome: TransitionOutcome = DONE) -> TransitionRun:
    ended = None if outcome is RUNNING else THEN + timedelta(seconds=5)
    return TransitionRun(
        id=number,
        session="s",
        transition=name,
        state_before="initial",
        state_after=None,
        began_at=THEN,
        ended_at=ended,
        outcome=outcome,
        source=Source.COMMAND,
        command_id=None,
        nodes=cells,
    )


def drawn_board(*runs: TransitionRun, **levels: Any) -> Any:
    return transition_board(NODES, Board(runs, **levels))


def rows(*runs: TransitionRun) -> list[list[str]]:
    board = transition_board(NODES, Board(runs))
    found = [part for part in walk(board) if part._type == "Tr"]
    return [[words(part) for part in row.children] for row in found]


def test_the_latest_transition_stands_at_the_right() -> None:
    head, *body = rows(run(2, "start", cell("root", 2)), run(1, "conf", cell("root", 1), cell("root/a", 0.5)))
    assert [text.split()[0] for text in head] == ["Node", "conf", "start"]
    assert body[0] == ["root", "1 s", "2 s"]
    assert body[1] == ["a", "0.50 s", "not sent"]


def test_several_between_two_polls_have_no_name() -> None:
    assert rows(run(1, None, cell("root", 1)))[0][1].startswith("several 03:12:44 5 s")


def test_what_failed_says_so_by_word() -> None:
    board = drawn_board(run(1, "conf", cell("root/a", 6, FAILED), cell("root/b", 2), outcome=FAILED))
    head, failed = with_class(board, "is-failed")
    assert (words(head), words(failed)) == ("conf 03:12:44 failed 5 s", "failed 6 s")
    assert len(with_class(failed, "glyph-error")) == 1


def test_who_took_much_longer_than_the_others_stands_out_by_word() -> None:
    board = drawn_board(run(1, "conf", *(cell(path, 2.1) for path in NAMES[:3]), cell("root/c", 21.7)))
    assert [words(part) for part in with_class(board, "is-outlier")] == ["slow 21.7 s"]


def test_what_failed_late_says_both() -> None:
    board = drawn_board(run(1, "conf", *(cell(path, 2.1) for path in NAMES[:3]), cell("root/c", 21.7, FAILED)))
    assert [words(part) for part in with_class(board, "is-outlier")] == ["failed slow 21.7 s"]


def test_a_little_longer_is_nothing() -> None:
    quick = run(1, "conf", cell("root", 0.1), cell("root/a", 0.1), cell("root/b", 0.9))
    assert with_class(drawn_board(quick), "is-outlier") == []


def test_who_took_much_longer_than_usually_stands_out() -> None:
    usual = {("conf", path): timedelta(seconds=2) for path in NAMES}
    this = run(2, "conf", *(cell(path, 9) for path in NAMES[:2]), cell("root/b", 9, source=Source.COMMAND))
    board = drawn_board(this, usual=usual)
    # The whole command was slow: of what has no time of its own that tells nothing.
    assert [words(part) for part in with_class(board, "is-outlier")] == ["slow 9 s"] * 2
    assert with_class(drawn_board(run(2, "start", cell("root", 9)), usual=usual), "is-outlier") == []


def test_columns_say_in_which_run_they_were() -> None:
    columns = [run(3, "conf"), run(2, "stop"), run(1, "start")]
    board = drawn_board(*columns, run_numbers={2: 31428, 1: 31428})
    heads = [words(part) for part in walk(board) if attribute(part, "scope") == "col"]
    assert [text.startswith("run 31428") for text in heads] == [False, True, True, False]


def test_a_time_that_is_only_a_bound_says_so() -> None:
    assert rows(run(1, "conf", cell("root", 2, source=Source.POLL)))[1][1] == "\u2264 2 s"


def test_the_roots_time_in_a_command_is_its_own() -> None:
    made = run(1, "conf", cell("root", 2, source=Source.COMMAND), cell("root/a", 2, source=Source.COMMAND))
    assert [row[1] for row in rows(made)[1:3]] == ["2 s", "\u2264 2 s"]


def test_what_is_in_progress_counts() -> None:
    board = drawn_board(run(1, "conf", cell("root", None, RUNNING), outcome=RUNNING))
    (going,) = [part for part in with_class(board, "is-running") if part._type == "Td"]
    assert "in progress" in words(going)
    assert with_class(going, "elapsed")


def test_each_name_leads_to_the_node() -> None:
    links = [part for part in walk(drawn_board()) if part._type == "A"]
    assert [attribute(link, "data-node") for link in links] == list(NAMES)


def test_one_place_of_the_grid_is_in_the_tab_order_and_cells_know_their_transition() -> None:
    board = drawn_board(run(7, "conf", cell("root", 2), cell("root/a", 3)))
    assert attribute(board, "role") == "grid"
    cells = [part for part in walk(board) if attribute(part, "data-run") is not None]
    assert [(attribute(part, "data-run"), attribute(part, "tabIndex")) for part in cells] == [("7", -1)] * 2
    links = [part for part in walk(board) if part._type == "A"]
    assert [attribute(part, "tabIndex") for part in links] == [0, -1, -1, -1]
