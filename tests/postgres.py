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


def find_binaries() -> Path | None:
    """Return the directory of PostgreSQL's server programs, the newest version first, or None."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for directory in debian:
        if (directory / "initdb").exists():
            return directory
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class PostgresCluster:
    """A cluster in a directory of its own; ``url`` is the SQLAlchemy URL of its ``postgres`` database.

    It keeps its data while it is stopped. PostgreSQL refuses to run as root, so as root it runs as the user
    ``postgres``.
    """

    def __init__(self, binaries: Path, directory: Path) -> None:
        """Make the cluster; it is not started yet."""
        self._binaries = binaries
        self._directory = directory
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        user = "postgres" if self._as_user else getpass.getuser()
        self._is_running = False
        self._port = _free_port()
        self.url = f"postgresql+psycopg://{user}@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = f"-p {self._port} -h 127.0.0.1 -k {self._directory} -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-w", "-l", str(self._directory / "log"), "-o", options, "start")
        self._is_running = True

    def stop(self) -> None:
        """End it as a crash would; what was committed stays. Nothing happens when it does not run."""
        if self._is_running:
            self._is_running = False
            self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, f"{self._binaries}/{program}", "-D", str(self._directory / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self._directory)


@contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Run a cluster for the length of a block and give its URL; everything is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="console-pg-", ignore_cleanup_errors=True) as root:
        cluster = PostgresCluster(binaries, Path(root))
        cluster.start()
        try:
            yield cluster.url
        finally:
            cluster.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
