"""Who knows of which session, put together."""

from services.run_control.discovery import DUMMY, NOTHING_LISTED, Discovery
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.readings import Origin, SessionReading
from services.run_control.session_types import ActiveSession, Configuration, SessionSource
from tests.db.services.run_control.rows import NOW

CONFIGURATION = Configuration("file.xml", "local-1x1-config")


def process(name: str, session: str, tree_id: str | None = None, connectivity: str | None = None) -> Process:
    return Process(
        name, name, session, "dunedaq", "localhost", ProcessStatus.RUNNING, tree_id=tree_id, connectivity=connectivity
    )


def test_every_source_counts() -> None:
    discovery = Discovery("default")
    discovery.note_processes([process("root", "booted", "1.0.0", "h:5000"), process("stray", "")])
    discovery.note_sessions(
        [ActiveSession("listed", "alice", CONFIGURATION), ActiveSession("booted", "bob", CONFIGURATION)]
    )
    discovery.note_published(["published"])
    assert discovery.names == {"default", "booted", "listed", "published"}
    assert discovery.origin("booted") == Origin(
        frozenset({SessionSource.PROCESS_MANAGER, SessionSource.SESSION_MANAGER}), "bob", CONFIGURATION
    )
    assert discovery.origin("published") == Origin(frozenset({SessionSource.CONNECTIVITY}))
    assert discovery.origin("default").sources == {SessionSource.SETTINGS}
    assert discovery.listed("booted").tree_ids == {"root": "1.0.0"}
    assert discovery.listed("booted").connectivity == "h:5000"
    assert discovery.listed("listed") == NOTHING_LISTED


def test_who_booted_the_processes_owns_the_session_unless_the_session_manager_knows_better() -> None:
    discovery = Discovery(None)
    discovery.note_processes([process("root", "s")])
    assert discovery.origin("s").owner == "dunedaq"
    discovery.note_sessions([ActiveSession("s", "alice", CONFIGURATION)])
    assert discovery.origin("s").owner == "alice"


def test_what_a_source_does_not_tell_any_more_is_forgotten() -> None:
    discovery = Discovery(None)
    discovery.note_sessions([ActiveSession("s", "alice", CONFIGURATION)])
    discovery.note_sessions([])
    assert discovery.names == frozenset()
    assert discovery.origin("s") == Origin()


def test_the_dummy_of_early_session_managers_is_no_session() -> None:
    discovery = Discovery(None)
    discovery.note_sessions([DUMMY])
    assert discovery.names == frozenset()


def test_nothing_is_gone_before_the_process_manager_has_answered() -> None:
    discovery = Discovery(None)
    lost = SessionReading("s", NOW, error="not booted", gone=True)
    assert not discovery.is_complete
    assert not lost.known_by(discovery.origin("s"), all_asked=discovery.is_complete).gone
    discovery.note_processes([])
    assert lost.known_by(discovery.origin("s"), all_asked=discovery.is_complete).gone
    discovery.note_published(["s"])
    assert not lost.known_by(discovery.origin("s"), all_asked=discovery.is_complete).gone


def test_a_session_that_is_looked_up_in_vain_is_published_no_more() -> None:
    discovery = Discovery(None)
    discovery.note_published(["a", "b"])
    discovery.note_unpublished("a")
    discovery.note_unpublished("never was")
    assert discovery.names == {"b"}
