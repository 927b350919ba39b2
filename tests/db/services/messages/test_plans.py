"""How the engines go about queries: none may read or sort the whole table."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.database import Database
from models.search import TRIGRAM_INDEXES
from services.messages import finding as finding_module
from services.messages.queries import MessageQueries
from services.messages.search import Search, Within, candidates
from services.messages.types import (
    MessageFilter,
    Severity,
    Words,
)
from tests.db.services.messages.builders import NOW, mixed_messages, store_all
from tests.db.services.messages.statements import noted


@pytest.fixture
def many(database: Database) -> Database:
    """So many rows that planners have a choice, and statistics to choose by."""
    store_all(database, mixed_messages(20_000))
    with database.write() as session:
        session.execute(text("ANALYZE"))
    return database


def plans(database: Database, statements: list[tuple[str, Any]], *, as_of_many_more: bool = False) -> str:
    """Return the plans of all statements that read messages or roll-ups.

    ``as_of_many_more``: of so many that PostgreSQL would not think of reading them all.
    """
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    lines: list[str] = []
    with database.read() as session:
        if not database.is_sqlite:
            session.execute(text(f"SET enable_seqscan = {'off' if as_of_many_more else 'on'}"))
        for statement, parameters in statements:
            if "FROM message " in statement or "message_rollup" in statement:
                rows = session.connection().exec_driver_sql(explain + statement, parameters)
                lines += [str(row[-1]) for row in rows]
    return "\n".join(lines)


SEVERE = frozenset({Severity.ERROR, Severity.FATAL})
INDEXED = (
    (MessageFilter(severities=SEVERE), "ix_message_kind_severity_id"),
    (MessageFilter(sessions=frozenset({"s0", "s1"})), "ix_message_session_id_kind_severity_id"),
    (MessageFilter(sessions=frozenset({"s0"}), severities=SEVERE), "ix_message_session_id_kind_severity_id"),
    (MessageFilter(applications=frozenset({"app-1"})), "ix_message_application_id_severity_id"),
    (MessageFilter(), "pk_message"),
    (MessageFilter(text="nowhere"), "pk_message"),
)
CURSORS: tuple[dict[str, Any], ...] = ({}, {"before": 15_000}, {"after": 5_000})


def test_pages_go_by_index(queries: MessageQueries, many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_module, "CHUNK_IDS", 1_000)
    for wanted, index in INDEXED:
        for cursor in CURSORS:
            with noted(many) as statements:
                queries.page(wanted, **cursor)
            plan = plans(many, statements)
            assert "Seq Scan on message " not in plan
            if many.is_sqlite and index == "pk_message":
                # Rows by id are SQLite's table itself; the statement that reads whole rows sorts one page at most.
                assert "SCAN message" not in plan or (wanted == MessageFilter() and cursor == {})
            else:
                assert index in plan


@pytest.mark.parametrize(
    ("wanted", "bound"),
    [
        (MessageFilter(severities=SEVERE), "kind="),
        (MessageFilter(sessions=frozenset({"s0"}), severities=SEVERE), "kind="),
        (MessageFilter(applications=frozenset({"app-1"}), severities=SEVERE), "application_id="),
    ],
)
def test_a_walk_along_an_index_knows_its_end(
    queries: MessageQueries, many: Database, wanted: MessageFilter, bound: str
) -> None:
    """Bounded by rows of columns alone PostgreSQL would walk on through all lower severities."""
    for cursor in CURSORS:
        with noted(many) as statements:
            queries.page(wanted, **cursor)
        conditions = re.findall(r"(?:Index Cond:|USING (?:COVERING )?INDEX) .*", plans(many, statements))
        walks = [line.replace(" ", "") for line in conditions if "severity" in line]
        assert walks
        assert not [line for line in walks if bound not in line]


@pytest.mark.parametrize("word", ["nowhere", "now"])
def test_rare_words_go_by_the_full_text_index(queries: MessageQueries, many: Database, word: str) -> None:
    """PostgreSQL takes the index only where a statement names its very expressions: collation, and blocks."""
    with noted(many) as statements:
        assert queries.page(MessageFilter(where=Words(word))).items == ()
    plan = plans(many, statements, as_of_many_more=True)
    if many.is_sqlite:
        assert "message_search VIRTUAL TABLE INDEX" in plan
        return
    assert f"Bitmap Index Scan on {TRIGRAM_INDEXES[0]}" in plan
    conditions = [line for line in plan.splitlines() if "Index Cond" in line and word in line]
    assert conditions
    assert all("&& '{0}'::integer[]" in line for line in conditions)


@pytest.mark.parametrize(("numbers", "blocks"), [(range(8), []), ([3], []), ([3], [48]), ([7, 0, 1], [])])
def test_postgresql_asks_no_index_of_other_sections(
    migrated_postgres: Database, numbers: Sequence[int], blocks: Sequence[int]
) -> None:
    within = Within(len(numbers), in_blocks=bool(blocks))
    statement = candidates(
        Search(("quenched",)), "postgresql", has_after=False, has_before=False, ascending=False, within=within
    )
    with noted(migrated_postgres) as statements, migrated_postgres.read() as session:
        session.execute(statement, {"rows": 200, **within.parameters(numbers, blocks)})
    plan = plans(migrated_postgres, statements, as_of_many_more=True)
    assert set(re.findall(r"\w+trigrams\w*", plan)) == {TRIGRAM_INDEXES[number] for number in numbers}


def test_rates_and_newest_go_by_index(queries: MessageQueries, many: Database) -> None:
    with noted(many) as statements:
        queries.rates(NOW - timedelta(minutes=15), NOW)
        queries.newest_id()
    plan = plans(many, statements)
    assert "Seq Scan on message " not in plan
    if many.is_sqlite:
        assert "resolution_s=? AND session_id=? AND bucket_s>? AND bucket_s<?" in plan
