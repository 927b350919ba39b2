"""The whole house for browser tests: broker, simulated drunc, console, and headless Chromium."""

import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from simulator.installation import Installation
from tests.browser.person import WIDE, Browsers, Person
from tests.console import Console, running_console
from tests.kafka import KafkaBroker, running_broker

ARTIFACTS = Path("test-artifacts")
NewPerson = Callable[..., Person]
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    """Skip by name where the browser is missing."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker for each file: a console reads all that its topics keep, also what other tests have sent."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="module")
def installation(kafka_broker: KafkaBroker) -> Iterator[Installation]:
    """Both example sessions, freshly booted; transitions take a moment, so that they can be watched."""
    simulated = Installation(kafka_address=kafka_broker.address, time_scale=0.3)
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture(scope="module")
def console(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console that watches the installation."""
    with running_console(
        tmp_path_factory.mktemp("console"),
        process_manager=installation.process_manager_address,
        connectivity=installation.connectivity_address,
        kafka=installation.kafka_address or "",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """Browsers that tests use one after the other."""
    lent = Browsers()
    yield lent
    lent.end()


@pytest.fixture
def new_person(
    console: Console, browsers: Browsers, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[NewPerson]:
    """A way to get people with a browser each: ``new_person("alice")``. Their pages must stay free of complaints."""
    people: list[Person] = []

    def make(name: str | None, size: tuple[int, int] = WIDE) -> Person:
        person = Person(console, tmp_path, size, browsers.lend(tmp_path, size))
        people.append(person)
        return person.log_in(name) if name else person

    try:
        yield make
        if request.node.stash.get(FAILED, False):
            for number, person in enumerate(people):
                person.screenshot(ARTIFACTS / f"{request.node.name}-{number}.png")
                shutil.copy(console.log, ARTIFACTS / f"{request.node.name}-web.log")
        else:
            for person in people:
                assert person.foreign_requests() == []
                assert person.problems() == []
            while people:
                browsers.take_back(people[-1].driver, console.url)
                people.pop()
    finally:
        # After a failure nobody else is to use them.
        for person in people:
            person.driver.quit()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell fixtures whether their test failed, so that they can save what the page looked like."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
