"""The least that Flask and gunicorn can do for a tick, to be measured beside the console: all is 304, for anybody."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from flask import Flask, Response

from tests.console import ROOT, free_port
from tests.waiting import wait_until

_PATIENCE_S = 30.0


def create_app() -> Flask:
    """Return an app with the one route ``/live``."""
    app = Flask("plain")

    @app.get("/live")
    def live() -> Response:
        return Response(status=304, headers={"ETag": '"1"'})

    return app


@contextmanager
def running_plain_web(workers: int, threads: int) -> Iterator[tuple[str, int]]:
    """Serve it as the console is served; give its URL and the process id of gunicorn's master."""
    port = free_port()
    program = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--no-control-socket"]
    sizes = ["--workers", str(workers), "--threads", str(threads), "--keep-alive", "15", "--bind", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(  # noqa: S603 - our own program only
        [*program, *sizes, "benchmarks.plain_web:create_app()"], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: _answers(url), _PATIENCE_S, "the plain web server")
            yield url, process.pid
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return bool(requests.get(f"{url}/live", timeout=1).status_code == requests.codes.not_modified)
    except requests.RequestException:
        return False
