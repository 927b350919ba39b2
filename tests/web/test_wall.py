"""The wall display over HTTP: who may look sees all sessions, and nobody can do anything with it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import dash
import pytest
from dash.development.base_component import Component
from flask import Flask

from models.database import Database
from services.accounts.types import ROLE_PERMISSIONS, Identity, Role
from services.clock import utc_now
from services.container import Services
from services.errors import NotPermittedError
from tests.db.services.run_control.rows import SESSION, process_row, session_row
from tests.unit.components.trees import drawn_elements, drawn_text
from tests.web.conftest import Person

TO_ACT_WITH = {"a", "button", "form", "input", "select", "summary", "textarea"}
INPUTS = ("sessions", "processes", "tree", "commands", "backends")


@pytest.fixture(autouse=True)
def running(web_database: Database) -> None:
    """A session with a run and a dead process, and one that waits."""
    with web_database.write() as tx:
        tx.add(session_row(SESSION, state="running", run_number=31427, run_started_at=utc_now()))
        tx.add(session_row("idle", root_address="h:2"))
        tx.add(process_row("u-1", name="df-01", status_code="DEAD", return_code=137))


def _wall() -> Component:
    page = next(page for page in dash.page_registry.values() if page["path"] == "/")
    found: Component = page["layout"](wall="1")
    return found


def _components(part: Any) -> Iterator[Component]:
    if isinstance(part, list | tuple):
        for one in part:
            yield from _components(one)
    elif isinstance(part, Component):
        yield part
        yield from _components(getattr(part, "children", None))


def _called(person: Person, outputs: dict[str, str], inputs: dict[str, object]) -> dict[str, Any]:
    """Call a callback as a page does; return what it set, by id."""
    names = [f"{where}.{what}" for where, what in outputs.items()]
    told = [{"id": where, "property": what} for where, what in outputs.items()]
    is_one = len(told) == 1
    body = {
        "output": names[0] if is_one else f"..{'...'.join(names)}..",
        "outputs": told[0] if is_one else told,
        "inputs": [{"id": where, "property": "data", "value": value} for where, value in inputs.items()],
        "changedPropIds": [f"{next(iter(inputs))}.data"],
    }
    answer = person.client.post("/_dash-update-component", json=body, headers=person.csrf())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)["response"]
    return found


def test_who_may_look_sees_all_sessions_and_nothing_to_act_with(viewer: Person) -> None:
    outputs = {"wall-head": "data-content", "wall-large": "data-content", "wall-tiles": "data-content"}
    drawn = _called(viewer, {**outputs, "wall-large-name": "data"}, {f"live-{topic}": 1 for topic in INPUTS})
    said = {where: drawn_text(drawn[where]["data-content"]) for where in outputs}
    assert "2 sessions" in said["wall-head"]
    assert "Run 31427 State running" in said["wall-large"]
    assert said["wall-tiles"].startswith("idle no run")
    assert drawn["wall-large-name"]["data"] == SESSION
    alarm = _called(viewer, {"wall-alarm": "data-content"}, {"live-alarms": 1})["wall-alarm"]["data-content"]
    assert "No alarm waits for anybody" in drawn_text(alarm)
    everything = [*(drawn[where]["data-content"] for where in outputs), alarm]
    assert not TO_ACT_WITH & {tag for content in everything for tag, _attributes in drawn_elements(content)}


def test_the_account_of_a_display_may_look_and_nothing_else(
    person: Callable[[Role], Person], services: Services
) -> None:
    display = person(Role.WALL)
    head = {"wall-head": "data-content", "wall-large": "data-content", "wall-tiles": "data-content"}
    drawn = _called(display, {**head, "wall-large-name": "data"}, {f"live-{topic}": 1 for topic in INPUTS})
    assert "2 sessions" in drawn_text(drawn["wall-head"]["data-content"])
    assert {permission.value.rpartition(".")[2] for permission in ROLE_PERMISSIONS[Role.WALL]} == {"view"}
    with pytest.raises(NotPermittedError):
        services.commands.take_control(Identity("wall", Role.WALL), SESSION)


def test_the_page_itself_holds_nothing_to_act_with(app: Flask) -> None:
    kinds = {component._type for component in _components(_wall())}
    assert app is not None
    assert kinds <= {"Div", "H1", "Header", "Section", "Span", "Store"}


def test_the_overview_leads_to_it(app: Flask) -> None:
    page = next(page for page in dash.page_registry.values() if page["path"] == "/")
    assert app is not None
    links = [getattr(component, "href", None) for component in _components(page["layout"]())]
    assert "/?wall=1" in links
