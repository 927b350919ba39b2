"""Buttons, panels, notices, ages, grids."""

from datetime import timedelta

import pytest
from dash import html

from components.ages import age, age_when_stale, clock_time, duration_text, elapsed, stale_value, thin
from components.buttons import Look, button, button_with_reason, chip, icon_button, link_button, segmented
from components.grid import grid
from components.icons import Icon
from components.notice import NOTICES_ID, empty, error_notice, forbidden, loading, notices_area, stale_line
from components.panel import panel
from tests.unit.components.samples import NOW
from tests.unit.components.trees import attribute, classes, having, text, walk

NOW_MS = str(int(NOW.timestamp() * 1000))


def test_a_button_that_is_off_says_why_to_everybody() -> None:
    both = button_with_reason("start", "start-button", "possible only in configured, now running")
    (made,) = having(both, "button")
    assert attribute(made, "aria-disabled") == "true"
    assert attribute(made, "disabled") is None
    reason = next(part for part in walk(both) if getattr(part, "id", "") == attribute(made, "aria-describedby"))
    assert text(reason) == "possible only in configured, now running"


def test_a_button_that_is_on_says_nothing_more() -> None:
    both = button_with_reason("start", "start-button", None)
    assert text(both) == "start"
    assert attribute(having(both, "button")[0], "aria-disabled") is None


def test_no_button_submits_a_form_by_accident() -> None:
    assert attribute(button("go", "go", look=Look.PRIMARY), "type") == "button"


def test_icons_alone_have_a_name() -> None:
    made = icon_button(Icon.CLOSE, "Close the inspector", "close-button")
    assert attribute(made, "aria-label") == "Close the inspector"
    assert text(made) == ""


def test_the_chosen_one_of_several_is_pressed() -> None:
    group = segmented({"utc": "UTC", "local": "Local"}, "utc", {"utc": "a", "local": "b"}, "Times in")
    pressed = [attribute(part, "aria-pressed") for part in walk(group) if isinstance(part, html.Button)]
    assert pressed == ["true", "false"]
    assert attribute(group, "aria-label") == "Times in"


def test_dropping_a_filter_says_which() -> None:
    (close,) = having(chip("host", "np04", "drop-host"), "chip-close")
    assert attribute(close, "aria-label") == "drop the filter host np04"


def test_links_can_look_like_buttons() -> None:
    made = link_button("Show", "/messages", sign=Icon.LOG)
    assert attribute(made, "href") == "/messages"
    assert {"button", "icon-log"} <= classes(made)


def test_a_panel_has_a_head_and_a_foot_only_if_given() -> None:
    assert text(panel("Tree", "body", sub="16 nodes", foot="foot")) == "Tree 16 nodes body foot"
    assert "panel-foot" not in classes(panel("Tree", "body"))
    assert attribute(panel("Tree", "body", component_id="tree"), "id") == "tree"


def test_an_error_says_what_what_not_what_next_and_which_request() -> None:
    notice = error_notice(
        "df-controller did not answer.", not_done="Nothing was changed.", next_step="Try again.", request_id="7f3a"
    )
    said = text(notice)
    for part in ("df-controller did not answer.", "Not done Nothing was changed.", "Next Try again.", "Request 7f3a"):
        assert part in said
    assert attribute(notice, "role") == "alert"


def test_an_error_leaves_out_what_it_does_not_know() -> None:
    assert "Next" not in text(error_notice("Something failed."))


def test_only_a_notice_that_can_be_closed_has_a_cross() -> None:
    assert "chip-close" not in classes(error_notice("Failed."))
    (close,) = having(error_notice("Failed.", closable=True), "chip-close")
    assert attribute(close, "aria-label") == "Close this notice"


def test_errors_from_outside_stay_text() -> None:
    assert "<b>x</b>" in text(error_notice("<b>x</b>"))


def test_designed_states() -> None:
    assert text(empty("No messages match", "4 filters hide all.")) == "No messages match 4 filters hide all."
    assert "icon-lock" in classes(forbidden("You may look, not act", "Ask run coordination."))
    waiting = loading("Reading sessions", rows=2)
    assert attribute(waiting, "role") == "status"
    assert "ring" in classes(waiting)
    assert "expected every 1 s" in text(stale_line("No data for", NOW, "1 s"))


def test_notices_are_announced() -> None:
    assert attribute(notices_area(), "id") == NOTICES_ID
    assert attribute(notices_area(), "aria-live") == "assertive"


def test_ages_tick_in_the_browser() -> None:
    made = age(NOW, stale_after_s=3)
    assert (attribute(made, "data-at-ms"), attribute(made, "data-stale-after-s")) == (NOW_MS, "3")
    assert text(age(None)) == "–"
    assert "only-stale" in classes(age_when_stale(NOW, 3))


def test_a_value_knows_when_it_is_stale_but_keeps_its_text() -> None:
    made = stale_value("running", NOW, 2.5)
    assert (attribute(made, "data-keep"), attribute(made, "data-stale-after-s")) == ("1", "2.5")
    assert attribute(stale_value("running", None, 2.5), "data-at-ms") is None


def test_elapsed_counts_from_a_moment() -> None:
    assert attribute(elapsed(NOW), "data-since-ms") == NOW_MS
    assert attribute(elapsed(NOW), "data-short") is None
    assert attribute(elapsed(None), "data-since-ms") is None


def test_moments_are_sent_as_utc_to_the_millisecond() -> None:
    made = clock_time(NOW)
    assert text(made) == "03:12:44.318"
    assert attribute(made, "dateTime") == "2026-11-20T03:12:44.318000+00:00"
    assert text(clock_time(None)) == "–"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.21, "0.21 s"),
        (2.41, "2.41 s"),
        (41.27, "41.3 s"),
        (200, "3 min 20 s"),
        (9700, "2 h 41 min"),
        (100800, "1 d 4 h"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration_text(timedelta(seconds=seconds).total_seconds()) == said


def test_thousands_are_thin() -> None:
    assert thin(1204417) == "1\u2009204\u2009417"


def test_every_grid_knows_its_rows_and_evaluates_nothing() -> None:
    region = grid(
        "g", [{"field": "name"}], row_id="uuid", label="Processes", options={"defaultColDef": {"filter": True}}
    )
    made = region.children
    assert attribute(region, "aria-label") == "Processes"
    assert made.getRowId == "params.data.uuid"
    assert made.dangerously_allow_code is False
    assert made.defaultColDef["filter"] is True
    assert made.dashGridOptions["animateRows"] is False
    assert "defaultColDef" not in made.dashGridOptions
