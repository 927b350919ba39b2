"""Empty databases at head, of both engines, that are gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from collector import set_aside_what_stays
from models.database import Database
from models.search import TRIGRAM_INDEXES
from services.checkpoints import Checkpoints
from services.clock import utc_now
from tests.postgres import PostgresServer, find_binaries, running_postgres

# PostgreSQL without the index that a search needs.
NO_TRIGRAMS = "postgresql-no-trigrams"
STOP_S = 10.0
ENGINES = ("sqlite", "postgresql", NO_TRIGRAMS)


def chosen(engine: str) -> tuple[str, ...]:
    """Return the engines that ``sqlite``, ``postgresql`` or ``both`` means."""
    return tuple(name for name in ENGINES if engine == "both" or name.startswith(engine))


@contextmanager
def fresh_url(engine: str) -> Iterator[str]:
    """Give the URL of an empty database, on PostgreSQL in a cluster of its own."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="console-bench-") as directory:
            yield f"sqlite:///{Path(directory) / 'console.db'}"
        return
    with fresh_server() as (_, url):
        yield url


@contextmanager
def fresh_server() -> Iterator[tuple[PostgresServer, str]]:
    """Give a PostgreSQL server of its own, and the URL of an empty database in it."""
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL's server programs are not installed")
    with running_postgres(binaries) as server:
        engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE console"))
        engine.dispose()
        yield server, server.url.removesuffix("postgres") + "console"


@contextmanager
def fresh_database(engine: str) -> Iterator[Database]:
    """Give a database at head to a process prepared as a collector is; SQLite's write-ahead log is carried over too."""
    with fresh_url(engine) as url:
        set_aside_what_stays()
        database = prepared(url, engine)
        checkpoints = Checkpoints(database, utc_now) if database.is_sqlite else None
        if checkpoints is not None:
            checkpoints.start()
        try:
            yield database
        finally:
            if checkpoints is not None:
                checkpoints.stop(STOP_S)
            database.close()


def prepared(url: str, engine: str) -> Database:
    """Return the database of a URL, brought to head; that of the third engine loses its indexes."""
    database = Database(url)
    database.migrate()
    if engine == NO_TRIGRAMS:
        with database.write() as session:
            session.execute(text(f"DROP INDEX {', '.join(TRIGRAM_INDEXES)}"))
    return database
