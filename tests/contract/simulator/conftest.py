"""One small session with its broadcasts recorded."""

from collections.abc import Iterator

import pytest

from simulator.installation import Installation
from tests.simulated import RawClient, RecordingPublisher, connected

SESSION = "local-1x1-config"


@pytest.fixture
def publisher() -> RecordingPublisher:
    """Everything that the session publishes."""
    return RecordingPublisher()


@pytest.fixture
def small(publisher: RecordingPublisher) -> Iterator[Installation]:
    """A freshly booted ``local-1x1-config``."""
    simulated = Installation([SESSION], "broker:9092", publisher=publisher)
    try:
        simulated.start()
        publisher.clear()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def manager(small: Installation) -> Iterator[RawClient]:
    """The process manager, asked by alice."""
    with connected(small.process_manager_address, "ProcessManager") as client:
        yield client


@pytest.fixture
def root(small: Installation) -> Iterator[RawClient]:
    """The root controller, asked by alice, who is a stranger to it."""
    with connected(small.controller_address(SESSION), "Controller") as client:
        yield client


@pytest.fixture
def held(root: RawClient) -> RawClient:
    """The root controller after alice took control."""
    assert root.call("take_control").flag == 0
    return root
