"""The whole console as people run it: gunicorn with the embedded collector, in a process of its own."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from models.database import Database
from services.accounts.service import AccountService
from services.accounts.types import Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from settings import child_environment
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
PASSWORD = "a password for tests"
USERS = {
    "alice": Role.OPERATOR,
    "bob": Role.OPERATOR,
    "victor": Role.VIEWER,
    "wall": Role.WALL,
    "root": Role.ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True)
class Console:
    """A running console: where it is, its database, and the group of its processes."""

    url: str
    database_url: str
    log: Path
    pid: int = 0

    def log_in(self, name: str, user_agent: str = "drunc-console tests") -> requests.Session:
        """Return an HTTP session in which ``name`` is logged in; the log-in is good for this user agent only."""
        http = requests.Session()
        http.trust_env = False
        http.headers["User-Agent"] = user_agent
        page = http.get(f"{self.url}/login", timeout=10)
        page.raise_for_status()
        form = {"username": name, "password": PASSWORD, "csrf_token": csrf_token(page.text)}
        answer = http.post(f"{self.url}/login", data=form, timeout=10, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return http


def csrf_token(page: str) -> str:
    """Return the token of the log-in form."""
    before, after = 'name="csrf_token"', 'value="'
    return page.split(before, 1)[1].split(after, 1)[1].split('"', 1)[0]


@contextmanager
def running_console(
    directory: Path, *, process_manager: str, connectivity: str, kafka: str, root: Path = ROOT, **settings: str
) -> Iterator[Console]:
    """Migrate, create the users of `USERS`, serve from the sources in ``root``; the process is ended at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    environment = _environment(directory, process_manager, connectivity, kafka) | settings
    _create_users(environment["CONSOLE_DATABASE_URL"])
    url = f"http://127.0.0.1:{environment['CONSOLE_PORT']}"
    log = directory / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_conf.py"],
            cwd=root,
            env=child_environment(**environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _answers(url, process, log), 30, "the console to answer")
            yield Console(url=url, database_url=environment["CONSOLE_DATABASE_URL"], log=log, pid=process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(directory: Path, process_manager: str, connectivity: str, kafka: str) -> dict[str, str]:
    return {
        "CONSOLE_SECRET_KEY": "a secret for tests only",
        "CONSOLE_DATA_DIR": str(directory),
        "CONSOLE_DATABASE_URL": f"sqlite:///{directory / 'console.db'}",
        "CONSOLE_PORT": str(free_port()),
        "CONSOLE_COOKIE_SECURE": "false",
        "CONSOLE_PROCESS_MANAGER_URL": process_manager,
        "CONSOLE_CONNECTIVITY_URL": connectivity,
        "CONSOLE_KAFKA_ADDRESS": kafka,
        "CONSOLE_POLL_INTERVAL_S": "0.5",
        "CONSOLE_BOOT_GRACE_S": "0.5",
    }


def _create_users(database_url: str) -> None:
    database = Database(database_url)
    database.migrate()
    accounts = AccountService(database, AuditTrail(database, utc_now), utc_now)
    for name, role in USERS.items():
        accounts.ensure(name, PASSWORD, role)
    database.close()


def _answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, f"the console ended with code {process.returncode}:\n{log.read_text()}"
    try:
        return requests.get(f"{url}/health/live", timeout=1).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_json(path: Path) -> Mapping[str, str]:
    """Read a state file that a program wrote when it was ready."""
    content: Mapping[str, str] = json.loads(path.read_text())
    return content
