"""Callbacks of the wall display."""

from types import ModuleType
from typing import Any

import pytest
from dash.exceptions import PreventUpdate
from flask import current_app

from components.outlet import drawing
from services.alarms.types import AlarmKind, Guidance, Priority
from services.run_control.session_types import RunInfo
from tests.unit.components.samples import NOW, bucket, node, session
from tests.unit.components.test_wall import alarm
from tests.unit.components.trees import drawn_attributes, drawn_text, text
from tests.unit.pages.conftest import Messages, RunControl, import_page

pytestmark = pytest.mark.usefixtures("request_of_somebody")


@pytest.fixture(scope="module")
def overview(dash_app: object) -> ModuleType:
    return import_page("overview")


@pytest.fixture(scope="module")
def wall(overview: ModuleType) -> Any:
    return overview._wall


def test_the_display_is_the_overview_with_wall_in_its_address(overview: ModuleType) -> None:
    assert "Wall display" in text(overview.layout(wall="1"))
    assert overview.layout(wall="1").className == "wall"
    for other in ({}, {"wall": "0"}, {"session": "x"}):
        assert overview.layout(**other).className == "page"


def test_one_session_is_large_and_alone(wall: Any, run_control: RunControl) -> None:
    run_control.known = (session(run=RunInfo(number=7)),)
    run_control.nodes = (node("root-controller"),)
    head, large, tiles, name = wall.show_wall(1, 1, 1, 1, 1)
    assert "1 session" in drawn_text(head)
    assert "Run 7" in drawn_text(large)
    assert (tiles, name) == (drawing(None), "local-2x3-config")


def test_of_three_sessions_the_one_with_a_run_is_large(wall: Any, run_control: RunControl) -> None:
    run_control.known = (session(name="a"), session(name="b", run=RunInfo(number=7)), session(name="c"))
    _head, large, tiles, name = wall.show_wall(1, 1, 1, 1, 1)
    assert name == "b"
    assert drawn_text(large).startswith("b ")
    assert drawn_attributes(tiles, "aria-label") == ["Session a", "Session c"]


def test_more_sessions_are_equals(wall: Any, run_control: RunControl) -> None:
    run_control.known = tuple(session(name=name) for name in "abcd")
    _head, large, tiles, name = wall.show_wall(1, 1, 1, 1, 1)
    assert (large, name) == (drawing(None), None)
    assert len([label for label in drawn_attributes(tiles, "aria-label") if label.startswith("Session")]) == 4


def test_without_a_session_it_says_why(wall: Any) -> None:
    head, large, tiles, name = wall.show_wall(1, 1, 1, 1, 1)
    assert "0 sessions" in drawn_text(head)
    assert (large, name) == (drawing(None), None)
    assert "No session is running" in drawn_text(tiles)


def test_the_rate_is_drawn_once_per_step(wall: Any, messages: Messages) -> None:
    messages.buckets = (bucket(NOW, 1),)
    drawn, of = wall.show_wall_rate(1, "a", None)
    assert "/s" in drawn_text(drawn)
    with pytest.raises(PreventUpdate):
        wall.show_wall_rate(2, "a", of)
    assert wall.show_wall_rate(2, "b", of)[1] != of
    assert wall.show_wall_rate(3, None, of) == (drawing(None), [])
    with pytest.raises(PreventUpdate):
        wall.show_wall_rate(4, None, [])


def test_the_first_alarm_that_waits_is_shown(wall: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms = current_app.extensions["services"].alarms
    answered = alarm(subject="answered", acknowledged_at=NOW)
    found = [answered, alarm(subject="waits", priority=Priority.HIGH, rule="of the site"), alarm(subject="later")]
    asked: list[tuple[AlarmKind, str, str | None]] = []

    def guidance(kind: AlarmKind, subject: str, rule: str | None) -> Guidance:
        asked.append((kind, subject, rule))
        return Guidance("", "Call somebody.")

    monkeypatch.setattr(alarms, "open", lambda: found, raising=False)
    monkeypatch.setattr(alarms, "guidance", guidance, raising=False)
    said = drawn_text(wall.show_wall_alarm(1))
    assert "waits: The process ended." in said
    assert "Call somebody." in said
    assert asked == [(AlarmKind.PROCESS, "waits", "of the site")]
    monkeypatch.setattr(alarms, "open", lambda: [answered])
    assert "No alarm waits" in drawn_text(wall.show_wall_alarm(2))
