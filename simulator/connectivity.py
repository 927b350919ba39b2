"""The connectivity service: what it knows, and who keeps it fresh (contract 14)."""

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

RUN_CONTROL = "RunControlMessage"
ENTRY_TTL_S = 10.0
PUBLISH_PERIOD_S = 2.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One published address."""

    uid: str
    uri: str
    data_type: str = RUN_CONTROL
    connection_type: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A connection and the time (seconds of the registry's clock) of its last publication."""

    connection: Connection
    published_at: float


class Registry:
    """Name to address, per session; entries expire unless they are published again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, ttl_s: float = ENTRY_TTL_S) -> None:
        """Start empty; ``clock`` gives seconds that only grow."""
        self._clock = clock
        self._ttl_s = ttl_s
        self._sessions: dict[str, dict[str, Entry]] = {}
        self._lock = threading.Lock()

    def publish(self, session: str, connections: Iterable[Connection]) -> None:
        """Store connections; replaces entries of the same uid and refreshes their time."""
        now = self._clock()
        with self._lock:
            entries = self._sessions.setdefault(session, {})
            entries.update((connection.uid, Entry(connection, now)) for connection in connections)

    def lookup(self, session: str, uid_regex: str, data_type: str) -> list[Connection] | None:
        """Return the fresh connections whose whole uid matches; None when the session is unknown.

        Raises:
            re.error: ``uid_regex`` is no regular expression.
        """
        with self._lock:
            entries = self._sessions.get(session)
            if entries is None:
                return None
            wanted = re.compile(uid_regex)
            return [
                entry.connection
                for uid, entry in entries.items()
                if entry.connection.data_type == data_type and self._fresh(entry) and wanted.fullmatch(uid)
            ]

    def retract(self, session: str, uids: Iterable[str]) -> bool:
        """Remove entries, whatever their data type; False when the session or one of them is unknown."""
        with self._lock:
            entries = self._sessions.get(session)
            if entries is None:
                return False
            found = [entries.pop(uid, None) is not None for uid in uids]
            if not entries:
                del self._sessions[session]
            return all(found)

    def retract_session(self, session: str) -> bool:
        """Forget a session; False when it is unknown."""
        with self._lock:
            return self._sessions.pop(session, None) is not None

    def forget_everything(self) -> None:
        """Forget all sessions."""
        with self._lock:
            self._sessions.clear()

    def dump(self) -> dict[str, list[tuple[Connection, bool]]]:
        """Return all sessions with their connections, expired ones included, and whether each is fresh."""
        with self._lock:
            return {
                session: [(entry.connection, self._fresh(entry)) for entry in entries.values()]
                for session, entries in self._sessions.items()
            }

    def _fresh(self, entry: Entry) -> bool:
        return self._clock() - entry.published_at < self._ttl_s


class Announcer:
    """Publishes the addresses of living nodes every 2 s; who stops being announced expires.

    A session whose own connection server is down is not published at all.
    """

    def __init__(self, registry: Registry, period_s: float = PUBLISH_PERIOD_S) -> None:
        """Publish to ``registry``."""
        self._registry = registry
        self._period_s = period_s
        self._announced: dict[tuple[str, str], Connection] = {}
        self._closed: set[str] = set()
        self._muted = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator-announcer", daemon=True)

    def start(self) -> None:
        """Start publishing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop publishing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def announce(self, session: str, node: str, uri: str) -> None:
        """Publish the control address of a node now and from now on."""
        connection = Connection(f"{node}_control", uri)
        with self._lock:
            self._announced[session, node] = connection
            if session not in self._closed and not self._muted:
                self._registry.publish(session, [connection])

    def withdraw(self, session: str, node: str, uri: str) -> None:
        """Stop publishing a node unless it has another address by now; its entry expires."""
        with self._lock:
            connection = self._announced.get((session, node))
            if connection is not None and connection.uri == uri:
                del self._announced[session, node]

    def open(self, session: str) -> None:
        """The session's connection server is up."""
        with self._lock:
            self._closed.discard(session)

    def close(self, session: str) -> None:
        """The session's connection server is gone, and what it knew with it."""
        with self._lock:
            self._closed.add(session)
            self._registry.retract_session(session)

    def mute(self, *, muted: bool) -> None:
        """Forget everything and publish nothing, or publish again."""
        with self._lock:
            self._muted = muted
            if muted:
                self._registry.forget_everything()

    def publish_all(self) -> None:
        """Publish every announced address once."""
        with self._lock:
            if self._muted:
                return
            for (session, _), connection in self._announced.items():
                if session not in self._closed:
                    self._registry.publish(session, [connection])

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            self.publish_all()
