"""The site's services: a session manager that nobody named is found where it publishes, and not kept for ever."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.errors import ConsoleError, NotReachableError
from services.run_control.endpoints import Endpoints
from services.run_control.session_types import ActiveSession, Configuration
from services.run_control.site_poll import LOOK_AROUND_EVERY, SitePoll
from tests.unit.services.run_control.test_session_poll import FakeDrunc

OWN = {"session_manager": "grpc://h:50000"}
NODES = {"root-controller": "grpc://h:1", "df-01": "rest://h:2"}
LISTED = (ActiveSession("s", "alice", Configuration("f", "c")),)


class FakeDirectory:
    """A connectivity service with the entries that the test wants."""

    address = "csc:5000"

    def __init__(self) -> None:
        self.published: dict[str, Mapping[str, str]] = {}
        self.error: ConsoleError | None = None
        self.asked = 0

    def candidates(self) -> frozenset[str]:
        self.asked += 1
        if self.error:
            raise self.error
        return frozenset({*self.published, "a heading"})

    def lookup(self, session: str) -> Mapping[str, str]:
        return self.published.get(session, {})

    def close(self) -> None:
        pass


class Managers(FakeDrunc):
    """Session managers at some addresses; the others do not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.there = {"h:50000"}
        self.called: list[str] = []

    def session_manager(self, address: str) -> "Manager":
        return Manager(self, address)


class Manager:
    generation = "GX"

    def __init__(self, managers: Managers, address: str) -> None:
        self.managers = managers
        self.address = address

    def sessions(self, user: str) -> tuple[ActiveSession, ...]:
        self.managers.called.append(self.address)
        if self.address not in self.managers.there:
            raise NotReachableError(f"{self.address} does not answer.")
        return LISTED

    def configurations(self, user: str) -> tuple[Configuration, ...]:
        return ()


class Scene:
    def __init__(self, session_manager: str | None = None) -> None:
        self.now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
        self.directory = FakeDirectory()
        self.managers = Managers()
        self.endpoints = Endpoints()
        self.poll = SitePoll(
            session_manager=session_manager,
            run_control_service=None,
            connectivity=self.directory,
            adapters=self.managers,
            endpoints=self.endpoints,
            user="console",
            clock=lambda: self.now,
        )

    def later(self, by: timedelta = LOOK_AROUND_EVERY) -> None:
        self.now += by


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("where", ["session_manager", "s"])
def test_it_is_found_in_a_session_of_its_own_name_or_in_any(scene: Scene, where: str) -> None:
    scene.directory.published = {"s": NODES}
    scene.directory.published[where] = {**scene.directory.published.get(where, {}), **OWN}
    reading = scene.poll.turn()
    assert (reading.sessions, scene.managers.called) == (LISTED, ["h:50000"])
    # What publishes a session manager only is no session.
    assert reading.published == frozenset({"s"})
    assert scene.poll.used_addresses == {"h:50000"}


def test_only_a_grpc_address_is_one(scene: Scene) -> None:
    scene.directory.published = {"session_manager": {"session_manager": "rest://h:50000"}}
    assert scene.poll.turn().sessions is None
    assert scene.managers.called == []


def test_the_setting_goes_before_what_is_published() -> None:
    scene = Scene("h:1234")
    scene.managers.there = {"h:1234"}
    scene.directory.published = {"session_manager": OWN}
    assert scene.poll.turn().sessions == LISTED
    assert scene.managers.called == ["h:1234"]


def test_it_is_looked_up_again_now_and_then(scene: Scene) -> None:
    scene.directory.published = {"session_manager": OWN}
    scene.poll.turn()
    scene.managers.there = {"h:50000", "h:50001"}
    scene.directory.published = {"session_manager": {"session_manager": "grpc://h:50001"}}
    scene.poll.turn()
    assert scene.directory.asked == 1
    scene.later()
    scene.poll.turn()
    assert scene.managers.called == ["h:50000", "h:50000", "h:50001"]
    scene.directory.published = {}
    scene.later()
    assert scene.poll.turn().sessions is None
    assert scene.poll.used_addresses == frozenset()


def test_one_that_does_not_answer_is_looked_up_at_once(scene: Scene) -> None:
    scene.directory.published = {"session_manager": {"session_manager": "grpc://h:1"}}
    reading = scene.poll.turn()
    assert [backend.reachable for backend in reading.backends] == [False]
    scene.directory.published = {"session_manager": OWN}
    assert scene.poll.turn().sessions == LISTED
    assert scene.managers.called == ["h:1", "h:50000"]


def test_while_the_connectivity_service_is_away_the_manager_is_asked_where_it_was(scene: Scene) -> None:
    scene.directory.published = {"session_manager": OWN}
    scene.poll.turn()
    scene.directory.error = NotReachableError("away")
    scene.later()
    reading = scene.poll.turn()
    assert (reading.sessions, reading.published) == (LISTED, None)
