from dataclasses import replace
from datetime import UTC, datetime, timedelta

from components.tree import Polled, RollUp, application_tree, roll_up
from services.run_control.node_types import Node, NodeKind
from tests.unit.components.reading import attribute, walk, with_class, words

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)


def node(path: str, state: str | None = "initial", **changes: object) -> Node:
    name = path.rpartition("/")[2]
    kind = NodeKind.CONTROLLER if name.endswith("controller") else NodeKind.APPLICATION
    made = Node(path=path, name=name, kind=kind, depth=path.count("/"), state=state, sub_state=state, seen_at=NOW)
    return replace(made, in_error=False, included=True, **changes)  # type: ignore[arg-type]


ROOT = node("root-controller")
SEGMENT = node("root-controller/df-controller")
GOOD = node("root-controller/df-controller/df-01", "configured")
BAD = replace(node("root-controller/df-controller/df-03"), in_error=True, sub_state="executing_cmd")
OUT = replace(node("root-controller/df-controller/df-02"), included=False)
# Its path begins like the segment's, but it is not below it.
OTHER = node("root-controller/df-controller-2")
TREE = (ROOT, SEGMENT, GOOD, OUT, BAD, OTHER)


def test_a_parent_counts_everything_below_it_and_itself() -> None:
    assert roll_up(SEGMENT, TREE, "configured") == RollUp(("df-03",), ("df-02",), done=1, total=3)
    assert roll_up(ROOT, TREE, None) == RollUp(("df-03",), ("df-02",), done=4, total=5)
    assert roll_up(OTHER, TREE, None).complete


def test_rows_carry_level_path_and_whether_they_open() -> None:
    found = with_class(application_tree(TREE), "tree-row")
    assert [attribute(row, "aria-level") for row in found] == ["1", "2", "3", "3", "3", "2"]
    assert [attribute(row, "aria-expanded") for row in found] == ["true", "true", None, None, None, None]
    assert [attribute(row, "data-path") for row in found] == [item.path for item in TREE]
    assert [attribute(row, "tabIndex") for row in found] == [0, -1, -1, -1, -1, -1]


def test_the_grid_pattern_is_complete() -> None:
    tree = application_tree(TREE)
    assert attribute(tree, "role") == "treegrid"
    for row in with_class(tree, "tree-row"):
        roles = [attribute(cell, "role") for cell in row.children]
        assert roles == ["rowheader", *["gridcell"] * 4]
    assert sum(attribute(part, "role") == "columnheader" for part in walk(tree)) == 5


def test_an_error_stands_beside_the_state_and_the_parent_names_the_culprit() -> None:
    found = {attribute(row, "data-path"): row for row in with_class(application_tree(TREE), "tree-row")}
    assert "in error initial executing_cmd" in words(found[BAD.path])
    assert "is-error" in found[BAD.path].className
    assert "is-excluded" in found[OUT.path].className
    mark = with_class(found[SEGMENT.path], "is-in-error")[0]
    assert mark.title == "in error: df-03"
    assert "1 in error 1 excluded 2/3 in this state" in words(found[SEGMENT.path])


def test_progress_is_counted_towards_the_expected_state() -> None:
    found = with_class(application_tree(TREE, expected="configured"), "tree-row")
    assert "1/5 done" in words(found[0])


def test_ages_follow_the_poll_they_were_read_in() -> None:
    old = replace(GOOD, seen_at=NOW - timedelta(minutes=5))
    tree = application_tree((ROOT, old), polled=Polled("s", NOW + timedelta(seconds=1)))
    followed = [attribute(cell, "data-polled") for cell in with_class(tree, "age")]
    assert followed == ["session:s", None]


def test_what_was_never_read_says_so() -> None:
    unread = Node(path="root-controller", name="root-controller", kind=NodeKind.CONTROLLER, depth=0)
    row = with_class(application_tree((unread,)), "tree-row")[0]
    assert "none" in words(row)
    assert words(row).endswith("–")


def test_a_part_that_somebody_else_holds_says_who() -> None:
    parts = (ROOT, replace(SEGMENT, holder="mallory"), replace(OTHER, holder="alice"))
    rows = with_class(application_tree(parts, polled=Polled("s", NOW, "alice")), "tree-row")
    assert ["mallory" in words(row) for row in rows] == [False, True, False]
    assert not any("alice" in words(row) for row in rows)
