from dataclasses import replace
from datetime import UTC, datetime

from components.node_panel import LISTED, node_details, selection_text
from services.run_control.node_types import Node, NodeKind
from services.run_control.process_types import Process, ProcessStatus
from tests.unit.components.reading import attribute, walk, words

NODE = Node(
    path="root-controller/df-controller/df-03",
    name="df-03",
    kind=NodeKind.APPLICATION,
    depth=2,
    state="initial",
    sub_state="executing_cmd",
    in_error=True,
    included=False,
    endpoint="rest://127.0.0.1:5002",
    state_since=datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC),
)


def test_one_node_is_shown_with_all_that_is_known() -> None:
    process = Process("u-1", "df-03", "s", "dunedaq", "np04-srv-029", ProcessStatus.RUNNING)
    shown = node_details("s", [NODE], process)
    said = words(shown)
    for part in ("df-controller/df-03", "in error", "excluded", "initial", "03:12:44", "executing_cmd", "np04-srv-029"):
        assert part in said
    links = [attribute(part, "href") for part in walk(shown) if part._type == "Link"]
    assert links == [
        "/processes?session=s&q=df-03",
        "/processes/u-1/log?session=s",
        "/messages?session=s&application=df-03",
    ]


def test_a_part_says_who_holds_it_and_what_it_reads() -> None:
    part = replace(NODE, kind=NodeKind.CONTROLLER, holder="alice", detector="conn apa1")
    said = words(node_details("s", [part], None))
    assert "In control alice" in said
    assert "Detector conn apa1" in said
    assert "In control nobody" in words(node_details("s", [replace(part, holder="")], None))


def test_what_is_not_known_is_said() -> None:
    unread = Node(path="root-controller", name="root-controller", kind=NodeKind.CONTROLLER, depth=0)
    shown = node_details("s", [unread], None)
    assert words(shown).count("not known") == 5
    # Without a process there is no log to read.
    assert "Log" not in words(shown)


def test_several_are_counted_and_listed_up_to_a_limit() -> None:
    nodes = [replace(NODE, path=f"root/{number}", name=f"app-{number}") for number in range(LISTED + 3)]
    said = words(node_details("s", nodes, None))
    assert f"app-{LISTED - 1}" in said
    assert f"app-{LISTED} " not in said
    assert "and 3 more" in said
    assert selection_text(nodes) == f"{LISTED + 3} nodes selected"


def test_without_a_selection_it_says_how_to_make_one() -> None:
    assert "Select a node" in words(node_details("s", [], None))
    assert selection_text([]) == "nothing selected"
    assert selection_text([NODE]) == "df-03"
