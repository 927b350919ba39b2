"""A simulated drunc in a process of its own, for benchmarks: its addresses, orders for it, and its counts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.waiting import wait_until

_ROOT = Path(__file__).parents[1]
_START_TIMEOUT_S = 120.0
# Nothing comes of itself, and what is ordered is done at once.
QUIET = ("--speed", "inf", "--chatter", "0", "--opmon", "0")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A running simulator.

    Attributes:
        addresses: What it wrote into ``simulator.json``.
    """

    addresses: Mapping[str, Any]
    _http: requests.Session

    @property
    def sessions(self) -> Sequence[str]:
        """Names of its sessions."""
        return list(self.addresses["sessions"])

    def order(self, name: str, /, **body: object) -> None:
        """Give an order (``simulator.orders``)."""
        answer = self._http.post(self._url(name), json=body, timeout=30)
        answer.raise_for_status()

    def traffic(self) -> Mapping[str, Mapping[str, float]]:
        """Return count and last arrival of every RPC, by ``<server>/<rpc>``."""
        answer = self._http.get(self._url("traffic"), timeout=30)
        answer.raise_for_status()
        found: Mapping[str, Mapping[str, float]] = answer.json()
        return found

    def arrivals(self, rpc: str) -> tuple[int, float]:
        """Return how often ``<server>/<rpc>`` came so far, and when last, seconds since 1970."""
        known = self.traffic().get(rpc, {"count": 0, "last_at": 0.0})
        return int(known["count"]), known["last_at"]

    def requests(self) -> tuple[int, int]:
        """Return how many RPCs came so far, those that controllers send each other included, and how many ``ps``."""
        traffic = self.traffic()
        return int(sum(known["count"] for known in traffic.values())), int(traffic["process_manager/ps"]["count"])

    def _url(self, path: str) -> str:
        return f"http://{self.addresses['control']}/{path}"


@contextmanager
def running_simulator(
    sessions: Sequence[str], generation: str, applications: int | None = None, options: Sequence[str] = QUIET
) -> Iterator[Simulated]:
    """Run a simulator: ``sessions``, and a further one of so many applications; else quiet, without Kafka."""
    with tempfile.TemporaryDirectory(prefix="console-bench-") as directory:
        command = [sys.executable, "-m", "simulator", "serve", "--directory", directory, "--with-parent"]
        command += ["--sessions", ",".join(sessions), "--generation", generation, *options]
        command += [] if applications is None else ["--applications", str(applications)]
        process = subprocess.Popen(command, cwd=_ROOT)  # noqa: S603 - our own program only
        try:
            addresses = _addresses(process, Path(directory) / "simulator.json")
            with requests.Session() as http:
                http.trust_env = False
                http.headers["Authorization"] = f"Bearer {addresses['token']}"
                yield Simulated(addresses, http)
        finally:
            process.terminate()
            process.wait(20)


def _addresses(process: "subprocess.Popen[bytes]", file: Path) -> Mapping[str, Any]:
    wait_until(lambda: file.exists() or process.poll() is not None, _START_TIMEOUT_S, "the simulator")
    if not file.exists():
        raise SystemExit("The simulator did not start")
    found: Mapping[str, Any] = json.loads(file.read_text())
    return found
