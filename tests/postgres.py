"""A throw-away PostgreSQL cluster on a free port of loopback, for tests and benchmarks."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from models.base import Base
from models.database import Database


def find_binaries() -> Path | None:
    """Return the directory of PostgreSQL's server programs, the newest version first, or None."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for directory in debian:
        if (directory / "initdb").exists():
            return directory
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class PostgresServer:
    """A running cluster; ``url`` is the SQLAlchemy URL of its ``postgres`` database."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        """Make and start a cluster in an empty directory.

        PostgreSQL refuses to run as root, so as root it runs as the user ``postgres``.
        """
        self._binaries = binaries
        self._directory = directory
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        user = "postgres" if self._as_user else getpass.getuser()
        port = _free_port()
        self.url = f"postgresql+psycopg://{user}@127.0.0.1:{port}/postgres"
        self._run("initdb", "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")
        self._options = f"-p {port} -h 127.0.0.1 -k {directory} -c fsync=off -c max_connections=200"
        self._is_running = False
        self.start()

    def start(self) -> None:
        """Start it again after `stop`; it keeps its address and what was committed."""
        self._control("start", "-o", self._options)
        self._is_running = True

    def restart(self) -> None:
        """Let it crash, whatever it is at, and start it again; it keeps its address and what was committed."""
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        """Stop it without ceremony; nothing happens when it does not run."""
        if self._is_running:
            self._is_running = False
            self._control("stop", "-m", "immediate")

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", "-w", "-l", str(self._directory / "log"), *options, action)

    def _run(self, program: str, *options: str) -> None:
        command = [*self._as_user, str(self._binaries / program), "-D", str(self._directory / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=self._directory)


@contextmanager
def running_postgres(binaries: Path) -> Iterator[PostgresServer]:
    """Run a cluster for the length of a block; everything is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="console-pg-", ignore_cleanup_errors=True) as root:
        server = PostgresServer(binaries, Path(root))
        try:
            yield server
        finally:
            server.stop()


def empty(database: Database) -> None:
    """Remove all rows; TRUNCATE fires no row triggers, so the append-only audit can be emptied too."""
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with database.write() as session:
        session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
