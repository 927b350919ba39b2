/* The table of processes: cells, status tabs, search, and their place in the address. */
(() => {
  const e = (...args) => window.React.createElement(...args);
  const shape = (name) => e("span", { className: `glyph glyph-${name}`, "aria-hidden": "true" });

  Object.assign((window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {}), {
    ConsoleProcess: ({ data }) => e("span", { style: { "--depth": data.depth }, className: `process-name${data.depth ? "" : " strong"}` }, data.name),
    ConsoleStatus: ({ data }) => e("span", { className: `badge-state state-${data.shape}` }, shape(data.shape), data.status),
    ConsoleExit({ data }) {
      if (data.return_code === null) return e("span", { className: "fg-2" }, "–");
      const code = String(data.return_code);
      return e("span", null, e("b", { className: data.return_code ? "text-error" : "" }, code), data.exit.slice(code.length));
    },
    ConsoleLog: ({ data }) => e("a", { href: data.log, title: `Log of ${data.name}` }, e("span", { className: "icon icon-log", "aria-hidden": "true" }), data.status === "dead" ? "Last lines" : "Log"),
    // clock.js writes the text, so that ages tick without touching the rows.
    ConsoleAge: ({ data }) =>
      data.at_ms === null ? "–" : e("span", { "data-at-ms": data.at_ms, ...(data.status === "dead" ? { "data-suffix": " ago" } : {}) }),
  });
  Object.assign((window.dashAgGridFunctions = window.dashAgGridFunctions || {}), { consoleOlderFirst: (a, b) => (b ?? 0) - (a ?? 0) });

  const api = () => window.dash_ag_grid.getApi("processes-grid");

  /** The view in the address, without telling Dash: it would draw the page anew. */
  const remember = (changes) => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
    return window.dash_clientside.no_update;
  };

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    processes: {
      search(text) {
        api()?.setGridOption("quickFilterText", text || "");
        return remember({ q: text });
      },
      choose() {
        const status = document.getElementById(window.dash_clientside.callback_context.triggered_id).dataset.status;
        const model = { ...api().getFilterModel() };
        delete model.status;
        if (status !== "all") model.status = { filterType: "text", type: "equals", filter: status };
        api().setFilterModel(model);
        return remember({});
      },
      chosen: (rows) => (rows || []).map((row) => row.uuid),
      clear: () => [],
      /** What the foot says: how many rows are shown and selected; filters go into the address and the tabs. */
      say(shown, selected, model, known) {
        const { status, ...others } = model || {};
        const chosen = !status ? "all" : status.type === "equals" ? status.filter : "";
        document.querySelectorAll("#processes-tabs [data-status]").forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.status === chosen)));
        const rest = status && !chosen ? model : others;
        remember({ status: chosen === "all" ? "" : chosen, filter: Object.keys(rest).length ? JSON.stringify(rest) : "" });
        const every = Object.keys(known?.rows || {}).length;
        return `${(shown || []).length} of ${every} shown${selected?.length ? `, ${selected.length} selected` : ""}`;
      },
    },
  });
})();
