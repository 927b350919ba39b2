"""Mutes in words: how much they hide, who may make and end them, and what the dialog asks for."""

from datetime import timedelta

import pytest

from components.mute_parts import (
    DURATIONS,
    MuteDialogIds,
    default_limit,
    hiding_line,
    mute_dialog,
    mute_list,
    mute_obstacle,
    muted_note,
    preview_line,
)
from services.accounts.types import Identity, Role
from services.messages.mute_types import Count, Mute
from services.messages.types import EVERYTHING, Severity
from tests.unit.components.reading import attribute, walk, words
from tests.unit.components.samples import NOW
from tests.unit.components.test_message_list import ISSUE

SCRIPT = "<script>alert(1)</script>"
MUTE = Mute(7, EVERYTHING, "application=mlt", Severity.WARNING, SCRIPT, "olga", NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("number", "hidden", "said"),
    [
        (0, Count(0), "Nothing is muted."),
        (1, Count(0), "1 mute hides 0 of the last 15 min"),
        (2, Count(1310), "2 mutes hide 1\u2009310 of the last 15 min"),
        (2, Count(10_000, is_complete=False), "2 mutes hide at least 10\u2009000 of the last 15 min"),
    ],
)
def test_how_much_is_hidden_is_said(number: int, hidden: Count, said: str) -> None:
    assert hiding_line(number, hidden) == said


def test_a_preview_says_how_many_or_what_is_missing() -> None:
    assert words(preview_line(Count(3))) == "3 of the last hour would be hidden."
    assert words(preview_line(Count(0, is_complete=False))).startswith("at least 0 ")
    assert "at least their application" in words(preview_line(None))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("severity", [Severity.FATAL, Severity.ERROR])
def test_who_may_not_mute_is_told_why(role: Role, severity: Severity) -> None:
    may = role in (Role.OPERATOR, Role.ADMINISTRATOR)
    found = mute_obstacle(Identity("x", role), ISSUE._replace(severity=severity))
    if not may:
        assert found == f"The role {role} of x does not include messages.mute."
    else:
        assert found == ("FATAL is never muted." if severity is Severity.FATAL else None)


def test_a_mute_says_what_why_who_and_until_when() -> None:
    listed = mute_list([MUTE], lambda key: {"element": "end", "key": key}, None)
    assert words(listed).startswith(f"application=mlt up to WARNING {SCRIPT} by olga, until")
    (end,) = [part for part in walk(listed) if part._type == "Button"]
    assert end.id == {"element": "end", "key": "7"}
    assert attribute(end, "aria-label") == "End the mute of application=mlt"
    assert mute_list([], lambda key: {"key": key}, None) == []
    assert words(muted_note([MUTE])).startswith("Muted by olga until")
    assert words(muted_note([])) == ""


def test_every_field_of_the_dialog_has_a_name() -> None:
    dialog = mute_dialog(
        MuteDialogIds(*["dialog", "parts", "text", "up_to", "lasts", "reason", "preview", "error", "cancel", "send"])
    )
    named = {part.htmlFor for part in walk(dialog) if part._type == "Label"}
    assert named == {"text", "up_to", "lasts", "reason"}
    limits = next(part for part in walk(dialog) if getattr(part, "id", None) == "up_to")
    assert [option["value"] for option in limits.options] == ["ERROR", "WARNING", "INFO", "LOG", "DEBUG"]
    assert "FATAL is never muted" in words(dialog)
    assert min(DURATIONS) == 60


def test_a_message_is_muted_up_to_its_own_severity_unless_somebody_says_more() -> None:
    assert default_limit(ISSUE._replace(severity=Severity.INFO)) is Severity.INFO
    assert default_limit(ISSUE) is Severity.ERROR
