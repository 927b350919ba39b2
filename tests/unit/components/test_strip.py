"""The strip and the frame around every page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from dash import html

from components.frame import BACKENDS_ID, app_layout, backend_notices, live_store_id, page
from components.navigation import DESTINATIONS
from components.strip import age_cell, alarm_cell, cells, select, session_links, with_session
from services.alarms.types import AlarmCounts, Priority
from services.run_control.backend_types import BackendKind
from services.run_control.session_types import INITIAL_HOLDER, RunInfo
from tests.unit.components.samples import NOW, backend, executing, session
from tests.unit.components.trees import attribute, classes, having, hrefs, text, walk

NOTHING = AlarmCounts({})


def test_the_strip_says_run_state_storage_and_holder() -> None:
    run = RunInfo(number=31427, type="PROD", trigger_rate_hz=8.1, storage_disabled=False)
    said = text(cells(session(run=run), "mkovacs", NOTHING))
    for part in ("Run 31427", "running", "Run type PROD", "Trigger rate 8.1 Hz", "Storage on", "mkovacs you, since"):
        assert part in said


def test_without_a_run_nothing_is_made_up() -> None:
    said = text(cells(session(), "mkovacs", NOTHING))
    assert "Run none" in said
    assert "Trigger rate –" in said
    assert "Storage –" in said


def test_facts_that_there_are_not_can_be_left_out_where_no_label_explains_them() -> None:
    run = RunInfo(number=31427, type="PROD", storage_disabled=False)
    empty = having(cells(session(run=run), "mkovacs", NOTHING), "is-empty")
    assert [text(cell) for cell in empty] == ["Trigger rate –"]


def test_storage_off_is_said() -> None:
    assert "Storage off" in text(cells(session(run=RunInfo(storage_disabled=True)), "mkovacs", NOTHING))


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, "not known yet"),
        ("", "nobody"),
        (INITIAL_HOLDER, f"nobody ({INITIAL_HOLDER})"),
        ("asantos", "asantos since"),
        ("mkovacs", "mkovacs you, since"),
    ],
)
def test_who_is_in_control(holder: str | None, said: str) -> None:
    assert said in text(cells(session(holder=holder), "mkovacs", NOTHING))


def test_a_transition_in_progress_takes_the_place_of_the_state() -> None:
    drawn = cells(session(executing=executing()), "mkovacs", NOTHING)
    (cell,) = having(drawn, "cell-state")
    assert text(cell).startswith("State conf")
    assert "ring" in classes(cell)
    assert "running" not in text(cell)


def test_an_error_stands_beside_the_state() -> None:
    (cell,) = having(cells(session(in_error=True), "mkovacs", NOTHING), "cell-state")
    assert "running in error" in text(cell)


def test_a_state_that_was_never_read_is_unreachable() -> None:
    (cell,) = having(cells(session(state=None, error="refused"), "mkovacs", NOTHING), "cell-state")
    assert "unreachable" in text(cell)


def test_the_state_goes_stale_by_the_heartbeat() -> None:
    (word,) = having(cells(session(), "mkovacs", NOTHING), "stale-value")
    assert attribute(word, "data-polled") == "session:local-2x3-config"
    assert attribute(word, "data-stale-after-s") == "3"


def test_the_title_of_the_tab_says_state_and_alarms() -> None:
    (title,) = having(cells(session(), "mkovacs", AlarmCounts({Priority.HIGH: 1, Priority.MEDIUM: 2})), "hidden")
    assert attribute(title, "data-title") == "running · 3 alarms"
    (moving,) = having(cells(session(executing=executing()), "mkovacs", NOTHING), "hidden")
    assert attribute(moving, "data-title") == "conf…"


def test_the_alarm_cell_is_calm_when_nobody_is_called() -> None:
    cell = alarm_cell(AlarmCounts({Priority.HIGH: 0}, acknowledged=3))
    assert "none" in text(cell)
    assert "is-calling" not in classes(cell)


def test_the_alarm_cell_counts_by_priority_and_tells_the_script_which_is_the_newest() -> None:
    cell = alarm_cell(AlarmCounts({Priority.HIGH: 1, Priority.LOW: 12}, newest_id=77), "local")
    assert text(cell) == "Alarms 1 high 12 low"
    assert hrefs(cell) == ["/alarms?session=local"]
    (drawn,) = having(cell, "is-calling")
    assert (attribute(drawn, "data-newest-alarm"), attribute(drawn, "data-alarms")) == ("77", "13")


def test_the_session_of_the_address_is_selected() -> None:
    both = [session(name="a"), session(name="b")]
    assert select(both, "b") is both[1]
    assert select(both, None) is both[0]
    assert select(both, "gone") is None
    assert select([], None) is None


def test_the_picker_links_to_the_same_page() -> None:
    links = session_links([session(name="a b&c"), session(name="d")], "d", "/processes")
    assert hrefs(links) == ["/processes?session=a%20b%26c", "/processes?session=d"]
    assert ["is-on" in classes(link) for link in links] == [False, True]


def test_the_picker_says_when_there_is_nothing() -> None:
    assert text(session_links([], None, "/")) == "No session is running."


def test_no_session_needs_no_query() -> None:
    assert with_session("/rates", None) == "/rates"


def test_the_age_follows_the_poll() -> None:
    (shown,) = having(age_cell(session()), "age")
    assert attribute(shown, "data-polled") == "session:local-2x3-config"
    assert text(age_cell(None)) == "–"
    assert text(age_cell(session(polled_at=None))) == "–"


def test_an_address_that_does_not_answer_is_named_with_what_is_old() -> None:
    gone = backend(reachable=False, since=NOW, answered_at=NOW - timedelta(seconds=1), error="Connection refused.")
    (line,) = backend_notices([backend(), gone])
    said = text(line)
    assert "process manager np04-srv-010:10054 does not answer" in said
    assert "The processes shown are from" in said
    assert "Connection refused." in said


def test_an_address_that_never_answered_says_so() -> None:
    (line,) = backend_notices([backend(reachable=False, answered_at=None, kind=BackendKind.KAFKA)])
    assert "Kafka np04-srv-010:10054 does not answer" in text(line)
    assert "It has not answered yet." in text(line)


def test_every_kind_of_backend_has_words() -> None:
    for kind in BackendKind:
        assert backend_notices([replace(backend(), kind=kind, reachable=False)])


def test_the_frame_has_a_store_for_each_topic_and_a_place_for_everything() -> None:
    frame = app_layout(html.Div(id="outlet"), ["sessions", "tree"], "mkovacs", "operator")
    ids = [getattr(part, "id", None) for part in walk(frame)]
    for wanted in (
        live_store_id("sessions"),
        live_store_id("tree"),
        "connection-banner",
        "notices",
        BACKENDS_ID,
        "outlet",
    ):
        assert ids.count(wanted) == 1
    assert "mkovacs, operator" in text(frame)


def test_the_navigation_lists_every_page_once_at_each_place() -> None:
    frame = app_layout(html.Div(), (), "mkovacs", "operator")
    for place in DESTINATIONS:
        in_navigation = [part for part in having(frame, "nav-item") + having(frame, "sheet-row") if hrefs(part)]
        assert [hrefs(link)[0] for link in in_navigation].count(place.path) == 2


def test_logging_out_is_a_form_with_a_token() -> None:
    frame = app_layout(html.Div(), (), "mkovacs", "operator")
    forms = [part for part in walk(frame) if isinstance(part, html.Form)]
    assert {tuple(attribute(form, name) for name in ("action", "method", "data-csrf")) for form in forms} == {
        ("/logout", "post", "1")
    }


def test_what_counts_in_the_banner_is_not_announced() -> None:
    frame = app_layout(html.Div(), (), "mkovacs", "operator")
    banner = next(part for part in walk(frame) if getattr(part, "id", "") == "connection-banner")
    assert attribute(banner, "role") == "alert"
    assert attribute(having(banner, "elapsed")[0], "aria-live") == "off"
    assert all(attribute(line, "hidden") for line in having(banner, "banner-line"))


def test_a_page_has_one_heading() -> None:
    drawn = page("Overview", [html.Div("content")], sub="3 sessions", actions="actions", fill=True)
    assert [text(part) for part in walk(drawn) if isinstance(part, html.H1)] == ["Overview"]
    assert "page-fill" in classes(drawn)
