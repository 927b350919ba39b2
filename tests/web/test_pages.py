"""All pages as the app builds them: ids are unique, and every callback finds the elements it names."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dash
import pytest
from dash.development.base_component import Component
from flask.testing import FlaskClient

from tests.web.conftest import Person

PATHS = (
    "/",
    "/controller",
    "/processes",
    "/processes/none/log",
    "/sessions",
    "/messages",
    "/rates",
    "/alarms",
    "/status",
)


def _ids(tree: Any) -> Iterator[str]:
    """Yield all ids of a serialised or live component tree."""
    if isinstance(tree, Component):
        tree = tree.to_plotly_json()
    if isinstance(tree, dict):
        props = tree.get("props", {})
        if "id" in props:
            found = props["id"]
            yield found if isinstance(found, str) else json.dumps(found, sort_keys=True)
        for value in props.values():
            yield from _ids(value)
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from _ids(part)


@pytest.fixture
def frame_ids(operator: Person) -> list[str]:
    layout = operator.client.get("/_dash-layout").get_json()
    return list(_ids(layout))


def _page_ids(path: str) -> list[str]:
    page = next(page for page in dash.page_registry.values() if page["path"] == path)
    return list(_ids(page["layout"]()))


@pytest.mark.parametrize("path", PATHS)
def test_ids_are_unique_in_the_frame_and_each_page(path: str, frame_ids: list[str]) -> None:
    twice = [name for name, number in Counter(frame_ids + _page_ids(path)).items() if number > 1]
    assert twice == []


def test_ids_are_kebab_case_words(frame_ids: list[str]) -> None:
    own = [name for path in PATHS for name in _page_ids(path)] + frame_ids
    for name in own:
        if name.startswith(("{", "_pages", "_dash")):
            continue
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), name


def test_the_frame_never_holds_data(operator: Person) -> None:
    layout = operator.client.get("/_dash-layout").get_data(as_text=True)
    assert "operator, operator" in layout
    for path in PATHS:
        assert operator.client.get(path).status_code == 200


def test_the_index_asks_for_the_theme_first(operator: Person) -> None:
    page = operator.client.get("/").get_data(as_text=True)
    assert page.index("/theme.js") < page.index("00-tokens")
    assert page.count("theme.js") == 1


def test_a_tick_tells_when_sources_answered(operator: Person) -> None:
    assert operator.client.get("/live").headers["X-Polled"] == ""


def test_the_icon_that_browsers_ask_for_makes_no_session(anonymous: FlaskClient) -> None:
    answer = anonymous.get("/favicon.ico")
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (204, [])


@pytest.mark.parametrize("path", ["/login", "/"])
def test_pages_bring_their_own_icon(operator: Person, anonymous: FlaskClient, path: str) -> None:
    client = anonymous if path == "/login" else operator.client
    page = client.get(path).get_data(as_text=True)
    assert page.count('rel="icon"') == 1
    assert re.search(r'rel="icon"[^>]* href="/assets/[0-9a-f]{16}/favicon.ico', page)
