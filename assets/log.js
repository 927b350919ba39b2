/* A process's log: AG Grid draws only the lines in sight. New lines are put below, so nothing moves under a reader; who is
   at the end, with no line selected, stays there. Callbacks read (pages/processes/log.py), this asks, shows and searches. */
(() => {
  const MOST = 100000;
  // Longer than the server waits for drunc.
  const PATIENCE_MS = 70000;
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const log = { rows: [], text: "", mark: null, askedAt: 0 };
  let api = null;

  const e = (...args) => window.React.createElement(...args);
  const ready = async () => (api = await window.dash_ag_grid.getApiAsync("log-grid"));
  const cause = () => clientside.callback_context.triggered_id;
  const below = () => api.getDisplayedRowCount() - 1 - api.getLastDisplayedRowIndex();
  const toEnd = () => log.rows.length && api.ensureIndexVisible(api.getDisplayedRowCount() - 1, "bottom");
  // By its property: dash-ag-grid selects it once it is ready, and fails over what the grid itself selects before.
  const select = (node) => clientside.set_props("log-grid", { selectedRows: [node.data] });
  const show = (node) => [select(node), api.ensureIndexVisible(node.rowIndex, "middle")];

  // Split at what is searched for, every second piece is it.
  const pieces = (text) => (log.mark ? text.split(log.mark) : [text]).map((piece, index) => (index % 2 ? e("mark", { key: index }, piece) : piece));
  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, { ConsoleLine: ({ data }) => e("span", null, pieces(data.text)) });

  const put = ({ mode, lines, levels, goto }) => {
    const anew = mode === "reset";
    const stay = !anew && (below() > 0 || api.getSelectedNodes().length);
    const before = anew ? [] : log.rows;
    const add = lines.map((text, index) => ({ n: (before.at(-1)?.n ?? 0) + 1 + index, text, level: levels[index] }));
    log.rows = before.concat(add);
    const remove = log.rows.splice(0, Math.max(0, log.rows.length - MOST));
    anew ? api.setGridOption("rowData", add) : api.applyTransaction({ add, remove });
    requestAnimationFrame(() => (goto ? show(api.getRowNode(String(goto))) : stay || toEnd()));
  };

  clientside.log = {
    /** Ask for all lines, or, every other second, for those that came since; never for two things at once. */
    ask(_tick, lines, _again, follow) {
      const all = cause() !== "log-tick";
      if (!all && (!follow || document.hidden || Date.now() - log.askedAt < PATIENCE_MS)) return clientside.no_update;
      log.askedAt = Date.now();
      return { all, lines: Number(lines) };
    },
    async apply(delta) {
      log.askedAt = 0;
      await ready();
      if (delta.mode !== "same") put(delta);
      return `${log.rows.length.toLocaleString("fr")} lines`;
    },
    end: () => [[], { rowId: String(log.rows.at(-1)?.n), rowPosition: "bottom" }],
    /** Mark what is searched for, count it, go to the next or previous line that has it. */
    async find(text, only) {
      const [why, isNew] = [cause(), text !== log.text];
      Object.assign(log, { text, mark: text ? new RegExp(`(${text.replace(/\W/g, "\\$&")})`, "i") : null });
      await ready();
      if (isNew || why === "log-only") {
        await api.setColumnFilterModel("text", only && text ? { filterType: "text", type: "contains", filter: text } : null);
        api.onFilterChanged();
        api.refreshCells({ force: true, columns: ["text"] });
      }
      const found = [];
      if (text) api.forEachNodeAfterFilterAndSort((node) => log.mark.test(node.data.text) && found.push(node));
      const here = (api.getSelectedNodes()[0]?.rowIndex ?? -1) - isNew;
      const back = found.findLast((node) => node.rowIndex < here) ?? found.at(-1);
      const next = why === "log-previous-button" ? back : found.find((node) => node.rowIndex > here) ?? found[0];
      if (next && (isNew || why !== "log-count")) [next.setSelected(true, true), show(next)];
      const place = found.indexOf(next) + 1;
      return !text ? "" : !next ? "nothing found" : why === "log-count" ? `${found.length} found` : `${place} of ${found.length} found`;
    },
    save: (_clicks, uuid) => ({ content: log.rows.map((row) => `${row.text}\n`).join(""), filename: `log-${uuid}.txt`, type: "text/plain" }),
  };
})();
