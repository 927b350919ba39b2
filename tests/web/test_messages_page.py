"""The callbacks of the messages page, called as functions on a real database."""

import importlib
import json
from collections.abc import Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from dash._callback_context import context_value
from dash._utils import AttributeDict
from flask import Flask

from services.accounts.types import Identity, Role
from services.container import Services
from services.messages.mute_types import Mute
from services.messages.types import Contains, Severity
from tests.unit.components.reading import attribute, walk, words
from tests.web.conftest import As

OLGA = Identity("olga", Role.OPERATOR)
VERA = Identity("vera", Role.VIEWER)


@pytest.fixture
def page(app: Flask) -> ModuleType:
    return importlib.import_module("pages.messages.page")


def part_of(_page: ModuleType, name: str) -> ModuleType:
    """One of the modules that the page is made of."""
    return importlib.import_module(f"pages.messages._{name}")


def test_the_feed_is_surrounded_by_counts_and_names(app: Flask, page: ModuleType, now_ms: int) -> None:
    wanted = {"severity": "ERROR,FATAL", "session": None}
    with app.test_request_context():
        _, name, counts, foot, sessions, hiding = page.surroundings(1, wanted, "dark")
    assert "5 messages" in name
    assert words(counts) == "1 1 0 3 0 0"
    assert "hidden by severity 3" in words(foot)
    assert [option["value"] for option in sessions] == ["", "np04"]
    assert hiding == "Nothing is muted."


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"severity": "INFO,WARNING,ERROR,FATAL", "application": "mlt"}, "none set"),
        ({"severity": "FATAL"}, "1 set: severity"),
        ({"severity": "", "muted": "show"}, "2 set: severity, show muted"),
        ({"severity": "FATAL,ERROR,WARNING,INFO", "session": "np04"}, "1 set: session"),
    ],
)
def test_folded_choices_say_which_are_set(page: ModuleType, wanted: Mapping[str, Any], said: str) -> None:
    assert part_of(page, "controls").filters_set(wanted) == said


def test_the_inspector_opens_and_closes(as_person: As, page: ModuleType, now_ms: int) -> None:
    inspect = part_of(page, "inspector").inspect
    with as_person(OLGA):
        content, hidden = inspect([{"id": "5"}])
        assert hidden is False
        assert "FATAL" in words(content)
        assert "Only root-controller" in words(content)
        assert inspect([])[1] is True


def test_fetch_gives_the_list_what_it_lacks(app: Flask, page: ModuleType, now_ms: int) -> None:
    feed = part_of(page, "list")
    wanted = {"severity": "INFO"}
    with app.test_request_context():
        delta = feed.fetch(1, wanted, 0, None)
        assert [row["text"] for row in delta["rows"]] == ["m0", "m1", "m2"]
        assert feed.fetch(1, wanted, 0, {"key": wanted, "after": delta["cursor"]}) is feed.no_update
        assert feed.fetch(1, None, 0, None) is feed.no_update
        assert feed.fetch_older({"before": 3}, wanted)["rows"][-1]["text"] == "m1"


def test_the_address_sets_the_filter(page: ModuleType) -> None:
    ids = part_of(page, "ids")
    layout = page.layout(severity="error,nonsense,FATAL", session="np04", q="df", before="17")
    values = {getattr(part, "id", None): part for part in walk(layout)}
    assert values[ids.SEVERITIES].value == ["ERROR", "FATAL"]
    assert values[ids.SESSION].value == "np04"
    assert values[ids.SEARCH].value == "df"
    assert values[ids.POSITION].data == {"before": "17", "after": None}
    plain = {getattr(part, "id", None): part for part in walk(page.layout())}
    assert plain[ids.SEVERITIES].value == ["FATAL", "ERROR", "WARNING", "INFO"]
    assert plain[ids.POSITION].data is None


# Mutes


def press(function: Any, button: str | Mapping[str, str], *given: object) -> Any:
    """Call a callback as Dash does when a button was clicked."""
    name = button if isinstance(button, str) else json.dumps(button, separators=(",", ":"))
    token = context_value.set(AttributeDict(triggered_inputs=[{"prop_id": f"{name}.n_clicks", "value": 1}]))
    try:
        return function(*given)
    finally:
        context_value.reset(token)


def mute(services: Services, text: str = "m") -> Mute:
    return services.mutes.add(OLGA, Contains(text), Severity.INFO, timedelta(hours=1), "known")


def test_the_list_leaves_out_what_is_muted_or_marks_it(
    app: Flask, page: ModuleType, now_ms: int, services: Services
) -> None:
    feed = part_of(page, "list")
    mute(services, "m1")
    wanted = {"severity": "INFO,ERROR"}
    with app.test_request_context():
        delta = feed.fetch(1, wanted, 0, None)
        shown = feed.fetch(1, wanted | {"muted": "show"}, 0, None)
        assert page.surroundings(1, wanted, "dark")[-1] == "1 mute hides 1 of the last 15 min"
        assert feed.fetch_older({"before": 3}, wanted)["muted"] == 1
    assert ([row["text"] for row in delta["rows"]], delta["muted"]) == (["m0", "m2", "m3"], 1)
    assert ([row.get("muted") for row in shown["rows"]], shown["muted"]) == ([None, True, None, None], 0)


def test_mutes_are_listed_for_everybody_and_ended_by_those_who_may(
    as_person: As, page: ModuleType, services: Services
) -> None:
    mutes = part_of(page, "mutes")
    made = mute(services, "<b>")
    for person, off in ((OLGA, None), (VERA, "true")):
        with as_person(person):
            (listed,) = mutes.show_mutes(1, None)
        assert 'text~"<b>" up to INFO known by olga, until' in words(listed)
        (end,) = [part for part in walk(listed) if part._type == "Button"]
        assert attribute(end, "aria-disabled") == off
    with as_person(OLGA):
        seen, told = press(mutes.end, end.id, [1])
        assert (seen, told) == (f"ended {made.id}", "[]")
        assert "has ended already" in press(mutes.end, end.id, [1])[1]
        assert mutes.show_mutes(1, None) == []
        assert mutes.end([None]) == (mutes.no_update, mutes.no_update)


def test_the_inspector_offers_to_mute_or_says_why_not(
    as_person: As, page: ModuleType, now_ms: int, services: Services
) -> None:
    inspect = part_of(page, "inspector").inspect
    mute(services, "m0")
    for person, message, reason in (
        (OLGA, "1", None),
        (VERA, "1", "The role viewer of vera does not include messages.mute."),
        (OLGA, "5", "FATAL is never muted."),
    ):
        with as_person(person):
            content, _hidden = inspect([{"id": message}])
        (offer,) = [part for part in walk(content) if "Mute messages" in words(part) and part._type == "Button"]
        assert offer.title == reason
        assert (reason is None) or reason in words(content)
        assert ("Muted by olga" in words(content)) == (message == "1")


def test_the_dialog_proposes_what_the_message_suggests(as_person: As, page: ModuleType, now_ms: int) -> None:
    mutes, ids = part_of(page, "mutes"), part_of(page, "ids")
    with as_person(OLGA):
        is_open, options, chosen, text, up_to, reason, error = press(mutes.open_dialog, ids.mute_id("4"), [1])
        assert press(mutes.open_dialog, ids.mute_id("5"), [1])[0] is mutes.no_update
        assert press(mutes.open_dialog, ids.mute_id("4"), [None])[0] is mutes.no_update
    assert (is_open, text, up_to, reason, error) == (True, "m3", "ERROR", "", [])
    assert [option["value"] for option in options] == [
        "application=root-controller", "name=STATUS_UPDATE", "session=np04",
    ]  # fmt: skip
    assert options[1]["label"] == "name STATUS_UPDATE"
    assert chosen == ["application=root-controller", "name=STATUS_UPDATE"]


def test_what_would_be_hidden_is_said_before(as_person: As, page: ModuleType, now_ms: int) -> None:
    preview = part_of(page, "mutes").preview
    with as_person(OLGA):
        assert preview(False, [], "", "INFO") is part_of(page, "mutes").no_update
        assert "3" in preview(True, ["application=root-controller"], "m", "INFO")
        assert "of the last hour would be hidden" in preview(True, None, "m", "INFO")
        assert "Say of the messages" in preview(True, [], " ", "INFO")


def test_a_mute_is_made_or_the_dialog_says_what_is_wrong(
    as_person: As, page: ModuleType, now_ms: int, services: Services
) -> None:
    mutes, ids = part_of(page, "mutes"), part_of(page, "ids")
    given = (1, None, ["name=STATUS_UPDATE"], "m1", "INFO", "60")
    with as_person(OLGA):
        is_open, error, seen, _rows = press(mutes.mute, ids.MUTE_SEND, *given, "")
        assert (is_open, seen) == (True, mutes.no_update)
        assert "needs a reason" in words(error)
        assert press(mutes.mute, ids.MUTE_CANCEL, *given, "known")[0] is False
        assert services.mutes.active() == ()
        assert press(mutes.mute, ids.MUTE_SEND, *given[:-1], "999999", "known")[0] is True
        assert press(mutes.mute, ids.MUTE_SEND, *given, "known") == (False, [], "made 1", [])
    assert [made.text for made in services.mutes.active()] == ['name=STATUS_UPDATE and text~"m1"']


def test_muted_messages_are_shown_where_the_address_says_so(page: ModuleType) -> None:
    ids = part_of(page, "ids")
    for given, value in (("show", ["show"]), ("nonsense", []), (None, [])):
        parts = {
            getattr(part, "id", None): part
            for part in walk(page.layout(muted=given))
            if isinstance(getattr(part, "id", None), str)
        }
        assert parts[ids.SHOW_MUTED].value == value
