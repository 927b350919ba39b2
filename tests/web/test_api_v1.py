"""The read API: shapes as its OpenAPI document says, filters, pages, and errors that name the field."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.alarms import Alarm
from models.database import Database
from models.messages import (
    Incarnation,
    MeasurementRollup,
    MeasurementSeries,
    Message,
    MessageApplication,
    MessageMute,
    MessageSession,
    Topic,
)
from models.run_control import Backend, BootConfiguration, DaqSession, Node, Process
from services.accounts.types import Role
from services.clock import utc_now
from services.history import transitions
from services.history.record import Changes
from services.history.transitions import Cell
from services.history.types import Aspect, Source, Subject, TransitionOutcome
from tests.web.conftest import Person
from tests.web.openapi import answer_schema, violations

BEGIN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SESSION = "local-1x1-config"
EXPORT = "messages/export"
POINTS = "measurements/points?series=1&start=2026-01-31T12:00:00Z&end=2026-01-31T12:05:00Z"
PATHS = [
    "sessions",
    "sessions/configurations",
    "sessions/history",
    f"sessions/transitions?session={SESSION}",
    "processes",
    f"tree?session={SESSION}",
    "messages",
    "messages?muted=hide",
    "mutes",
    "rates",
    "measurements",
    POINTS,
    "alarms",
    "status",
]


@pytest.fixture(autouse=True)
def installation(web_database: Database) -> None:
    """One session with a controller in error and a dead process, and twelve messages of two severities."""
    with web_database.write() as tx:
        tx.add(_session())
        tx.add(_process("u-1", "root-controller", tree_id="0"))
        tx.add(_process("u-2", "df-01", tree_id="0.1", status_code="DEAD", return_code=-9, ended_at=BEGIN))
        tx.add(_node("root-controller", 0, in_error=True, endpoint="grpc://localhost:1"))
        tx.add(_node("root-controller/df-01", 1, kind="application", state=None, included=None, seen_at=None))
        tx.add(_backend())
        tx.add(_alarm())
        tx.add(_mute())
        tx.add(BootConfiguration(file="f.xml", configuration_id=SESSION, position=0))
        _add_history(tx)
        tx.add_all(
            [
                Incarnation(id=1, cluster_id="c", first_seen_at=BEGIN),
                Topic(id=1, name=f"control.{SESSION}.root-controller"),
                MessageSession(id=1, name=SESSION),
                MessageApplication(id=1, name="root-controller"),
            ]
        )
        tx.flush()
        tx.add_all(_message(number) for number in range(12))
        tx.add_all([_series(1, "rate_hz"), _series(2, "mode", last_text="calibration", last_ns=_ns(BEGIN))])
        tx.flush()
        tx.add_all(_values(60, minute) for minute in range(4))
        tx.add(_values(600, 0))


def _add_history(tx: Session) -> None:
    changes = Changes(BEGIN)
    changes.note(Subject.NODE, "root-controller", Aspect.STATE, old="initial", new="configured", session=SESSION)
    changes.note(Subject.PROCESS, "df-01", Aspect.DIED, new=-9, session=SESSION, uuid="u-2")
    changes.note(Subject.BACKEND, "process_manager localhost:10054", Aspect.REACHABLE, old=True, new=False)
    changes.write(tx)
    run = transitions.begin(tx, SESSION, "conf", at=BEGIN, state="initial", source=Source.POLL)
    cells = [Cell("root-controller", TransitionOutcome.SUCCEEDED)]
    end = BEGIN + timedelta(seconds=2.5)
    transitions.end(tx, run, at=end, outcome=TransitionOutcome.SUCCEEDED, state="configured", cells=cells)
    transitions.begin(tx, SESSION, "start", at=BEGIN + timedelta(minutes=1), state="configured", source=Source.POLL)


def _session() -> DaqSession:
    return DaqSession(
        name=SESSION, root_name="root-controller", root_address="localhost:1", generation="G1", state="configured",
        sub_state="configured", state_since=BEGIN, in_error=True, included=True, holder="alice", holder_since=BEGIN,
        transitions=[{"name": "start", "arguments": [], "help": ""}], possible=["start"], run_number=None,
        run_type=None, trigger_rate_hz=None, storage_disabled=None, run_started_at=None, polled_at=BEGIN, error=None,
        error_since=None, present=True,
    )  # fmt: skip


def _process(uuid: str, name: str, **more: Any) -> Process:
    values = {
        "session": SESSION, "user": "np04daq", "hostname": "localhost", "status_code": "RUNNING", "return_code": None,
        "first_seen_at": BEGIN, "ended_at": None, "seen_at": BEGIN,
    }  # fmt: skip
    return Process(uuid=uuid, name=name, **(values | more))


def _node(path: str, depth: int, **more: Any) -> Node:
    values = {
        "kind": "controller", "state": "configured", "sub_state": None, "state_since": None, "in_error": None,
        "included": True, "endpoint": None, "seen_at": BEGIN,
    }  # fmt: skip
    name = path.rpartition("/")[2]
    return Node(session=SESSION, path=path, name=name, position=depth, depth=depth, **(values | more))


def _alarm() -> Alarm:
    return Alarm(
        key="process:u-2",
        kind="process",
        priority=2,
        session=SESSION,
        subject="df-01",
        text="The process ended on localhost with exit code -9.",
        occurrences=1,
        raised_at=BEGIN,
        last_at=BEGIN,
    )


def _mute() -> MessageMute:
    now = utc_now()
    return MessageMute(
        expression="text~\">1\"", up_to=3, reason="known", muted_at=now, muted_by="alice",
        until=now + timedelta(hours=1),
    )  # fmt: skip


def _backend() -> Backend:
    return Backend(
        kind="process_manager", address="localhost:10054", generation="G1", reachable=True, since=BEGIN,
        answered_at=BEGIN, tried_at=BEGIN, latency_ms=1.5, error=None, error_at=None,
    )  # fmt: skip


def _message(number: int) -> Message:
    moment = BEGIN + timedelta(seconds=number)
    return Message(
        incarnation_id=1, topic_id=1, partition=0, offset=number, time_ns=int(moment.timestamp()) * 10**9 + 123_456_789,
        received_ns=0, kind=2 if number % 3 == 0 else 0, severity=4 if number % 3 == 0 else 2, session_id=1,
        application_id=1, name="ACK", text=f"Message <b>{number}</b>", detail={"causes": []} if number == 0 else None,
    )  # fmt: skip


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9


def _series(id_: int, field: str, **more: Any) -> MeasurementSeries:
    return MeasurementSeries(
        id=id_, session_id=1, application_id=1, element="module.queue", name="daq.Rate", origin="", field=field, **more
    )


def _values(resolution_s: int, minute: int) -> MeasurementRollup:
    at_s = int(BEGIN.timestamp()) + 60 * minute
    return MeasurementRollup(
        resolution_s=resolution_s, series_id=1, bucket_s=at_s, n=2, total=minute * 6.0, least=minute,
        greatest=minute * 5.0, last=minute * 5.0, last_ns=at_s * 10**9,
    )  # fmt: skip


def get(person: Person, path: str) -> Any:
    answer = person.client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def refused(person: Person, path: str) -> Any:
    answer = person.client.get(f"/api/v1/{path}")
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert answer.json is not None
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-ID"]
    return answer.json["error"]


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_what_the_document_says(viewer: Person, path: str) -> None:
    document = get(viewer, "openapi.json")
    answer = get(viewer, path)
    schema = answer_schema(document, f"/api/v1/{path.partition('?')[0]}", 200)
    assert violations(document, schema, answer) == []
    if path != "status":
        assert set(answer) >= {"items", "next"}
        assert answer["items"] or path == "rates"


@pytest.mark.parametrize("path", ["sessions?x=1", "messages?limit=501", "tree"])
def test_errors_are_what_the_document_says(viewer: Person, path: str) -> None:
    document = get(viewer, "openapi.json")
    schema = answer_schema(document, f"/api/v1/{path.partition('?')[0]}", 422)
    assert violations(document, schema, viewer.client.get(f"/api/v1/{path}").json) == []


def test_the_check_itself_finds_what_is_wrong(viewer: Person) -> None:
    document = get(viewer, "openapi.json")
    schema = answer_schema(document, "/api/v1/processes", 200)
    answer = get(viewer, "processes")
    answer["items"][0]["return_code"] = "none"
    answer["items"][0]["more"] = 1
    answer["items"][1]["ended_at"] = "2026-01-31T12:00:00"
    del answer["items"][1]["uuid"]
    del answer["items"][0]["name"]
    assert len(violations(document, schema, answer)) == 5


def test_the_document_names_every_route_and_no_page_from_elsewhere(viewer: Person) -> None:
    document = get(viewer, "openapi.json")
    assert set(document["paths"]) == {f"/api/v1/{path.partition('?')[0]}" for path in (*PATHS, EXPORT)}
    assert document["openapi"].startswith("3.")
    names = {parameter["name"] for parameter in document["paths"]["/api/v1/messages"]["get"]["parameters"]}
    assert names == {"severity", "session", "application", "q", "match", "where", "muted", "limit", "before", "after"}
    assert viewer.client.get("/apidoc/swagger").status_code == 200  # Dash's page for unknown addresses
    assert b"swagger" not in viewer.client.get("/apidoc/swagger").data


def test_fields_carry_the_names_of_the_contract(viewer: Person) -> None:
    dead = next(item for item in get(viewer, "processes")["items"] if item["uuid"] == "u-2")
    assert (dead["status_code"], dead["return_code"], dead["hostname"], dead["user"]) == (
        "DEAD", -9, "localhost", "np04daq",
    )  # fmt: skip
    root = get(viewer, f"tree?session={SESSION}")["items"][0]
    assert (root["state"], root["in_error"], root["included"]) == ("configured", True, True)
    session = get(viewer, "sessions")["items"][0]
    assert (session["who_is_in_charge"], session["transitions"]) == ("alice", ["start"])
    message = get(viewer, "messages?limit=1")["items"][0]
    assert message["topic"] == f"control.{SESSION}.root-controller"
    assert (message["partition"], message["offset"], message["severity"]) == (0, 11, "INFO")
    assert message["time"] == "2026-01-31T12:00:11.123456Z"
    assert message["text"] == "Message <b>11</b>"


def test_messages_go_backwards_page_by_page(viewer: Person) -> None:
    seen: list[int] = []
    path = "messages?limit=5"
    while path:
        page = get(viewer, path)
        seen += [item["offset"] for item in page["items"]]
        path = f"messages?limit=5&before={page['next']}" if page["next"] is not None else ""
    assert seen == list(range(11, -1, -1))


def test_messages_after_an_id_are_the_newer_ones(viewer: Person) -> None:
    items = get(viewer, "messages")["items"]
    newer = get(viewer, f"messages?after={items[3]['id']}")["items"]
    assert [item["id"] for item in newer] == [item["id"] for item in items[:3]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("severity=ERROR", 4),
        ("severity=error,INFO", 12),
        ("severity=ERROR&severity=INFO", 12),
        ("severity=FATAL", 0),
        (f"session={SESSION}", 12),
        ("session=another", 0),
        ("application=root-controller", 12),
        ("q=MESSAGE%20<B>1", 3),
        ("q=MESSAGE%20<B>1&match=not", 9),
        ("q=essage&match=words", 0),
        ("q=MESS%201&match=words", 3),
        ("where=words%3D1%20and%20severity%3DERROR", 0),
        ("q=Message%20<b>1</b>&match=exact", 1),
        ("q=message%20<b>1</b>&match=exact", 0),
        ("where=kind%3Ders%20and%20text~%22%3E3%22", 1),
    ],
)
def test_messages_are_filtered(viewer: Person, query: str, count: int) -> None:
    assert len(get(viewer, f"messages?{query}")["items"]) == count


def test_what_is_muted_is_shown_unless_somebody_asks_otherwise(viewer: Person) -> None:
    everything = get(viewer, "messages")
    assert (len(everything["items"]), everything["hidden"]) == (12, {"muted": 0})
    rest = get(viewer, "messages?muted=hide")
    # Those numbered 1, 10 and 11; what is above the mute's severity stays.
    assert (len(rest["items"]), rest["hidden"]) == (9, {"muted": 3})
    (mute,) = get(viewer, "mutes")["items"]
    assert (mute["where"], mute["up_to"], mute["reason"], mute["muted_by"]) == (
        'text~">1"',
        "WARNING",
        "known",
        "alice",
    )


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("messages?limit=501", "limit"),
        ("messages?limit=0", "limit"),
        ("messages?limit=many", "limit"),
        ("messages?severity=LOUD", "severity"),
        ("messages?before=-1", "before"),
        ("messages?after=99999999999999999999", "after"),
        ("messages?before=2&after=1", None),
        ("messages?severty=ERROR", "severty"),
        ("messages?match=like", "match"),
        ("messages?muted=perhaps", "muted"),
        ("mutes?x=1", "x"),
        ("messages?where=severity", "where"),
        ("messages/export?where=severity", "where"),
        ("messages/export?form=xlsx", "form"),
        ("messages/export?limit=100001", "limit"),
        ("rates?start=2026-01-31T12:00:00", None),
        ("rates?start=yesterday", "start"),
        ("rates?start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", None),
        ("measurements?name=x", "name"),
        ("measurements/points", "series"),
        ("measurements/points?series=1&points=0", "points"),
        ("measurements/points?series=1&start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", None),
        ("tree", "session"),
        ("tree?session=", "session"),
        ("sessions?sort=name", "sort"),
        (f"processes?session={'x' * 256}", "session"),
        ("sessions?vanished=perhaps", "vanished"),
        ("sessions/history?subject=weather", "subject"),
        ("sessions/history?aspect=colour", "aspect"),
        ("sessions/history?limit=501", "limit"),
        ("sessions/history?start=2026-01-31T12:00:00", None),
        ("sessions/transitions", "session"),
        (f"sessions/transitions?session={SESSION}&limit=101", "limit"),
        ("sessions/configurations?x=1", "x"),
    ],
)
def test_what_is_wrong_is_named(viewer: Person, path: str, field: str | None) -> None:
    error = refused(viewer, path)
    assert error["code"] == "invalid_input"
    assert error["field"] == field
    assert error["message"]


def test_measured_values_are_listed_and_given_over_time(viewer: Person) -> None:
    assert len(get(viewer, f"measurements?session={SESSION}&application=root-controller")["items"]) == 2
    assert get(viewer, "measurements?application=df-01")["items"] == []
    words, numbers = get(viewer, "measurements")["items"]
    assert (words["field"], words["last_text"], words["last_time"]) == ("mode", "calibration", "2026-01-31T12:00:00Z")
    assert (numbers["field"], numbers["last_text"], numbers["element"]) == ("rate_hz", None, "module.queue")
    points = get(viewer, POINTS)["items"]
    assert [(point["mean"], point["width_s"]) for point in points] == [(0.0, 60), (3.0, 60), (6.0, 60), (9.0, 60)]
    coarse = get(viewer, f"{POINTS}&points=2")["items"]
    assert [point["width_s"] for point in coarse] == [600]


@pytest.mark.parametrize("path", ["tree?session=nobody", "measurements/points?series=7"])
def test_what_is_not_there_is_not_found(viewer: Person, path: str) -> None:
    answer = viewer.client.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", [*PATHS, EXPORT, "openapi.json"])
def test_strangers_get_nothing(anonymous: FlaskClient, path: str) -> None:
    answer = anonymous.get(f"/api/v1/{path}")
    assert answer.status_code == 401
    assert answer.json is not None
    assert set(answer.json) == {"error"}


def test_nothing_can_be_written(person: Callable[[Role], Person]) -> None:
    administrator = person(Role.ADMINISTRATOR)
    for path in ("sessions", "messages"):
        assert administrator.client.post(f"/api/v1/{path}", headers=administrator.csrf()).status_code == 405


def test_the_documentation_names_every_route_and_parameter(viewer: Person) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row for row in text.splitlines() if row.startswith("| `")}
    paths = get(viewer, "openapi.json")["paths"]
    assert set(rows) == {path.removeprefix("/api/v1/") for path in paths}
    for path, routes in paths.items():
        for parameter in routes["get"]["parameters"]:
            assert f"`{parameter['name']}`" in rows[path.removeprefix("/api/v1/")], parameter["name"]
