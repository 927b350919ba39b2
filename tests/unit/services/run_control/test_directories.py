"""Which connectivity service a session is looked up in."""

from collections.abc import Mapping

import pytest

from services.errors import NotReachableError
from services.run_control.directories import SessionDirectory, address_from

FOUND = {"root-controller": "grpc://h:1"}


class FakeService:
    def __init__(self, address: str) -> None:
        self.address = address
        self.entries: Mapping[str, str] = {}
        self.down = False
        self.asked = 0
        self.closed = False

    def lookup(self, session: str) -> Mapping[str, str]:
        self.asked += 1
        if self.down:
            raise NotReachableError(f"{self.address} does not answer")
        return self.entries

    def close(self) -> None:
        self.closed = True


class Services:
    def __init__(self) -> None:
        self.made: dict[str, FakeService] = {}

    def connect(self, address: str) -> FakeService:
        return self.made.setdefault(address, FakeService(address))

    def __getitem__(self, address: str) -> FakeService:
        return self.connect(address)


@pytest.fixture
def services() -> Services:
    return Services()


def test_the_sites_service_is_enough_while_it_knows_the_session(services: Services) -> None:
    directory = SessionDirectory("site:1", services.connect)
    directory.suggest("own:2")
    services["site:1"].entries = FOUND
    assert directory.lookup("s") == FOUND
    assert directory.address == "site:1"
    assert services["own:2"].asked == 0


def test_what_the_processes_name_is_asked_where_the_site_knows_nothing(services: Services) -> None:
    directory = SessionDirectory("site:1", services.connect)
    directory.suggest("own:2")
    services["own:2"].entries = FOUND
    assert directory.lookup("s") == FOUND
    assert directory.address == "own:2"
    directory.lookup("s")
    assert (services["site:1"].asked, services["own:2"].asked) == (1, 2)


def test_it_comes_back_to_the_site(services: Services) -> None:
    directory = SessionDirectory("site:1", services.connect)
    directory.suggest("own:2")
    services["own:2"].entries = FOUND
    directory.lookup("s")
    services["own:2"].entries = {}
    services["site:1"].entries = FOUND
    assert directory.lookup("s") == FOUND
    assert directory.address == "site:1"


def test_a_wrong_suggestion_changes_nothing(services: Services) -> None:
    directory = SessionDirectory("site:1", services.connect)
    directory.suggest("own:2")
    services["own:2"].down = True
    assert directory.lookup("s") == {}
    services["site:1"].down = True
    with pytest.raises(NotReachableError, match="site:1"):
        directory.lookup("s")


def test_everything_that_was_opened_is_closed(services: Services) -> None:
    directory = SessionDirectory("site:1", services.connect)
    directory.suggest("own:2")
    directory.lookup("s")
    directory.close()
    assert [service.closed for service in services.made.values()] == [True, True]


@pytest.mark.parametrize(
    ("server", "port", "host", "expected"),
    [
        ("np04-srv-017", "30005", "np04-srv-010", "np04-srv-017:30005"),
        ("localhost", "5000", "np04-srv-010", "np04-srv-010:5000"),
        ("localhost", "5000", "", "localhost:5000"),
        ("localhost", "0", "h", None),
        ("localhost", "65536", "h", None),
        ("localhost", "five", "h", None),
        ("localhost", "٥", "h", None),
        ("", "5000", "h", None),
    ],
)
def test_what_an_environment_names(server: str, port: str, host: str, expected: str | None) -> None:
    assert address_from({"CONNECTION_SERVER": server, "CONNECTION_PORT": port}, host) == expected


def test_an_environment_without_a_service() -> None:
    assert address_from({}, "h") is None
