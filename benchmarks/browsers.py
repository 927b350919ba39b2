"""Browsers that tick: ``python -m benchmarks.browsers URL NUMBER SECONDS``, a process of its own beside the server.

Each has a connection that it keeps, and asks for ``/live`` once a second, as `assets/heartbeat.js` does; the headers of
a logged-in page come as JSON on standard input. They share a log-in, yet each has a cookie of its own besides: the
server may not take them for one. Prints JSON: seconds each answer took, answers by status, and failures.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Mapping
from time import perf_counter
from urllib.parse import urlsplit

BEAT_S = 1.0
WARM_UP_BEATS = 3
PATIENCE_S = 30.0


class Herd:
    """So many browsers, and what they have seen."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Prepare."""
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._cookie = headers["Cookie"]
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name != "Cookie")
        self.taken_s: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.failures = 0

    async def browse(self, number: int, seconds: float) -> None:
        """Let them all tick for so long, after a few beats that do not count."""
        await asyncio.gather(*(self._one(place, round(seconds / BEAT_S)) for place in range(number)))

    async def _one(self, place: int, beats: int) -> None:
        # Browsers do not tick at the same moment.
        due = perf_counter() + random.random() * BEAT_S  # noqa: S311 - no secret
        tag = ""
        cookie = f"Cookie: {self._cookie}; browser={place}\r\n"
        await asyncio.sleep(max(0.0, due - perf_counter()))
        reader, writer = await asyncio.open_connection(self._host, self._port)
        for beat in range(-WARM_UP_BEATS, beats):
            await asyncio.sleep(max(0.0, due - perf_counter()))
            due += BEAT_S
            started = perf_counter()
            try:
                status, tag = await asyncio.wait_for(
                    self._tick(reader, writer, f"{cookie}If-None-Match: {tag}"), PATIENCE_S
                )
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                self.failures += 1
                writer.close()
                reader, writer = await asyncio.open_connection(self._host, self._port)
                continue
            if beat >= 0:
                self.taken_s.append(perf_counter() - started)
                self.statuses[status] += 1
        writer.close()

    async def _tick(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, own: str) -> tuple[str, str]:
        """Ask once, with ``own`` headers; return the status and the tag."""
        asked = f"GET /live HTTP/1.1\r\nHost: {self._host}\r\n{self._head}{own}\r\n\r\n"
        writer.write(asked.encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        await reader.readexactly(int(fields.get("content-length", "0")))
        return lines[0].split()[1], fields["etag"]


def main() -> None:
    """Read the command line and the headers, browse, print what was seen."""
    url, number, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    herd = Herd(url, json.load(sys.stdin))
    asyncio.run(herd.browse(number, seconds))
    print(json.dumps({"taken_s": herd.taken_s, "statuses": herd.statuses, "failures": herd.failures}))


if __name__ == "__main__":
    main()
