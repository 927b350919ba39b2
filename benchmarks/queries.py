"""How long queries take when many messages are stored: medians, warm. Pages are asked for as the feed does.

Beside them what they use of our own processor, which other work on the machine hardly changes (what PostgreSQL's server
uses is not in it), and two of them as the engine alone answers them.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from statistics import median

from sqlalchemy import create_engine

from benchmarks.databases import NO_TRIGRAMS, chosen, fresh_database
from benchmarks.figures import Figures
from benchmarks.pipeline import Pipeline
from benchmarks.records import COMMON_WORD, RARE_WORD, SESSIONS, ordinary_word, records
from models.database import Database
from services.clock import utc_now
from services.messages.queries import MessageQueries
from services.messages.types import MessageFilter, Severity, Words

TARGET_MS = 10.0
DAYS = 14
REPEATS = 15
LIMIT = 200
DEEP_ROWS = 10_000 * LIMIT
# To compare with: what a page costs the engine itself.
_BRANCHES = " UNION ALL ".join(
    "SELECT id FROM (SELECT id FROM message "  # noqa: S608 - own numbers
    f"WHERE kind = {kind} AND severity = {severity} ORDER BY id DESC LIMIT {LIMIT}) AS branch_{kind}_{severity}"
    for kind in range(3)
    for severity in (3, 4, 5)
)
BARE = {
    "newest": f"SELECT * FROM message ORDER BY id DESC LIMIT {LIMIT}",  # noqa: S608 - own numbers
    "newest_warning_and_worse": "SELECT * FROM message WHERE id IN "  # noqa: S608 - own numbers
    f"(SELECT id FROM ({_BRANCHES}) AS found ORDER BY id DESC LIMIT {LIMIT}) ORDER BY id DESC",
}
SEVERE = frozenset({Severity.WARNING, Severity.ERROR, Severity.FATAL})


def main() -> int:
    """Run the benchmark; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="messages that are stored")
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    figures = Figures()
    for engine in chosen(given.engine):
        if engine == NO_TRIGRAMS:
            continue
        with fresh_database(engine) as database:
            end_ms = time.time_ns() // 1_000_000
            pipeline = Pipeline(database)
            for fetched in records(given.size, end_ms, days=DAYS, batch=1_000):
                pipeline.drain(fetched)
            _settle(database)
            for name, query in _queries(database).items():
                figures.at_most(f"{engine}_{name}", _median_ms(query, time.perf_counter), "ms", TARGET_MS)
                figures.note(f"{engine}_{name}_own_processor", _median_ms(query, time.process_time), "ms")
            for name, statement in BARE.items():
                figures.note(f"{engine}_bare_{name}", _median_ms(_bare(database, statement), time.perf_counter), "ms")
    return figures.exit_code()


def _settle(database: Database) -> None:
    """Do for PostgreSQL what autovacuum does within a minute of so many new rows."""
    if not database.is_sqlite:
        engine = create_engine(database.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        engine.dispose()


def _queries(database: Database) -> dict[str, Callable[[], object]]:
    queries = MessageQueries(database, utc_now)
    page = partial(queries.page, limit=LIMIT, details=False)
    now = utc_now()
    newest = queries.newest_id()
    deep = max(newest - DEEP_ROWS, newest // 2)
    one_session = frozenset({SESSIONS[0]})
    ordinary = ordinary_word()
    return {
        "newest": lambda: page(MessageFilter()),
        "newest_warning_and_worse": lambda: page(MessageFilter(severities=SEVERE)),
        "one_session_fatal": lambda: page(MessageFilter(frozenset({Severity.FATAL}), one_session)),
        "page_deep_down": lambda: page(MessageFilter(severities=SEVERE), before=deep),
        "follow_after": lambda: page(MessageFilter(severities=SEVERE), after=newest - 50),
        "word_rare": lambda: page(MessageFilter(where=Words(RARE_WORD))),
        "word_ordinary": lambda: page(MessageFilter(where=Words(ordinary))),
        "word_common": lambda: page(MessageFilter(where=Words(COMMON_WORD))),
        "words_two": lambda: page(MessageFilter(where=Words(f"{COMMON_WORD} {RARE_WORD}"))),
        "word_rare_and_filter": lambda: page(MessageFilter(SEVERE, one_session, where=Words(RARE_WORD))),
        "word_common_and_filter": lambda: page(MessageFilter(SEVERE, one_session, where=Words(COMMON_WORD))),
        "counts_per_second_15_min": lambda: queries.rates(now - timedelta(minutes=15), now),
        "counts_14_days": lambda: queries.rates(now - timedelta(days=DAYS), now, max_points=DAYS * 144 + 1),
        "counts_14_days_one_session": lambda: queries.rates(
            now - timedelta(days=DAYS), now, session=SESSIONS[0], max_points=DAYS * 144 + 1
        ),
    }


def _bare(database: Database, statement: str) -> Callable[[], object]:
    """Return a query as the driver runs it, without names of sessions, details and Python objects."""

    def run() -> object:
        with database.read() as session:
            return session.connection().exec_driver_sql(statement).all()

    return run


def _median_ms(query: Callable[[], object], clock: Callable[[], float]) -> float:
    query()
    taken_ms: list[float] = []
    for _ in range(REPEATS):
        started = clock()
        query()
        taken_ms.append((clock() - started) * 1_000)
    return median(taken_ms)


if __name__ == "__main__":
    sys.exit(main())
