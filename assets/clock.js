/* Time in the browser: the clock, ages, elapsed times and moments, all from attributes, none through callbacks.
   data-at-ms shows its age, data-suffix added (data-keep: text left alone); above data-stale-after-s it is-stale;
   data-polled says which source's last answer (heartbeat.js) it follows. data-since-ms counts HH:MM:SS (data-short:
   seconds at first). data-time-ms shows the moment in the chosen zone, with data-digits milliseconds. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const DAY_MS = 86400000;
  const pad = (number, digits = 2) => String(number).padStart(digits, "0");

  ui.serverOffsetMs = 0;
  /** The server's time: browsers' clocks may be wrong. */
  ui.now = () => Date.now() + ui.serverOffsetMs;

  ui.zone = {
    choice: () => ui.storage.get("console-zone") || "utc",
    /** The moment as a Date whose UTC fields are those of the chosen zone. */
    fields: (ms) => new Date(ui.zone.choice() === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60000),
    localName: () => new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(new Date()).find((part) => part.type === "timeZoneName").value,
    name: () => (ui.zone.choice() === "utc" ? "UTC" : ui.zone.localName()),
  };

  ui.format = {
    age(ms) {
      const s = Math.max(0, ms) / 1000;
      if (s < 9.95) return `${s.toFixed(1)} s`;
      if (s < 100) return `${Math.floor(s)} s`;
      if (s < 3600) return `${Math.floor(s / 60)} min`;
      if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
      return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
    },
    elapsed(ms, short) {
      const s = Math.max(0, ms) / 1000;
      if (short && s < 100) return `${s.toFixed(1)} s`;
      const days = s >= 86400 ? `${Math.floor(s / 86400)} d ` : "";
      return `${days}${pad(Math.floor((s % 86400) / 3600))}:${pad(Math.floor((s % 3600) / 60))}:${pad(Math.floor(s % 60))}`;
    },
    time(ms, digits = 0) {
      const at = ui.zone.fields(ms);
      const text = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;
      return digits ? `${text}.${pad(at.getUTCMilliseconds(), 3)}` : text;
    },
    /** The day, e.g. "Fri 20 Nov". */
    day(ms) {
      const at = ui.zone.fields(ms);
      const options = { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" };
      return at.toLocaleDateString("en-GB", options).replace(",", "");
    },
    /** The time; before it the day when that is not today's. */
    moment(ms, digits = 0) {
      const today = Math.floor(ui.zone.fields(ui.now()) / DAY_MS) === Math.floor(ui.zone.fields(ms) / DAY_MS);
      return (today ? "" : `${ui.format.day(ms)} `) + ui.format.time(ms, digits);
    },
  };

  const write = (ui.write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  });

  const paintAge = (element, now) => {
    const polled = ui.polledMs?.[element.dataset.polled];
    if (polled && String(polled) !== element.dataset.atMs) element.dataset.atMs = polled;
    const age = now - Number(element.dataset.atMs);
    if (!element.dataset.keep) write(element, ui.format.age(age) + (element.dataset.suffix || ""));
    const limit = Number(element.dataset.staleAfterS);
    if (limit) element.classList.toggle("is-stale", age > limit * 1000);
  };

  const paintMenus = () => {
    const chosen = { themeChoice: ui.theme.choice(), zoneChoice: ui.zone.choice(), keysChoice: ui.keys?.choice() };
    each("[data-theme-choice],[data-zone-choice],[data-keys-choice]", (button) => {
      const on = Object.entries(chosen).some(([name, value]) => value && button.dataset[name] === value);
      button.setAttribute("aria-pressed", String(on));
    });
    each("[data-zone-name]", (element) => write(element, ui.zone.name()));
    each("[data-local-zone]", (element) => write(element, `Local (${ui.zone.localName()})`));
  };

  const paintPlace = () =>
    each(".rail a, .bottom-bar a", (link) => (link.pathname === location.pathname ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));

  /** State and abnormal count first: that is what a tab among others shows. */
  const paintTitle = () => {
    const said = document.querySelector("[data-title]")?.dataset.title;
    const page = document.querySelector("h1")?.textContent;
    const title = [said, page, "drunc-console"].filter(Boolean).join(" · ");
    if (page && document.title !== title) document.title = title;
  };

  const each = (selector, action) => document.querySelectorAll(selector).forEach(action);

  /** Bring everything that shows time up to now. */
  ui.paint = () => {
    const now = ui.now();
    each("[data-at-ms]", (element) => paintAge(element, now));
    // What has an age no more (a session during a command) is not old either.
    each(".is-stale:not([data-stale-after-s])", (element) => element.classList.remove("is-stale"));
    each("[data-since-ms]", (element) => write(element, ui.format.elapsed(now - Number(element.dataset.sinceMs), Boolean(element.dataset.short))));
    each("[data-time-ms]", (element) => write(element, ui.format.moment(Number(element.dataset.timeMs), Number(element.dataset.digits))));
    each("[data-clock]", (element) => write(element, ui.format.time(now)));
    each("[data-clock-day]", (element) => write(element, `${ui.zone.name()}, ${ui.format.day(now)}`));
    paintMenus();
    ui.paintAlarmChoices?.();
    paintPlace();
    paintTitle();
  };

  // What a callback brings is painted before it is seen; the clock ticks whatever happens.
  let asked = 0;
  const paintOnce = () => {
    asked = 0;
    ui.paint();
  };
  const soon = () => (asked ||= requestAnimationFrame(paintOnce));
  const brings = (change) => change.addedNodes[0]?.nodeType === Node.ELEMENT_NODE;
  new MutationObserver((changes) => changes.some(brings) && soon()).observe(document.documentElement, { childList: true, subtree: true });
  setInterval(() => document.hidden || ui.paint(), 200);
})();
