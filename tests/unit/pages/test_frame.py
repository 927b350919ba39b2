"""Callbacks of the frame."""

import pytest

from components.strip import polled_key
from pages import _frame
from services.accounts.types import Identity
from tests.unit.components.samples import backend, executing, session
from tests.unit.components.trees import drawn_attributes, drawn_text, text
from tests.unit.pages.conftest import RunControl

UNCHANGED = (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("search", "name"),
    [("?session=a%20b", "a b"), ("?x=1&session=a", "a"), ("", None), (None, None), ("?session=", None)],
)
def test_the_selected_session_stands_in_the_address(search: str | None, name: str | None) -> None:
    assert _frame.selected_name(search) == name


@pytest.mark.usefixtures("request_of_somebody")
class TestStrip:
    """With somebody logged in."""

    def test_the_first_session_without_a_choice(self, run_control: RunControl) -> None:
        run_control.known = (session(name="a"), session(name="b", state="ready"))
        name, links, drawn, shown_age, notices = _frame.show_strip(*UNCHANGED, "/", "")
        assert name == "a"
        assert drawn_attributes(links, "href") == ["/?session=a", "/?session=b"]
        assert "running" in drawn_text(drawn)
        assert drawn_attributes(shown_age, "data-polled") == [polled_key("a")]
        assert notices == "[]"

    def test_the_chosen_session(self, run_control: RunControl) -> None:
        run_control.known = (session(name="a"), session(name="b", executing=executing()))
        name, links, drawn, _age, _notices = _frame.show_strip(*UNCHANGED, "/rates", "?session=b")
        assert name == "b"
        assert drawn_attributes(links, "href") == ["/rates?session=a", "/rates?session=b"]
        assert "conf" in drawn_text(drawn)

    def test_a_session_that_is_gone_keeps_its_name_and_shows_nothing_of_another(self, run_control: RunControl) -> None:
        run_control.known = (session(name="a"),)
        name, _links, drawn, _age, _notices = _frame.show_strip(*UNCHANGED, "/", "?session=gone")
        assert name == "gone"
        assert "running" not in drawn_text(drawn)

    def test_no_session_at_all(self) -> None:
        name, links, drawn, _age, _notices = _frame.show_strip(*UNCHANGED, None, None)
        assert name == "none"
        assert "No session is running." in drawn_text(links)
        assert "Alarms" in drawn_text(drawn)

    def test_lost_addresses_are_named_and_alarms_counted(self, run_control: RunControl) -> None:
        run_control.addresses = (backend(), backend(reachable=False, address="h:1"))
        *_rest, drawn, _age, notices = _frame.show_strip(*UNCHANGED, "/", "")
        assert "2 medium" in drawn_text(drawn)
        assert "h:1" in drawn_text(notices)


def test_the_layout_names_who_is_logged_in(request_of_somebody: Identity) -> None:
    assert f"{request_of_somebody.name}, operator" in text(_frame.layout())
