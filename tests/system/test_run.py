"""``make run`` as a person meets it: one command, an address, a log-in, messages, Ctrl-C, and again."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from settings import child_environment
from tests.console import ROOT, csrf_token, free_port
from tests.waiting import wait_until

PASSWORD = "a demo password"


@contextmanager
def running_demo(data_dir: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    environment = child_environment(
        CONSOLE_DATA_DIR=str(data_dir), CONSOLE_PORT=str(port), CONSOLE_DEMO_PASSWORD=PASSWORD
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def read_until_ready(process: "subprocess.Popen[str]") -> str:
    """Return what was printed up to the last line of the greeting."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            return printed
    raise AssertionError(f"the demo ended before it was ready:\n{printed}")


def log_in(url: str) -> requests.Session:
    http = requests.Session()
    http.trust_env = False
    token = csrf_token(http.get(f"{url}/login", timeout=10).text)
    form = {"username": "operator", "password": PASSWORD, "csrf_token": token}
    answer = http.post(f"{url}/login", data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return http


def newest_id(http: requests.Session, url: str) -> int:
    items = http.get(f"{url}/api/v1/messages?limit=1", timeout=10).json()["items"]
    return int(items[0]["id"]) if items else 0


def test_a_second_start_goes_on_with_the_data_and_new_messages_arrive(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_demo(tmp_path, port) as process:
        printed = read_until_ready(process)
        assert url in printed
        assert re.search(rf"operator\s+password\s+{PASSWORD}", printed)
        http = log_in(url)
        first = wait_until(lambda: newest_id(http, url), 15, "messages of the first start")
    assert process.returncode == 0

    with running_demo(tmp_path, port) as process:
        read_until_ready(process)
        http = log_in(url)
        kept = newest_id(http, url)
        assert kept >= first
        wait_until(lambda: newest_id(http, url) > kept, 15, "messages of the second start")
    assert process.returncode == 0


def test_a_port_in_use_gives_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running_demo(tmp_path, port) as process:
            assert process.wait(20) == 1
            assert process.stdout is not None
            assert process.stdout.read() == (f"Port {port} is in use. Choose another one: CONSOLE_PORT=8051 make run\n")


@pytest.mark.parametrize("command", ["serve", "collector", "migrate", "check-settings"])
def test_wrong_settings_end_every_program_before_it_starts(tmp_path: Path, command: str) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command],
        cwd=tmp_path,
        env=child_environment(CONSOLE_PORT="none", PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("settings: CONSOLE_") for line in lines)


def test_serve_ends_when_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    environment = child_environment(
        CONSOLE_SECRET_KEY="a secret for tests only",
        CONSOLE_DATA_DIR=str(tmp_path),
        CONSOLE_PORT=str(port),
        CONSOLE_PROCESS_MANAGER_URL=f"127.0.0.1:{free_port()}",
        CONSOLE_CONNECTIVITY_URL=f"127.0.0.1:{free_port()}",
        CONSOLE_KAFKA_ADDRESS=f"127.0.0.1:{free_port()}",
    )
    process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
    try:
        wait_until(lambda: _answers(port), 30, "the console to answer although nothing outside does")
    finally:
        process.terminate()
    assert process.wait(20) == 0
    assert not _answers(port)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=1).ok
    except requests.RequestException:
        return False
