/* The heartbeat: asks /live once a second whether anything changed, puts the revisions into the stores live-<topic>, and
   says so when the server is gone. Its timers are its own, so a slow callback never starves it. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const BEAT_MS = 1000;
  const HIDDEN_MS = 10000;
  const SLOWEST_MS = 5000;
  const TIMEOUT_MS = 2000;
  const LOST_MS = 2500;
  const SAY_BACK_MS = 8000;

  const state = { etag: "", revisions: {}, lastOkAt: 0, failures: 0, lost: false, backAt: 0, nextAt: 0, busySince: 0, paintedAt: 0, awakeAt: 0, timer: 0, resync: false };
  /** When each source last answered, server time, by session or backend. */
  ui.polledMs = {};

  const readHeaders = (response) => {
    const now = Number(response.headers.get("X-Now-Ms"));
    if (now) ui.serverOffsetMs = now - Date.now();
    ui.noteFingerprint(response.headers.get("X-Fingerprint"));
    const polled = response.headers.get("X-Polled");
    if (polled === null) return;
    ui.polledMs = Object.fromEntries([...new URLSearchParams(polled)].map(([name, ms]) => [name, Number(ms)]));
  };

  const spread = (revisions, everything) => {
    for (const [topic, revision] of Object.entries(revisions)) {
      if (everything || state.revisions[topic] !== revision) window.dash_clientside.set_props(`live-${topic}`, { data: revision });
    }
    state.revisions = revisions;
  };

  const ask = async () => {
    try {
      const headers = { Accept: "application/json", ...(state.etag && !state.resync ? { "If-None-Match": state.etag } : {}) };
      const response = await fetch("/live", { headers, cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status === 401) return location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
      if (response.status !== 304 && !response.ok) throw new Error(`status ${response.status}`);
      readHeaders(response);
      if (response.status !== 304) {
        spread((await response.json()).revisions, state.resync);
        state.etag = response.headers.get("ETag") || "";
      }
      if (state.lost) state.backAt = Date.now();
      Object.assign(state, { lost: false, resync: false, failures: 0, lastOkAt: Date.now() });
    } catch {
      state.failures += 1;
    }
  };

  const pause = () => (document.hidden ? HIDDEN_MS : Math.min(SLOWEST_MS, BEAT_MS * Math.max(1, state.failures - 4)));

  const beat = async () => {
    if (state.busySince) return;
    clearTimeout(state.timer);
    const begun = (state.busySince = Date.now());
    await ask();
    state.busySince = 0;
    const wait = Math.max(50, pause() - (Date.now() - begun));
    state.nextAt = Date.now() + wait;
    state.timer = setTimeout(beat, wait);
  };

  /** The banner's texts are in components/frame.py; here is decided which line shows, and from when. */
  const paintBanner = () => {
    const banner = document.getElementById("connection-banner");
    if (!banner || !state.lastOkAt) return;
    // A page that was itself asleep (a busy or sleeping machine) has heard nothing, which does not mean nothing was said.
    if (Date.now() - state.paintedAt > BEAT_MS) state.awakeAt = Date.now();
    state.paintedAt = Date.now();
    if (!document.hidden && Date.now() - Math.max(state.lastOkAt, state.awakeAt) > LOST_MS) Object.assign(state, { lost: true, resync: true });
    const kind = state.lost ? "lost" : Date.now() - state.backAt < SAY_BACK_MS ? "back" : "none";
    if (banner.dataset.kind !== kind) {
      const at = (state.lost ? state.lastOkAt : state.backAt) + ui.serverOffsetMs;
      banner.querySelectorAll("[data-since-ms]").forEach((element) => (element.dataset.sinceMs = at));
      banner.querySelectorAll("[data-time-ms]").forEach((element) => (element.dataset.timeMs = at));
      for (const line of banner.children) line.hidden = line.dataset.kind !== kind;
      banner.dataset.kind = kind;
      document.documentElement.classList.toggle("is-offline", state.lost);
    }
    const wait = Math.max(0, Math.ceil((state.nextAt - Date.now()) / 1000));
    banner.querySelector("[data-next]").textContent = state.busySince ? "Trying…" : `Next try in ${wait} s.`;
  };

  const begin = () => {
    if (!window.dash_clientside?.set_props || !document.getElementById("frame")) return setTimeout(begin, 50);
    ui.theme.apply();
    beat();
    setInterval(() => {
      paintBanner();
      // Watchdog: a beat that hung, or a timer that a sleeping machine swallowed.
      const overdue = Date.now() - state.nextAt > BEAT_MS && !document.hidden;
      if (state.busySince && Date.now() - state.busySince > 2 * TIMEOUT_MS) state.busySince = 0;
      if (!state.busySince && overdue) beat();
    }, 250);
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !state.lastOkAt) return;
    // Hidden tabs beat rarely: old is not lost until the next answer fails to come.
    if (!state.lost) state.lastOkAt = Date.now();
    beat();
  });
  document.addEventListener("click", (event) => event.target.closest?.("[data-retry]") && beat());
  begin();
})();
