"""Numbers for Prometheus: there when switched on, and nobody's names in them."""

import pytest
from flask.testing import FlaskClient

from app import create_app
from models.database import Database
from settings import Settings


@pytest.fixture
def measured(settings: Settings, web_database: Database) -> FlaskClient:
    return create_app(settings.model_copy(update={"metrics": True})).test_client()


def lines(client: FlaskClient) -> list[str]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return [line for line in answer.get_data(as_text=True).splitlines() if not line.startswith("#")]


def test_off_it_is_a_page_like_any_other_unknown_one(anonymous: FlaskClient) -> None:
    assert anonymous.get("/metrics").headers["Location"] == "/login?next=/metrics"


def test_requests_are_counted_by_route_not_by_what_strangers_type(measured: FlaskClient) -> None:
    for path in ("/one", "/two", "/live"):
        measured.get(path)
    measured.post("/three")
    found = lines(measured)
    assert 'console_requests_total{method="GET",route="/<path:path>",status="302"} 2.0' in found
    assert 'console_requests_total{method="GET",route="/live",status="401"} 1.0' in found
    assert 'console_requests_total{method="POST",route="none",status="401"} 1.0' in found
    assert 'console_request_seconds_count{route="/live"} 1.0' in found


def test_the_state_is_told(measured: FlaskClient, web_database: Database) -> None:
    found = lines(measured)
    assert "console_ready 1.0" in found
    assert 'console_part_ok{part="database"} 1.0' in found
    assert 'console_part_ok{part="kafka"} 0.0' in found
    assert 'console_messages{outcome="stored"} 0.0' in found


def test_a_broken_database_is_a_number_too(measured: FlaskClient, web_database: Database) -> None:
    web_database.migrate("base")
    found = lines(measured)
    assert "console_ready 0.0" in found
    assert not [line for line in found if line.startswith("console_messages")]
