"""A site's rules on the page of alarms: which are in force, and what one of them says beside its alarm."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models.alarms import Alarm
from models.database import Database
from services.clock import utc_now
from settings import Settings
from tests.unit.components.trees import drawn_text
from tests.web.conftest import Person

RULES = """
rules:
  - name: Fragments <missing>
    filter: text~"fragment missing"
    at_least: 20
    within_s: 60
    priority: low
    meaning: A link is lost.
    action: Look at the rates.
    contact: Readout on call
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    return settings.model_copy(update={"alarm_rules": file})


@pytest.fixture
def alarm_id(app: Flask, web_database: Database) -> int:
    """An alarm that the rule has raised."""
    now = utc_now()
    row = Alarm(
        key="message:of a rule",
        kind="message",
        priority=1,
        session="np04",
        subject="ru-01",
        text="daq::Late: fragment missing",
        rule="Fragments <missing>",
        occurrences=23,
        raised_at=now,
        last_at=now,
        message_id=7,
        cleared_at=now,
    )
    with web_database.write() as tx:
        tx.add(row)
        tx.flush()
        return row.id


def called(person: Person, outputs: list[str], inputs: dict[str, object]) -> dict[str, Any]:
    """Call a callback as the page does; return what it set, by id."""
    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": [dict(zip(("id", "property"), name.split("."), strict=True)) for name in outputs],
        "inputs": [{"id": name, "property": "data", "value": value} for name, value in inputs.items()],
        "changedPropIds": [f"{next(iter(inputs))}.data"],
    }
    answer = person.client.post("/_dash-update-component", json=body, headers=person.csrf())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)["response"]
    return found


def test_the_rules_in_force_are_on_the_page(viewer: Person) -> None:
    outputs = ["alarms-grid.rowData", "alarms-sub.children"]
    outputs += [f"alarms-{name}.data-content" for name in ("ended", "rates", "rules")]
    shown = drawn_text(called(viewer, outputs, {"live-alarms": 1})["alarms-rules"]["data-content"])
    assert 'Fragments <missing> text~"fragment missing" low 20 within 60 s' in shown


def test_what_a_rule_says_stands_beside_its_alarm(viewer: Person, alarm_id: int) -> None:
    outputs = ["alarms-details.data-content"] + [f"alarms-{name}.value" for name in ("meaning", "action", "contact")]
    shown = called(viewer, outputs, {"alarms-chosen": str(alarm_id), "live-alarms": 1})
    said = drawn_text(shown["alarms-details"]["data-content"])
    for part in ("Rule Fragments <missing>", "Means A link is lost.", "Do Look at the rates.", "Call Readout on call"):
        assert part in said
    assert shown["alarms-action"]["value"] == "Look at the rates."


def test_the_api_names_the_rule(viewer: Person, alarm_id: int) -> None:
    (item,) = viewer.client.get("/api/v1/alarms").get_json()["items"]
    assert (item["id"], item["rule"], item["priority"]) == (alarm_id, "Fragments <missing>", "low")
