"""An app on a real SQLite database, and people who use it."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from spectree.model_adapter.pydantic_adapter import PydanticModelAdapter
from werkzeug.test import TestResponse

from app import create_app
from models.database import Database
from services.accounts.service import AccountService
from services.accounts.types import Identity, Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from services.container import Services
from services.messages.store import MessageStore
from services.messages.types import Severity
from settings import Settings, load_settings
from tests.db.services.messages.builders import batch, message, new_incarnation

PASSWORD = "correct horse"
As = Callable[[Identity], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Path:
    """A database file at head with an account for each role, named after it; made once, copied for each test."""
    file = tmp_path_factory.mktemp("prepared") / "console.db"
    shutil.copyfile(migrated_sqlite, file)
    database = Database(f"sqlite:///{file}")
    accounts = AccountService(database, AuditTrail(database, utc_now), utc_now)
    for role in Role:
        accounts.create(role.value, PASSWORD, role)
    database.close()
    return file


@pytest.fixture(scope="session", autouse=True)
def models_described_once() -> Iterator[None]:
    """Every app of a run has the same API: to describe its models for OpenAPI is half the work of making an app."""
    describe = PydanticModelAdapter().json_schema

    described: dict[object, dict[str, Any]] = {}

    def remembered(_self: object, model: type[Any], **options: Any) -> dict[str, Any]:
        key = (model, *options.items())
        if key not in described:
            described[key] = describe(model, **options)
        return described[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PydanticModelAdapter, "json_schema", remembered)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        _env_file=None,
        secret_key="a secret for tests only",
        data_dir=tmp_path,
        # Otherwise an environment variable of the developer would win.
        database_url=f"sqlite:///{tmp_path / 'console.db'}",
        process_manager_url="localhost:10054",
        connectivity_url="localhost:5000",
        kafka_address="localhost:30092",
        cookie_secure=False,
    )


@pytest.fixture
def web_database(settings: Settings, prepared_database: Path) -> Iterator[Database]:
    shutil.copyfile(prepared_database, settings.data_dir / "console.db")
    database = Database(settings.sqlalchemy_url)
    yield database
    database.close()


@pytest.fixture
def app(settings: Settings, web_database: Database) -> Flask:
    return create_app(settings)


@pytest.fixture
def services(app: Flask) -> Services:
    found: Services = app.extensions["services"]
    return found


@pytest.fixture
def anonymous(app: Flask) -> FlaskClient:
    return app.test_client()


class Person:
    """Somebody at a browser: logs in through the form, sends the CSRF token as Dash's renderer does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def log_in(self, name: str, password: str = PASSWORD, **form: str) -> TestResponse:
        page = self.client.get("/login").get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None, page
        data = {"username": name, "password": password, "csrf_token": found.group(1), **form}
        return self.client.post("/login", data=data)

    def csrf(self) -> dict[str, str]:
        """Open a page and return the header that Dash's renderer would send after it."""
        self.client.get("/")
        cookie = self.client.get_cookie("_csrf_token")
        assert cookie is not None
        return {"X-CSRFToken": cookie.value}


@pytest.fixture
def person(app: Flask) -> Callable[[Role], Person]:
    """Give somebody with a role, logged in; the account's name is the role's."""

    def make(role: Role) -> Person:
        found = Person(app.test_client())
        assert found.log_in(role.value).status_code == 302
        return found

    return make


@pytest.fixture
def operator(person: Callable[[Role], Person]) -> Person:
    return person(Role.OPERATOR)


@pytest.fixture
def viewer(person: Callable[[Role], Person]) -> Person:
    return person(Role.VIEWER)


@pytest.fixture
def as_person(app: Flask) -> As:
    """Serve a request of somebody, to call callbacks as functions in it."""

    @contextmanager
    def act(identity: Identity) -> Iterator[None]:
        with app.test_request_context():
            g._login_user = SimpleNamespace(identity=identity)
            yield

    return act


@pytest.fixture
def now_ms(web_database: Database) -> int:
    """Five messages of this moment; when they are of, milliseconds since 1970 UTC."""
    now = utc_now()
    time_ns = int(now.timestamp()) * 1_000_000_000
    severities = (Severity.INFO, Severity.INFO, Severity.INFO, Severity.ERROR, Severity.FATAL)
    sent = [message(f"m{index}", severity=severity, time_ns=time_ns) for index, severity in enumerate(severities)]
    MessageStore(web_database, lambda: now).write(batch(new_incarnation(web_database), sent, received_ns=time_ns))
    return time_ns // 1_000_000
