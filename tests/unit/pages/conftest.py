"""A request in which somebody is logged in, with services that tests fill."""

import importlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dash
import pytest
from flask import Flask, g

from services.accounts.types import Identity, Role
from services.alarms.types import AlarmCounts, Priority
from services.errors import NotFoundError
from services.messages.types import MessageFilter, MessagePage, MessageView, RateBucket
from services.run_control.backend_types import BackendView
from services.run_control.command_types import Action, CommandView
from services.run_control.node_types import Node
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary
from tests.unit.components.samples import NOW


def _flask() -> Flask:
    return Flask("app", root_path=str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def dash_app() -> dash.Dash:
    """Pages can be imported only when there is an app they can belong to."""
    server: Any = _flask()
    return dash.Dash(server=server, use_pages=True, pages_folder="", use_async=False, enable_mcp=False)


def import_page(name: str) -> ModuleType:
    """Import a page's module, and take it out of Dash's registry again: there it would lack what Dash adds itself."""
    before = set(dash.page_registry)
    module = importlib.import_module(f"pages.{name}")
    for registered in set(dash.page_registry) - before:
        del dash.page_registry[registered]
    return module


@dataclass
class RunControl:
    """What `RunControlQueries` would find in the database."""

    known: tuple[SessionSummary, ...] = ()
    nodes: tuple[Node, ...] = ()
    all_processes: tuple[Process, ...] = ()
    addresses: tuple[BackendView, ...] = ()
    commands: tuple[CommandView, ...] = ()

    def sessions(self) -> tuple[SessionSummary, ...]:
        return self.known

    def session(self, name: str) -> SessionSummary:
        found = next((session for session in self.known if session.name == name), None)
        if found is None:
            raise NotFoundError(f"There is no session {name}.")
        return found

    def processes(self, session: str | None = None) -> tuple[Process, ...]:
        return tuple(process for process in self.all_processes if session in (None, process.session))

    def tree(self, session: str) -> tuple[Node, ...]:
        return self.nodes

    def backends(self) -> tuple[BackendView, ...]:
        return self.addresses

    def last_commands(
        self, session: str | None, limit: int = 20, actions: Collection[Action] = ()
    ) -> tuple[CommandView, ...]:
        found = (command for command in self.commands if not actions or command.action in actions)
        return tuple(islice(found, limit))


@dataclass
class Messages:
    """What `MessageQueries` would find; ``asked`` keeps what was asked for."""

    items: tuple[MessageView, ...] = ()
    buckets: tuple[RateBucket, ...] = ()
    asked: list[object] = field(default_factory=list)

    def page(self, wanted: MessageFilter, **_where: int | None) -> MessagePage:
        self.asked.append(wanted)
        return MessagePage(self.items, None)

    def rates(self, start: datetime, end: datetime, **_how: object) -> tuple[RateBucket, ...]:
        self.asked.append((start, end))
        return self.buckets


@pytest.fixture
def run_control() -> RunControl:
    return RunControl()


@pytest.fixture
def messages() -> Messages:
    return Messages()


@pytest.fixture
def request_of_somebody(run_control: RunControl, messages: Messages) -> Iterator[Identity]:
    """Serve a request of the operator mkovacs."""
    app = _flask()
    live = SimpleNamespace(now=lambda: NOW)
    alarms = SimpleNamespace(counts=lambda: AlarmCounts({Priority.MEDIUM: 2}))
    app.extensions["services"] = SimpleNamespace(
        run_control=run_control, messages=messages, live=live, alarms=alarms, poll_interval_s=1.0
    )
    person = Identity("mkovacs", Role.OPERATOR)
    with app.test_request_context("/"):
        g._login_user = SimpleNamespace(identity=person, is_authenticated=True)
        yield person
