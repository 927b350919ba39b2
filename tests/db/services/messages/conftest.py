"""What tests of messages ask."""

import pytest

from models.database import Database
from services.messages.queries import MessageQueries
from tests.db.services.messages.builders import NOW


@pytest.fixture
def queries(database: Database) -> MessageQueries:
    """Queries at the moment `NOW`."""
    return MessageQueries(database, lambda: NOW)
