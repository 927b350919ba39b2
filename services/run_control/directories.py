"""Which connectivity service a session's nodes publish in: the site's, or one of the session's own (contract 14)."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from services.errors import ConsoleError
from services.texts import clean

MAX_PORT: Final = 65535
_LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - recognised, not bound
_WIDTH = 255
_PORT = re.compile("[0-9]{1,5}")


class Directory(Protocol):
    """Where a session's nodes listen (see `services.run_control.connectivity.Connectivity`)."""

    @property
    def address(self) -> str:
        """``host:port`` of the service."""

    def lookup(self, session: str) -> Mapping[str, str]:
        """Return node name to ``grpc://…`` or ``rest://…``; empty if the session is not known."""

    def close(self) -> None:
        """Close what is kept open."""


class SessionDirectory:
    """The connectivity service of one session: first the one it ought to be, then the one its processes name.

    The one that knew the session last is asked first. One call at a time.
    """

    def __init__(self, first: str, connect: Callable[[str], Directory]) -> None:
        """Keep the address to begin with, ``host:port``; ``connect`` opens a client of an address."""
        self._connect = connect
        self._clients = {first: connect(first)}
        self._using = first
        self._other: str | None = None

    @property
    def address(self) -> str:
        """``host:port`` of the service that is used now."""
        return self._using

    def suggest(self, other: str | None) -> None:
        """Tell what the session's processes name; it is asked where the one in use does not know the session."""
        self._other = other

    def lookup(self, session: str) -> Mapping[str, str]:
        """Return node name to ``grpc://…`` or ``rest://…``; empty if nobody knows the session.

        Raises:
            NotReachableError, SchemaMismatchError: The service in use does not answer, and no other knows.
        """
        problem: ConsoleError | None = None
        try:
            found = self._clients[self._using].lookup(session)
        except ConsoleError as error:
            problem, found = error, {}
        if not found:
            found = self._elsewhere(session)
        if problem is not None and not found:
            raise problem
        return found

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            client.close()

    def _elsewhere(self, session: str) -> Mapping[str, str]:
        candidates = dict.fromkeys((*self._clients, *([self._other] if self._other else [])))
        for address in candidates:
            if address == self._using:
                continue
            if address not in self._clients:
                self._clients[address] = self._connect(address)
            try:
                found = self._clients[address].lookup(session)
            except ConsoleError:
                # A suggestion may be wrong: it is the one in use that people should hear of.
                continue
            if found:
                self._using = address
                return found
        return {}


def address_from(environment: Mapping[str, str], host: str) -> str | None:
    """Return the connectivity service that a process's environment names, ``host:port``; None if it names none.

    Loopback is that of the process's ``host``. The names are those that DAQ applications read (inferred).
    """
    server, port = environment.get("CONNECTION_SERVER", ""), environment.get("CONNECTION_PORT", "")
    # A number of thousands of digits is none for Python either.
    if not server or not _PORT.fullmatch(port) or not 0 < int(port) <= MAX_PORT:
        return None
    return clean(f"{host if host and server in _LOOPBACK else server}:{port}", _WIDTH)
