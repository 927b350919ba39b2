"""The main job for a first look, ``make run``: simulator, broker, web and collector on one machine, one command.

Process runners have no readiness gating, hence this small one: each child is waited for before the next starts, all
of them end when this process is told to end, and if one dies the others are stopped and it is said which.
"""

import ctypes
import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from models.database import Database, SchemaError
from services.accounts.service import AccountService
from services.accounts.types import Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from settings import DemoSettings, child_environment

HOST = "127.0.0.1"
DEMO_USER = "operator"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 8.0
_PR_SET_PDEATHSIG = 1


class LaunchError(Exception):
    """The demo could not be started, or a part of it died; ``str()`` is one line for people."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was made up for one data directory: the cookie key and the demo user's password."""

    secret_key: str
    demo_password: str


def load_secrets(data_dir: Path, password: str | None) -> Secrets:
    """Return the secrets of a data directory, made up at the first start; ``password`` replaces the made-up one."""
    file = data_dir / "demo.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    found = Secrets(
        secret_key=kept.get("secret_key") or secrets.token_urlsafe(32),
        demo_password=password or kept.get("demo_password") or secrets.token_urlsafe(9),
    )
    file.touch(mode=0o600)
    file.write_text(json.dumps({"secret_key": found.secret_key, "demo_password": found.demo_password}))
    return found


def require_free_port(port: int) -> None:
    """Check that the port can be listened on.

    Raises:
        LaunchError: Something else listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LaunchError(f"Port {port} is in use. Choose another one: CONSOLE_PORT=8051 make run") from error


class Launcher:
    """Starts the children in order, watches them, ends them in reverse order."""

    def __init__(self, settings: DemoSettings) -> None:
        """Keep the settings; nothing is started yet."""
        self._data_dir = settings.data_dir.absolute()
        self._port = settings.port
        self._password = settings.demo_password.get_secret_value() if settings.demo_password else None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_stop = threading.Event()

    def run(self) -> None:
        """Start everything, print where to go, and return when told to stop.

        Raises:
            LaunchError: A part did not start or died.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._told_to_stop.set())
        require_free_port(self._port)
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._start()
            self._watch()
        finally:
            self._stop()

    def _start(self) -> None:
        made_up = load_secrets(self._data_dir, self._password)
        (self._data_dir / "simulator").mkdir(mode=0o700, exist_ok=True)
        self._prepare_database(made_up)
        kafka = self._start_and_read("broker", ["-m", "simulator.broker"])["kafka"]
        drunc = self._start_and_read("simulator", ["-m", "simulator", "serve", "--kafka", kafka])
        if self._told_to_stop.is_set():
            return
        self._start_web(made_up, kafka, drunc)
        say(f"\n  drunc-console is at   http://{HOST}:{self._port}/")
        say(f"  log in as             {DEMO_USER}   password  {made_up.demo_password}")
        page = f"manage.py simulator page --directory {self._data_dir / 'simulator'}"
        say(f"  make things happen    .venv/bin/python {page}")
        say(f"  logs and data         {self._data_dir}\n  stop                  Ctrl-C\n")

    def _prepare_database(self, made_up: Secrets) -> None:
        database = Database(f"sqlite:///{self._data_dir / 'console.db'}")
        try:
            database.migrate()
        except SchemaError as error:
            raise LaunchError(str(error)) from error
        accounts = AccountService(database, AuditTrail(database, utc_now), utc_now)
        accounts.ensure(DEMO_USER, made_up.demo_password, Role.OPERATOR)
        database.close()

    def _start_and_read(self, name: str, arguments: list[str]) -> Mapping[str, str]:
        """Start a child that writes ``<name>.json`` when it is ready; return what it wrote."""
        directory = self._data_dir / "simulator"
        state = directory / f"{name}.json"
        state.unlink(missing_ok=True)
        self._spawn(name, [sys.executable, *arguments, "--directory", str(directory)], {})
        self._wait_for(name, state.exists)
        written: Mapping[str, str] = json.loads(state.read_text())
        return written

    def _start_web(self, made_up: Secrets, kafka: str, drunc: Mapping[str, str]) -> None:
        environment = {
            "CONSOLE_SECRET_KEY": made_up.secret_key,
            "CONSOLE_DATA_DIR": str(self._data_dir),
            "CONSOLE_HOST": HOST,
            "CONSOLE_PORT": str(self._port),
            "CONSOLE_COOKIE_SECURE": "false",
            "CONSOLE_PROCESS_MANAGER_URL": drunc["process_manager"],
            "CONSOLE_CONNECTIVITY_URL": drunc["connectivity"],
            "CONSOLE_KAFKA_ADDRESS": kafka,
        }
        # Which of them there are depends on the generation.
        if drunc["session_manager"]:
            environment["CONSOLE_SESSION_MANAGER_URL"] = drunc["session_manager"]
        if drunc["run_control"]:
            environment["CONSOLE_RUN_CONTROL_URL"] = drunc["run_control"]
        self._spawn("web", [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_conf.py"], environment)
        self._wait_for("web", self._web_answers)

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"http://{HOST}:{self._port}/health/live", timeout=1).ok
        except requests.RequestException:
            return False

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        log = (self._data_dir / f"{name}.log").open("ab")
        # A session of its own: Ctrl-C reaches this process only, which ends the children in order.
        with log:
            self._children[name] = subprocess.Popen(  # noqa: S603 - our own programs only
                command,
                cwd=Path(__file__).parent,
                env=child_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no threads run yet
            )

    def _wait_for(self, name: str, ready: Callable[[], bool]) -> None:
        waited_s = 0.0
        while not ready() and not self._told_to_stop.wait(0.1):
            self._require_alive()
            waited_s += 0.1
            if waited_s > START_TIMEOUT_S:
                raise LaunchError(f"The {name} was not ready within {START_TIMEOUT_S:.0f} s; see {self._log(name)}")

    def _watch(self) -> None:
        while not self._told_to_stop.wait(0.5):
            self._require_alive()

    def _require_alive(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise LaunchError(f"The {name} ended with code {child.returncode}; see {self._log(name)}")

    def _stop(self) -> None:
        for child in reversed(self._children.values()):
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _log(self, name: str) -> Path:
        return self._data_dir / f"{name}.log"


def _end_with_parent() -> None:
    """Ask the kernel to end this child when the launcher is killed; without it the child lives on until stopped."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        return


def say(text: str) -> None:
    """Print to the person at the terminal, at once."""
    print(text, flush=True)  # noqa: T201 - the launcher's output is its user interface
