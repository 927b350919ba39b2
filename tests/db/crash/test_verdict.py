"""The judge of crash tests sees every kind of damage; a judge that sees none proves nothing."""

import time
from collections import Counter, defaultdict

import pytest
from sqlalchemy import text

from models.database import Database
from services.clock import utc_now
from services.messages.batch import Position, make_batch
from services.messages.decode import decode_all
from services.messages.echo import own_echo
from services.messages.ledger import OffsetLedger
from services.messages.store import MessageStore
from services.messages.types import Record
from tests.crash.load import SERVICE_USER, SESSIONS, Load
from tests.crash.verdict import Place, Published, findings, followed

NUMBERS = 600


@pytest.fixture
def published(database: Database) -> Published:
    """A load that is stored as it must be."""
    load = Load(time.time_ns())
    following: dict[tuple[str, int], int] = defaultdict(int)
    places: dict[int, Place] = {}
    records: list[Record] = []
    for planned in map(load.planned, range(NUMBERS)):
        key = (planned.topic, planned.partition)
        places[planned.number] = (*key, following[key])
        records.append(Record(*key, following[key], time.time_ns() // 1_000_000, None, planned.value))
        following[key] += 1
    ledger = OffsetLedger(database, utc_now)
    ledger.open_cluster("cluster")
    incarnation_id = ledger.lives("cluster", {"any": None})["any"].incarnation_id
    positions = dict.fromkeys(following, Position(incarnation_id, None, 0))
    arrivals = decode_all(records, time.time_ns())
    MessageStore(database, utc_now).write(make_batch(arrivals, positions, time.time_ns(), own_echo(SERVICE_USER)))
    return Published(load, places)


def kinds(database: Database, published: Published) -> Counter[str]:
    return Counter(finding.what for finding in findings(database, published))


def test_what_is_as_it_must_be_has_no_findings(database: Database, published: Published) -> None:
    assert findings(database, published) == []


COPY = (
    'INSERT INTO message (incarnation_id, topic_id, partition, "offset", time_ns, received_ns, kind, severity, '
    "session_id, application_id, name, text) SELECT incarnation_id, topic_id, partition, 1000000, time_ns, "
    "received_ns, kind, severity, session_id, application_id, name, text FROM message WHERE id = 7"
)
GAP = (
    "INSERT INTO gap (at, incarnation_id, topic_id, partition, first_offset, reason) "
    "VALUES ('2026-11-20 00:00:00+00:00', 1, 1, 0, 0, 'made up')"
)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("DELETE FROM message WHERE id = 7", "lost"),
        ("DELETE FROM quarantined WHERE id = 3", "lost"),
        (COPY, "twice"),
        ("UPDATE message SET text = 'said by nobody' WHERE id = 7", "foreign"),
        ("UPDATE message SET text = 'of no number #0099999999.' WHERE id = 7", "foreign"),
        ("UPDATE message SET partition = partition + 100 WHERE id = 7", "foreign"),
        ("UPDATE message SET severity = (severity + 1) % 6 WHERE id = 7", "foreign"),
        ("UPDATE message_rollup SET n_info = n_info + 1 WHERE session_id = 0 AND resolution_s = 60", "rollup"),
        ("UPDATE message_rollup SET max_id = max_id - 1 WHERE resolution_s = 600", "rollup"),
        ("UPDATE message_rollup SET min_id = min_id + 1 WHERE session_id = 1 AND resolution_s = 1", "rollup"),
        ("DELETE FROM message_rollup WHERE session_id = 2", "rollup"),
        ("UPDATE measurement_rollup SET total = total + 1 WHERE resolution_s = 600", "series"),
        ("UPDATE measurement_rollup SET n = n + 1 WHERE resolution_s = 1", "series"),
        ("UPDATE measurement_series SET last_text = 'old' WHERE last_text IS NOT NULL", "series"),
        ("UPDATE message_counter SET value = value + 1 WHERE name = 'echo'", "counter"),
        ("INSERT INTO message_counter (name, value) VALUES ('duplicates', 1)", "counter"),
        ("UPDATE topic_offset SET next_offset = next_offset - 1 WHERE partition = 2", "offset"),
        (GAP, "gap"),
    ],
)
def test_every_damage_is_seen(database: Database, published: Published, damage: str, kind: str) -> None:
    with database.write() as session:
        session.execute(text(damage))
    assert kinds(database, published)[kind] > 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_word_index_that_lags_behind_is_seen(database: Database, published: Published) -> None:
    with database.write() as session:
        session.execute(text("DELETE FROM message_search_docsize WHERE id = 7"))
    assert kinds(database, published) == {"search": 1}


def test_a_follower_must_see_each_once_and_in_order(database: Database, published: Published) -> None:
    with database.read() as session:
        ids = list(session.scalars(text("SELECT id FROM message ORDER BY id")))
        of_session = list(
            session.scalars(
                text(
                    "SELECT id FROM message WHERE session_id = (SELECT id FROM message_session WHERE name = :name) "
                    "ORDER BY id"
                ),
                {"name": SESSIONS[0]},
            )
        )
    assert followed(database, ids) == []
    assert followed(database, of_session, SESSIONS[0]) == []
    assert [finding.what for finding in followed(database, ids[:5] + ids[6:])] == ["missed"]
    assert [finding.what for finding in followed(database, [*ids[:6], *ids[5:]])] == ["order"]
    assert [finding.what for finding in followed(database, [ids[1], ids[0], *ids[2:]])] == ["order"]
    assert [finding.what for finding in followed(database, [*ids, ids[-1] + 1])] == ["missed"]
