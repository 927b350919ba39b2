"""One tab of a browser whose memory is watched: what it has seen, and what it holds once garbage is collected."""

from dataclasses import dataclass
from typing import Any

from tests.browser.person import Person
from tests.waiting import wait_until

PATIENCE_S = 60.0

# Runs before any script of the page. Timers run faster, so that a tab lives through more beats and ticks than minutes
# pass; what arrives is counted where it cannot be missed.
_BEFORE_THE_PAGE = """(() => {
  const seen = (window.soakSeen = { beats: 0, updates: 0, drawings: 0 });
  const names = { "/live": "beats", "/_dash-update-component": "updates" };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const name = names[new URL(entry.name).pathname];
      if (name) seen[name] += 1;
    }
  }).observe({ type: "resource" });
  document.addEventListener("console:drawn", () => (seen.drawings += 1));
  for (const name of ["setTimeout", "setInterval"]) {
    const plain = window[name].bind(window);
    window[name] = (work, ms, ...rest) => plain(work, (ms || 0) / FASTER, ...rest);
  }
})();"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came into a tab since it was opened: heartbeats, answers of callbacks, outlets drawn anew."""

    beats: int
    updates: int
    drawings: int

    def since(self, before: "Seen") -> "Seen":
        """Return what came between two looks."""
        return Seen(self.beats - before.beats, self.updates - before.updates, self.drawings - before.drawings)


@dataclass(frozen=True, slots=True)
class Held:
    """What a tab holds: bytes of its JavaScript heap, nodes of its documents, and listeners of events."""

    heap: int
    nodes: int
    listeners: int


class Tab:
    """A page of the console in a browser of its own."""

    def __init__(self, name: str, person: Person, path: str, ready: str) -> None:
        """Keep where it goes; ``ready`` selects what must be shown before the page counts as there."""
        self.name = name
        self._person = person
        self._path = path
        self._ready = ready
        self._script = ""
        self.complaints: list[str] = []

    def open(self, faster: float = 1.0) -> None:
        """Open the page (anew), all its timers ``faster`` times as fast."""
        if self._script:
            self._ask("Page.removeScriptToEvaluateOnNewDocument", identifier=self._script)
        source = _BEFORE_THE_PAGE.replace("FASTER", str(faster))
        self._script = self._ask("Page.addScriptToEvaluateOnNewDocument", source=source)["identifier"]
        self._person.open(self._path)
        self._person.wait(self._ready, PATIENCE_S)
        wait_until(self._person.is_at_rest, PATIENCE_S, f"{self.name} to be drawn")
        self._ask("Performance.enable")

    def seen(self) -> Seen:
        """Return what came since it was opened."""
        found: dict[str, int] = self._person.driver.execute_script("return window.soakSeen")
        return Seen(**found)

    def held(self) -> Held:
        """Collect garbage, and return what is left; what the page complained about meanwhile is kept."""
        # Also empties the logs that the driver keeps of each request.
        self.complaints += [*self._person.problems(), *self._person.foreign_requests()]
        # What the first round frees may have held the last of something else.
        for _ in range(2):
            self._ask("HeapProfiler.collectGarbage")
        metrics = {item["name"]: int(item["value"]) for item in self._ask("Performance.getMetrics")["metrics"]}
        return Held(metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"])

    def _ask(self, command: str, **parameters: object) -> Any:
        return self._person.driver.execute_cdp_cmd(command, parameters)
