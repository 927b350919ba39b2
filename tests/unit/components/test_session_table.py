"""Tables of sessions: what is known is said, what is not leaves a dash, and every link keeps the session."""

from datetime import timedelta

import pytest

from components.outlet import drawing
from components.session_table import active_table, configuration_table, gone_table, sources_text
from services.run_control.session_types import Configuration, RunInfo, SessionSource
from tests.unit.components.reading import attribute, walk, with_class, words
from tests.unit.components.samples import NOW, session

CONFIGURATION = Configuration("example-configs.data.xml", "local-2x3-config")


def test_an_active_session_says_who_booted_it_from_what_and_who_knows_of_it() -> None:
    known = frozenset({SessionSource.SESSION_MANAGER, SessionSource.PROCESS_MANAGER})
    table = active_table(
        [
            session(
                name="shift 7",
                run=RunInfo(number=31427),
                owner="mkovacs",
                configuration=CONFIGURATION,
                sources=known,
                first_seen_at=NOW,
                processes_dead=2,
                processes_ended=1,
            )
        ],
        answered=True,
    )
    said = words(table)
    for part in ("31427", "mkovacs", "local-2x3-config", "process manager, session manager", "03:12:44", "1 dead"):
        assert part in said
    links = [found.href for found in walk(table) if getattr(found, "href", None)]
    assert links == [f"/{page}?session=shift%207" for page in ("sessions", "controller", "processes", "messages")]
    drawing(table)


def test_what_is_not_known_of_a_session_takes_no_room_on_a_phone() -> None:
    table = active_table([session(owner=None, generation=None)], answered=True)
    quiet = [attribute(cell, "data-label") for cell in with_class(table, "is-nothing")]
    assert quiet == ["Run", "Owner", "Configuration", "Drunc", "Known to"]


@pytest.mark.parametrize(("answered", "part"), [(True, "as soon as anybody knows"), (False, "Nobody who would know")])
def test_without_sessions_it_says_why(answered: bool, part: str) -> None:
    assert part in words(active_table([], answered=answered))


def test_a_session_that_is_gone_is_grey_and_leads_to_its_messages_only() -> None:
    gone = session(name="old", first_seen_at=NOW - timedelta(hours=2), vanished_at=NOW, owner="bob")
    table = gone_table([gone])
    assert with_class(table, "sessions-gone")
    assert "01:12:44" in words(table)
    assert [found.href for found in walk(table) if getattr(found, "href", None)] == ["/messages?session=old"]
    assert "No session has gone" in words(gone_table([]))


def test_configurations_name_the_sessions_booted_from_them() -> None:
    booted = session(name="shift-7", configuration=CONFIGURATION)
    said = words(configuration_table([CONFIGURATION, Configuration("f.xml", "other")], [booted, session(name="x")]))
    assert "local-2x3-config example-configs.data.xml shift-7 other f.xml –" in said
    assert "No configuration is listed" in words(configuration_table([], []))


def test_who_knows_most_stands_first() -> None:
    assert sources_text(frozenset(SessionSource)) == (
        "process manager, session manager, connectivity service, settings"
    )
    assert sources_text(frozenset()) == "–"
