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


@contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Start a cluster and give the SQLAlchemy URL of its ``postgres`` database; everything is removed at the end.

    PostgreSQL refuses to run as root, so as root it runs as the user ``postgres``.
    """
    with tempfile.TemporaryDirectory(prefix="console-pg-", ignore_cleanup_errors=True) as root:
        directory = Path(root)
        as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        user = "postgres" if as_user else getpass.getuser()
        data = directory / "data"
        port = _free_port()

        def run(*command: str) -> None:
            subprocess.run([*as_user, *command], check=True, capture_output=True, cwd=directory)

        run(f"{binaries}/initdb", "-D", str(data), "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k {directory} -c fsync=off -c max_connections=200"
        run(f"{binaries}/pg_ctl", "-D", str(data), "-w", "-l", str(directory / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{user}@127.0.0.1:{port}/postgres"
        finally:
            run(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
