from datetime import UTC, datetime, timedelta

from components.transition_details import LISTED, CellLink, details_title, transition_details
from services.history.types import NodeTransition, Source, TransitionOutcome, TransitionRun
from services.run_control.command_types import NodeResult
from tests.unit.components.reading import attribute, walk, with_class, words

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
PATH = "root/df-01"
DONE, FAILED, RUNNING = TransitionOutcome.SUCCEEDED, TransitionOutcome.FAILED, TransitionOutcome.RUNNING
LINKS = (CellLink("Log", "/processes/u-1/log", "It is gone."), CellLink("Its messages of then", "/messages?where=all"))


def run(
    number: int,
    seconds: float | None,
    outcome: TransitionOutcome = DONE,
    source: Source = Source.BROADCAST,
    others: tuple[float, ...] = (),
) -> TransitionRun:
    """A transition of an hour: ``df-01`` took ``seconds``, further nodes took ``others``."""
    began = THEN + timedelta(hours=number)

    def cell(path: str, took: float | None) -> NodeTransition:
        ended = None if took is None else began + timedelta(seconds=took)
        return NodeTransition(path, began, ended, outcome, source, "no such directory" if outcome is FAILED else "")

    cells = (cell(PATH, seconds), *(cell(f"root/other-{index}", took) for index, took in enumerate(others)))
    ended = None if seconds is None else began + timedelta(seconds=seconds)
    return TransitionRun(number, "s", "conf", None, None, began, ended, outcome, Source.COMMAND, None, cells)


def said(*runs: TransitionRun, usual: float | None = None, result: NodeResult | None = None) -> str:
    known = None if usual is None else timedelta(seconds=usual)
    return words(transition_details(runs, PATH, known, result, LINKS))


def test_the_head_names_node_transition_and_time() -> None:
    assert words(details_title(run(0, 2), PATH)) == "df-01, conf, 03:12:44"


def test_a_failure_says_what_the_node_answered_with_both_flags() -> None:
    result = NodeResult(PATH, "df-01", False, "EXECUTED", "FSM_FAILED", "disk is full", "Traceback of drunc")
    shown = said(run(0, 6, FAILED), result=result)
    for part in ("failed", "disk is full", "EXECUTED", "FSM_FAILED", "Traceback of drunc", "6 s", "the node itself"):
        assert part in shown


def test_what_the_history_kept_stands_where_the_command_is_not_known() -> None:
    assert "Answer no such directory" in said(run(0, 6, FAILED, Source.POLL))
    assert "polls, so the times are rough" in said(run(0, 6, FAILED, Source.POLL))


def test_a_success_is_a_word_here() -> None:
    shown = said(run(0, 2))
    assert "done" in shown
    assert "Answer nothing more" in shown


def test_slow_says_against_what() -> None:
    shown = said(run(0, 21.7, others=(2.0, 2.2, 2.1)), usual=3)
    assert "slow 21.7 s, usually 3 s, half of the nodes at most 2.15 s" in shown
    assert "slow" not in said(run(0, 2.1, others=(2.0, 2.2, 2.1)), usual=2)


def test_the_last_times_of_the_same_stand_below_as_bars() -> None:
    runs = [run(number, 9 if number == 20 else 3) for number in range(20, 0, -1)]
    shown = transition_details(runs, PATH, None, None, LINKS)
    (listed,) = with_class(shown, "board-before")
    assert len(listed.children) == LISTED
    assert [part.style["width"] for part in with_class(listed, "progress-done")][:2] == ["100%", "33%"]
    assert [words(part) for part in with_class(listed, "is-outlier")] == ["23:12:44 slow 9 s"]
    assert with_class(transition_details(runs[:1], PATH, None, None, LINKS), "board-before") == []


def test_what_is_under_way_counts_and_has_no_end() -> None:
    shown = transition_details([run(0, None, RUNNING)], PATH, None, None, LINKS)
    assert "still under way" in words(shown)
    assert with_class(shown, "elapsed")


def test_links_lead_on() -> None:
    shown = transition_details([run(0, 2)], PATH, None, None, LINKS)
    links = [part for part in walk(shown) if part._type == "Link"]
    assert [(words(part), attribute(part, "href"), attribute(part, "title") or "") for part in links] == [
        (link.word, link.href, link.title) for link in LINKS
    ]
