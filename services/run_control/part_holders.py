"""Who holds control of the parts of a tree: each controller has an owner of its own (contract 8.1)."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta

from services.errors import ConsoleError
from services.run_control.endpoints import GaveWayError

# Parts rarely change hands without the root: this keeps the load on drunc at one status a poll.
HOLDERS_EVERY = timedelta(seconds=10)


class PartHolders:
    """Asks now and then, and at once when the root changed hands; what does not answer stays as it was."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._known: dict[str, str] = {}
        self._asked_at: datetime | None = None
        self._root_holder = ""

    def of(
        self,
        paths: Iterable[tuple[str, str]],
        root_holder: str,
        now: datetime,
        ask: "Callable[[str], Future[str]]",
    ) -> Mapping[str, str]:
        """Return the holder by path.

        Args:
            paths: Path and address of every controller below the root.
            root_holder: Who holds the session.
            now: The time.
            ask: Asks an address.
        """
        wanted = dict(paths)
        known = {path: holder for path, holder in self._known.items() if path in wanted}
        if self._is_due(root_holder, now):
            known |= _asked(wanted, ask)
            self._asked_at, self._root_holder = now, root_holder
        self._known = known
        return known

    def _is_due(self, root_holder: str, now: datetime) -> bool:
        if self._asked_at is None or root_holder != self._root_holder:
            return True
        return now - self._asked_at >= HOLDERS_EVERY


def _asked(wanted: Mapping[str, str], ask: "Callable[[str], Future[str]]") -> Mapping[str, str]:
    futures: dict[str, Future[str]] = {}
    for path, address in wanted.items():
        try:
            futures[path] = ask(address)
        except GaveWayError:
            continue
    found = {}
    for path, future in futures.items():
        try:
            found[path] = future.result()
        except ConsoleError:
            continue
    return found
