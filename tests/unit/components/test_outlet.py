"""Outlets: what may be drawn, and that nothing from outside becomes markup."""

import json
from collections.abc import Callable

import pytest
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import marked
from components.outlet import CONTENT, drawing, outlet


def test_elements_attributes_and_texts() -> None:
    row = marked(
        html.Div(
            ["a ", html.B("b"), None, 3],
            className="row",
            tabIndex=-1,
            style={"--level": 2, "minHeight": "4px"},
            hidden=False,
            key="root/df-01",
        ),
        aria_level="2",
    )
    assert json.loads(drawing(row)) == [
        [
            "div",
            {
                "class": "row",
                "tabindex": "-1",
                "style": "--level:2;min-height:4px",
                "key": "root/df-01",
                "aria-level": "2",
            },
            ["a ", ["b", {}, ["b"]], "3"],
        ]
    ]


def test_text_from_outside_stays_text() -> None:
    attack = "<img src=x onerror=alert(1)>"
    assert json.loads(drawing(html.Span(attack))) == [["span", {}, [attack]]]


def test_links_of_dash_are_plain_links_to_our_own_pages() -> None:
    assert json.loads(drawing(dcc.Link("all", href="/messages?severity=FATAL"))) == [
        ["a", {"href": "/messages?severity=FATAL"}, ["all"]]
    ]


@pytest.mark.parametrize(
    "address", ["https://example.org/", "//example.org/", "javascript:alert(1)", "data:text/html,x"]
)
def test_no_address_but_our_own(address: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in an outlet"):
        drawing(html.A("x", href=address))


@pytest.mark.parametrize(
    "component",
    [
        dcc.Store(id="x"),
        html.Button("x", n_clicks=0),
        html.Div(id={"component": "x", "key": "y"}, contentEditable="true"),
    ],
)
def test_what_needs_dash_is_refused(component: Component) -> None:
    with pytest.raises(ValueError, match="outlet"):
        drawing(component)


def test_an_outlet_begins_with_its_content() -> None:
    made = outlet("here", html.P("Reading"), class_name="wide")
    props = made.to_plotly_json()["props"]
    assert (props["id"], props["className"]) == ("here", "outlet wide")
    assert props[CONTENT] == '[["p",{},["Reading"]]]'


@pytest.mark.parametrize("kind", [html.Div, html.Span, html.A, html.Td, dcc.Link])
def test_all_that_dash_would_send_is_drawn(kind: Callable[..., Component]) -> None:
    made = kind("text", title="t", className="c", **({"href": "/"} if kind in (html.A, dcc.Link) else {}))
    if kind is not dcc.Link:
        marked(made, data_path="p", aria_label="l")
    sent = made.to_plotly_json()["props"]
    ((_, attributes, children),) = json.loads(drawing(made))
    assert children == ["text"]
    assert attributes == {("class" if name == "className" else name): sent[name] for name in sent if name != "children"}


def test_the_same_is_drawn_the_same_in_whatever_order_it_was_given() -> None:
    one = marked(html.Div(), data_path="p", aria_label="l")
    other = marked(html.Div(), aria_label="l", data_path="p")
    assert drawing(one) == drawing(other)
