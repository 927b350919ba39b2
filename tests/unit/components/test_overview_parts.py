"""Session cards, health strips, rate lines, the short table of messages."""

from datetime import timedelta
from itertools import pairwise

import pytest
from dash.development.base_component import Component

from components.health_strip import health_strip, segments
from components.message_table import message_table
from components.session_card import last_transition, rate_view, session_card
from components.sparkline import STEPS, last_full_step, sparkline, summarise
from services.messages.types import Severity
from services.run_control.command_types import Action, CommandState
from services.run_control.session_types import INITIAL_HOLDER, RunInfo
from tests.unit.components.samples import NOW, bucket, command, executing, message, node, session
from tests.unit.components.trees import attribute, classes, having, hrefs, text

TREE = (
    node("root-controller"),
    node("root-controller/ru-controller"),
    node("root-controller/ru-controller/ru-01"),
    node("root-controller/ru-controller/ru-02", included=False),
    node("root-controller/df-controller"),
    node("root-controller/df-controller/df-03", in_error=True),
)
SPAN = timedelta(minutes=5)
# Buckets begin with one.
SECOND = NOW.replace(microsecond=0)


def card(**changes: object) -> list[Component]:
    return session_card(session(**changes), TREE, command(), "mkovacs")


def test_segments_begin_with_the_root_alone() -> None:
    assert [(segment.name, len(segment.nodes)) for segment in segments(TREE)] == [("root", 1), ("ru", 3), ("df", 2)]


def test_a_tree_deeper_than_segments_stays_in_its_segment() -> None:
    deep = (
        *TREE[:2],
        node("root-controller/ru-controller/sub-controller"),
        node("root-controller/ru-controller/sub-controller/x"),
    )
    assert [len(segment.nodes) for segment in segments(deep)] == [1, 3]


def test_every_node_has_a_square_with_its_name_and_condition() -> None:
    squares = having(health_strip(TREE), "glyph")
    labels = [attribute(square, "aria-label") for square in squares]
    assert labels == [
        "root-controller: running",
        "ru-controller: running",
        "ru-01: running",
        "ru-02: excluded",
        "df-controller: running",
        "df-03: running, in error",
    ]
    assert {"glyph-excluded", "glyph-error", "glyph-node"} <= classes(squares)


def test_names_stand_only_where_something_is_not_normal() -> None:
    remarks = having(health_strip(TREE), "health-remarks")
    assert [text(remark) for remark in remarks] == ["", "ru-02 excluded", "df-03 in error"]


def test_nodes_that_have_not_left_the_old_state_are_awaited() -> None:
    moving = (node("root-controller", state="initial"), node("root-controller/df-01", state="configured"))
    labels = [attribute(square, "aria-label") for square in having(health_strip(moving, "initial"), "glyph")]
    assert labels == ["root-controller: initial, awaited", "df-01: configured"]


def test_a_node_that_was_never_read_is_not_drawn_as_normal() -> None:
    assert "glyph-unreachable" in classes(health_strip([node("root-controller", state=None)]))


def test_the_card_sums_up_without_excluded_nodes() -> None:
    assert "4 of 5 running , 1 in error , 1 excluded" in text(card())


def test_the_card_says_how_the_last_transition_ended() -> None:
    (last,) = having(card(), "card-last")
    said = text(last)
    assert "enable_triggers" in said
    assert "2.41 s" in said
    assert "ok" in said
    assert "by mkovacs" in said


@pytest.mark.parametrize(
    ("state", "word"), [(CommandState.FAILED, "failed"), (CommandState.UNKNOWN, "outcome unknown")]
)
def test_a_transition_that_did_not_work_is_loud(state: CommandState, word: str) -> None:
    drawn = session_card(session(), TREE, command(state=state), "mkovacs")
    (outcome,) = having(drawn, "outcome")
    assert text(outcome) == word
    assert "text-error" in classes(outcome)


def test_while_a_transition_runs_the_card_counts_who_has_left() -> None:
    drawn = card(state="configured", executing=executing())
    (line,) = having(drawn, "state-line")
    assert text(line).startswith("conf in progress,")
    assert "5 of 5 have left configured" in text(drawn)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "16 of 16 processes alive"),
        ({"processes_running": 15, "processes_dead": 1}, "1 of 16 processes dead"),
        ({"processes_dead": 1, "processes_ended": 1}, "16 of 17 processes alive, 1 ended normally"),
        ({"processes_dead": 2, "processes_ended": 1}, "1 of 18 processes dead"),
    ],
)
def test_processes_of_a_card(changes: dict[str, int], said: str) -> None:
    assert said in text(card(**changes))


def test_dead_processes_lead_to_the_table() -> None:
    assert "/processes?session=local-2x3-config&status=dead" in hrefs(card(processes_dead=1))


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, "in control: not known yet"),
        (INITIAL_HOLDER, f"in control nobody  ({INITIAL_HOLDER})"),
        ("asantos", "in control asantos"),
        ("mkovacs", "in control mkovacs (you)"),
    ],
)
def test_control_of_a_card(holder: str | None, said: str) -> None:
    assert " ".join(said.split()) in " ".join(text(card(holder=holder)).split())


def test_a_run_is_shown_only_where_there_is_one() -> None:
    assert "no run" in text(card())
    assert "Run 31427 PROD storage off" in text(card(run=RunInfo(number=31427, type="PROD", storage_disabled=True)))


def test_a_card_without_a_tree_says_so() -> None:
    drawn = session_card(session(), (), None, "mkovacs")
    assert "The tree has not been read yet." in text(drawn)
    assert "none from this console" in text(drawn)


def test_the_last_transition_is_the_newest_that_ended() -> None:
    commands = (
        executing(id=4),
        command(id=3, action=Action.TAKE_CONTROL, transition=None),
        command(id=2, session="another"),
        command(id=1),
    )
    found = last_transition(commands, "local-2x3-config")
    assert found is not None
    assert found.id == 1
    assert last_transition((), "local-2x3-config") is None


def test_rates_are_summed_into_equal_steps() -> None:
    start = SECOND - SPAN
    summary = summarise(
        [
            bucket(start, 0, 0, 10),
            bucket(start + timedelta(seconds=4), 0, 0, 5, 0, 5),
            bucket(SECOND - timedelta(seconds=1), 0, 0, 5),
            bucket(SECOND, 99),
            bucket(start - timedelta(seconds=1), 99),
        ],
        start,
        SECOND,
    )
    assert summary.all_per_s[0] == pytest.approx(4)
    assert summary.errors_per_s[0] == pytest.approx(1)
    assert summary.all_per_s[-1] == pytest.approx(1)
    assert summary.counts == (0, 0, 20, 0, 5, 0)


def test_a_line_is_drawn_anew_once_per_step() -> None:
    ends = [last_full_step(NOW + timedelta(seconds=second), SPAN) for second in range(10)]
    assert len(set(ends)) in (2, 3)
    assert all(before <= after for before, after in pairwise(ends))
    assert all(timedelta(0) <= NOW + timedelta(seconds=number) - end < SPAN / STEPS for number, end in enumerate(ends))


def test_the_line_has_a_name() -> None:
    drawn = sparkline(summarise([bucket(SECOND - SPAN, 0, 0, 3, 0, 1)], SECOND - SPAN, SECOND), "4 messages")
    assert (attribute(drawn, "role"), attribute(drawn, "aria-label")) == ("img", "4 messages")
    assert "<polyline" in attribute(having(drawn, "spark-line")[0], "style")["maskImage"]
    bars = attribute(having(drawn, "spark-errors")[0], "style")["maskImage"]
    assert (bars.count("<path"), bars.count("M")) == (1, 1)


def test_more_bars_are_no_more_elements() -> None:
    buckets = [bucket(SECOND - SPAN * share / 10, 0, 0, 0, 0, 1) for share in range(1, 11)]
    drawn = sparkline(summarise(buckets, SECOND - SPAN, SECOND), "10 messages")
    bars = attribute(having(drawn, "spark-errors")[0], "style")["maskImage"]
    assert (bars.count("<path"), bars.count("M")) == (1, 10)


def test_rates_say_what_is_loud() -> None:
    summary = summarise([bucket(SECOND - SPAN, 0, 0, 3, 2, 1)], SECOND - SPAN, SECOND)
    assert "1 ERROR 2 WARNING" in text(rate_view(summary, "s"))
    quiet = summarise([bucket(SECOND - SPAN, 0, 0, 3)], SECOND - SPAN, SECOND)
    assert "nothing from WARNING up" in text(rate_view(quiet, "s"))


def test_no_messages_is_said_in_words() -> None:
    assert text(rate_view(summarise([], SECOND - SPAN, SECOND), "s")) == "Messages, 5 min none"


def test_messages_of_the_table_are_text() -> None:
    drawn = message_table(
        [message(text="<b>x</b>"), message(severity=Severity.FATAL), message(severity=Severity.WARNING)], ""
    )
    rows = having(drawn, "row-error") + having(drawn, "row-fatal")
    assert len(rows) == 2
    assert "03:12:44.318 ERROR local-2x3-config df-03 <b>x</b>" in text(drawn)


def test_an_empty_table_says_what_that_means() -> None:
    assert "No message from WARNING up" in text(message_table([], "No message from WARNING up"))
