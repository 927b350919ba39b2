/* The message feed: the one writer of its grid. Callbacks fetch (pages/messages/), this applies, follows and pauses.
   A reader who scrolls up, selects a row or presses space stops the list; what comes meanwhile waits and is counted. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const GRID = "messages-grid";
  const WINDOW = 3000;
  const INTENT_MS = 800;
  const TOO_MANY = `more than ${WINDOW} came at once: showing the newest`;
  const LOUD = ["FATAL", "ERROR"];

  const fresh = () => ({ key: null, cursor: null, waiting: [], overflow: false, paused: "", pausedAt: 0, older: null, note: "", reach: "", detached: false, muted: 0, mutesChanged: false });
  let feed = fresh();
  let api = null;
  let intentAt = 0;
  let asks = 0;
  let knownMutes = null;

  const set = (id, data) => window.dash_clientside.set_props(id, { data });
  const rowCount = () => api?.getDisplayedRowCount() ?? 0;
  const rowAt = (index) => api?.getDisplayedRowAtIndex(index);
  const ids = () => Array.from({ length: rowCount() }, (_, index) => rowAt(index).data);

  /** Ask for the next rows; the answer comes through apply(). */
  const ask = () => set("messages-ask", ++asks);

  const toEnd = () => rowCount() && api.ensureIndexVisible(rowCount() - 1, "bottom");

  const pause = (why) => {
    if (!feed.paused) Object.assign(feed, { paused: why, pausedAt: ui.now() });
    paint();
  };

  /** Nothing is selected any more; dash-ag-grid would select again what it still has in its property. */
  const deselect = () => {
    api.deselectAll();
    window.dash_clientside.set_props(GRID, { selectedRows: [] });
  };

  /** Go on after the pause, once the grid knows that nothing is selected: what comes until then waits too. */
  const resume = () => {
    deselect();
    setTimeout(go, 60);
  };

  const go = () => {
    const waiting = feed.waiting;
    const reload = feed.overflow || feed.detached;
    const changed = feed.mutesChanged;
    Object.assign(feed, { paused: "", waiting: [], overflow: false, note: "", mutesChanged: false });
    if (isHistory(feed.key)) set("messages-position", null);
    else if (changed) set("messages-mutes-seen", knownMutes);
    else if (reload) {
      feed.note = TOO_MANY;
      feed.cursor = null;
      set("messages-cursor", null);
      ask();
    } else append(waiting);
    paint();
  };

  const append = (rows) => {
    const spare = rowCount() + rows.length - WINDOW;
    const remove = spare > 0 ? ids().slice(0, spare) : [];
    if (remove.length) feed.older = Number(remove[remove.length - 1].id) + 1;
    api.applyTransaction({ add: rows, remove });
    toEnd();
  };

  const isHistory = (key) => Boolean(key?.before || key?.around);

  /** Select the message that others are shown around, if it is here. */
  const showAround = (id) => {
    const row = id && api.getRowNode(String(id));
    if (!row) return false;
    // By its property: dash-ag-grid stumbles over a selection that is made before it is ready, and takes it back.
    window.dash_clientside.set_props(GRID, { selectedRows: [row.data] });
    api.ensureIndexVisible(row.rowIndex, "middle");
    return true;
  };

  const reset = (delta) => {
    const note = feed.note;
    feed = Object.assign(fresh(), { key: delta.key, older: delta.older, note, reach: delta.note, muted: delta.muted });
    api.setGridOption("rowData", delta.rows);
    if (isHistory(delta.key)) pause("history");
    requestAnimationFrame(() => showAround(delta.key.around) || toEnd());
  };

  const prepend = (delta) => {
    const known = rowCount();
    const drop = Math.max(0, known + delta.rows.length - WINDOW);
    const remove = drop ? ids().slice(known - drop) : [];
    if (drop) feed.detached = true;
    Object.assign(feed, { older: delta.older, reach: delta.note });
    pause("history");
    api.applyTransaction({ add: delta.rows, addIndex: 0, remove });
    if (delta.rows.length) api.ensureIndexVisible(delta.rows.length, "top");
  };

  const wait = (rows) => {
    feed.waiting.push(...rows);
    if (feed.waiting.length > WINDOW) Object.assign(feed, { overflow: true, waiting: feed.waiting.slice(-WINDOW) });
  };

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  /** Take what a callback fetched. Answers to an older filter, and rows already here, are left out. */
  const apply = (delta) => {
    const behind = delta.mode === "reset" && feed.cursor !== null && same(delta.key, feed.key);
    if (behind) feed.note = TOO_MANY;
    if (behind && feed.paused) Object.assign(feed, { overflow: true, waiting: delta.rows });
    else if (delta.mode === "reset") reset(delta);
    else if (!same(delta.key, feed.key)) return;
    else if (delta.mode === "older") prepend(delta);
    else {
      const rows = delta.rows.filter((row) => Number(row.id) > (feed.cursor ?? 0));
      if (feed.paused) wait(rows);
      else if (rows.length) append(rows);
      if (!feed.paused && !delta.more) feed.note = "";
    }
    if (delta.mode === "older" || (delta.mode === "append" && delta.cursor > feed.cursor)) feed.muted += delta.muted;
    if (delta.mode !== "older") {
      feed.cursor = delta.cursor;
      set("messages-cursor", { key: delta.key, after: delta.cursor });
      if (delta.more) ask();
    }
    paint();
  };

  const element = (id) => document.getElementById(id);
  const write = (id, text) => ui.write(element(id), text);
  const thin = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u2009");

  const WHY = { scroll: "you scrolled up", selection: "a row is selected", space: "by you", history: "you look at history" };

  const paint = () => {
    const button = element("messages-resume");
    if (!button) return;
    const waiting = feed.waiting.length;
    button.hidden = !feed.paused;
    write("messages-resume-text", isHistory(feed.key) ? "Go to live" : `${feed.overflow ? "more than " : ""}${thin(waiting)} new, resume`);
    write("messages-following", feed.paused ? `Paused ${ui.format.age(ui.now() - feed.pausedAt)} ago: ${WHY[feed.paused]}` : "Following");
    element("messages-pause").hidden = Boolean(feed.paused);
    write("messages-shown", [`${thin(rowCount())} shown`, feed.muted && `hidden ${thin(feed.muted)} muted`, feed.note, feed.reach].filter(Boolean).join(", "));
    element("messages-older").setAttribute("aria-disabled", String(!feed.older));
    const empty = feed.key !== null && rowCount() === 0;
    element("messages-empty").hidden = !empty || Boolean(feed.older);
    element("messages-unfinished").hidden = !empty || !feed.older;
  };

  const atEnd = () => api.getLastDisplayedRowIndex() >= rowCount() - 2;

  const select = (index) => {
    const row = rowAt(Math.max(0, Math.min(rowCount() - 1, index)));
    if (!row) return;
    row.setSelected(true, true);
    api.ensureIndexVisible(row.rowIndex);
    api.setFocusedCell(row.rowIndex, "text");
  };

  const selected = () => api.getSelectedNodes()[0]?.rowIndex;

  const step = (by) => select((selected() ?? rowCount() - 1 - by) + by);

  const stepError = (by) => {
    const here = selected() ?? (by > 0 ? -1 : rowCount());
    for (let index = here + by; index >= 0 && index < rowCount(); index += by) {
      if (LOUD.includes(rowAt(index).data.severity)) return select(index);
    }
  };

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    " ": () => (feed.paused ? resume() : pause("space")),
    ArrowLeft: () => stepError(-1),
    ArrowRight: () => stepError(1),
    Escape: deselect,
  };

  const onKey = (event) => {
    if (!element(GRID) || !api || ui.keys?.choice() === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, button, a, [role=radio]")) return;
    if (!KEYS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  };

  const fit = () => {
    const narrow = element(GRID).clientWidth < 640;
    api.setColumnsVisible(["session", "application"], !narrow);
    api.setColumnWidths([{ key: "severity", newWidth: narrow ? 46 : 112 }]);
  };

  /** Listen to a new grid: the page was opened (again). */
  const attach = (found) => {
    api = found;
    feed = fresh();
    const box = element(GRID);
    for (const name of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      box.addEventListener(name, () => (intentAt = Date.now()), { passive: true });
    }
    api.addEventListener("bodyScroll", (event) => {
      if (event.direction !== "vertical" || Date.now() - intentAt > INTENT_MS) return;
      if (!feed.paused && !atEnd()) pause("scroll");
      else if (feed.paused === "scroll" && atEnd()) resume();
    });
    api.addEventListener("selectionChanged", () => {
      if (api.getSelectedNodes().length) pause("selection");
      else if (feed.paused === "selection" && atEnd()) resume();
    });
    new ResizeObserver(() => element(GRID) === box && fit()).observe(box);
    fit();
  };

  const ready = async () => {
    const found = await window.dash_ag_grid.getApiAsync(GRID);
    if (found !== api) attach(found);
  };

  /** The zone is said in the header of the column of times. */
  const followZone = () => {
    api.refreshHeader();
    api.refreshCells({ force: true, columns: ["ms"] });
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.feed = {
    /** What the controls say, as the filter that callbacks take; and into the URL. */
    wanted(severities, session, application, text, match, where, position, muted, mutes) {
      const key = {
        severity: (severities || []).join(","),
        session: session || null,
        application: application || null,
        q: (text || "").trim() || null,
        match: (text || "").trim() ? match : null,
        where: where || null,
        before: position?.before || null,
        after: position?.after || null,
        around: position?.around || null,
        muted: muted?.length ? "show" : null,
        mutes: mutes ?? null,
      };
      const query = new URLSearchParams(Object.entries(key).filter(([name, value]) => name !== "mutes" && (value !== null || name === "severity")));
      if (location.pathname === "/messages") history.replaceState(history.state, "", `?${query}`);
      return key;
    },
    /** Addresses of what the filter finds as files: CSV, JSON lines. Without any severity nothing is found. */
    exports(wanted) {
      return ["csv", "jsonl"].map((form) => {
        const given = { form, ...wanted, around: null, muted: wanted.muted || "hide", mutes: null };
        if (!given.severity) given.where = "none";
        return `/api/v1/messages/export?${new URLSearchParams(Object.entries(given).filter(([, value]) => value))}`;
      });
    },
    /** A mute was made or ended: the list is fetched anew, but not under the eyes of a reader who stopped it. */
    mutes(revision) {
      const changed = knownMutes !== null && revision !== knownMutes;
      knownMutes = revision ?? knownMutes;
      if (!changed) return window.dash_clientside.no_update;
      feed.mutesChanged = Boolean(feed.paused);
      return feed.paused ? window.dash_clientside.no_update : revision;
    },
    async apply(delta) {
      if (!delta) return;
      await ready();
      apply(delta);
    },
  };

  const renderers = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...parts) => window.React.createElement(...parts);
  renderers.ConsoleTime = (props) => make("time", null, ui.format.moment(props.value, 3));
  renderers.ConsoleSeverity = ({ value }) => {
    const name = String(value).toLowerCase();
    return make("span", { className: `badge-severity severity-${name}` }, make("span", { className: `glyph glyph-${name}`, "aria-hidden": true }), value);
  };
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.consoleTimeHeader = () => `Time, ${ui.zone.name()}`;

  document.addEventListener("keydown", onKey, true);
  document.addEventListener("click", (event) => {
    if (!element(GRID) || !api) return;
    if (event.target.closest("#messages-resume")) resume();
    if (event.target.closest("#messages-pause")) pause("space");
    if (event.target.closest("#messages-close")) deselect();
    if (event.target.closest("#messages-older") && feed.older) set("messages-older-ask", { before: feed.older, time: Date.now() });
  });
  document.addEventListener("console:zone", () => element(GRID) && api && followZone());
  setInterval(() => element(GRID) && api && feed.paused && paint(), 500);
})();
