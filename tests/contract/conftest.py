"""A drunc installation for contract tests: the simulator, over real gRPC and HTTP."""

from collections.abc import Iterator

import pytest

from simulator.installation import Installation


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Both example sessions, freshly booted, transitions at once, no Kafka."""
    simulated = Installation()
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()
