"""Collectors are killed under load: nothing is lost, nothing is stored twice, and nobody who follows misses any.

The long form of it, with more collectors and more that goes wrong, is ``make soak``.
"""

from pathlib import Path

import pytest

from models.database import Database
from tests.crash.campaign import Campaign, Plan, Stage
from tests.kafka import running_broker


@pytest.mark.timeout(240)
def test_three_kills_under_load_lose_nothing(database: Database, tmp_path: Path) -> None:
    url = database.url.render_as_string(hide_password=False)
    with running_broker(tmp_path) as broker:
        outcome = Campaign(Stage(url, broker.address, tmp_path), Plan(kills=3, most_between=3_000)).run()
    assert outcome.findings == [], outcome.told()
    assert outcome.kills == 3
