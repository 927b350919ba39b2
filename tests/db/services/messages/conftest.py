"""What tests of messages ask."""

import pytest

from models.database import Database
from services.messages.queries import MessageQueries
from services.messages.time_limit import TimeLimit
from tests.db.services.messages.builders import NOW


@pytest.fixture
def queries(database: Database) -> MessageQueries:
    """Queries at the moment `NOW`."""
    return MessageQueries(database, lambda: NOW)


@pytest.fixture
def hurried(queries: MessageQueries, monkeypatch: pytest.MonkeyPatch) -> MessageQueries:
    """Queries whose time is up whenever they look, though no statement takes too long by itself."""
    monkeypatch.setattr(TimeLimit, "is_over", True)
    return queries
