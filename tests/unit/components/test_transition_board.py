from datetime import UTC, datetime, timedelta

from components.transition_board import transition_board
from services.history.types import NodeTransition, Source, TransitionOutcome, TransitionRun
from services.run_control.types import Node, NodeKind
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


def rows(*runs: TransitionRun) -> list[list[str]]:
    board = transition_board(NODES, runs)
    found = [part for part in walk(board) if part._type == "Tr"]
    return [[words(part) for part in row.children] for row in found]


def test_the_latest_transition_stands_at_the_right() -> None:
    head, *body = rows(run(2, "start", cell("root", 2)), run(1, "conf", cell("root", 1), cell("root/a", 0.5)))
    assert [text.split()[0] for text in head] == ["Node", "conf", "start"]
    assert body[0] == ["root", "1 s", "2 s"]
    assert body[1] == ["a", "0.50 s", "not sent"]


def test_several_between_two_polls_have_no_name() -> None:
    assert rows(run(1, None, cell("root", 1)))[0][1].startswith("several 03:12:44 5 s")


def test_what_failed_says_why() -> None:
    board = transition_board(NODES, [run(1, "conf", cell("root/a", 6, FAILED), outcome=FAILED)])
    (failed,) = [part for part in with_class(board, "is-failed") if part._type == "Td"]
    assert (failed.title, words(failed)) == ("no such directory", "6 s")
    assert [attribute(part, "aria-label") for part in with_class(failed, "glyph")] == ["failed"]


def test_who_took_much_longer_than_the_others_stands_out() -> None:
    slow = run(1, "conf", cell("root", 2), cell("root/a", 2.1), cell("root/b", 2.2), cell("root/c", 21.7))
    board = transition_board(NODES, [slow])
    assert [words(part) for part in with_class(board, "is-outlier")] == ["took long: 21.7 s"]


def test_a_little_longer_is_nothing() -> None:
    quick = run(1, "conf", cell("root", 0.1), cell("root/a", 0.1), cell("root/b", 0.9))
    assert with_class(transition_board(NODES, [quick]), "is-outlier") == []


def test_a_time_that_is_only_a_bound_says_so() -> None:
    assert rows(run(1, "conf", cell("root", 2, source=Source.POLL)))[1][1] == "\u2264 2 s"


def test_what_is_in_progress_counts() -> None:
    board = transition_board(NODES, [run(1, "conf", cell("root", None, RUNNING), outcome=RUNNING)])
    (going,) = [part for part in with_class(board, "is-running") if part._type == "Td"]
    assert "in progress" in words(going)
    assert with_class(going, "elapsed")


def test_each_name_leads_to_the_node() -> None:
    links = [part for part in walk(transition_board(NODES, [])) if part._type == "A"]
    assert [attribute(link, "data-node") for link in links] == list(NAMES)
