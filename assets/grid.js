/* What grids share: on a phone a column is as wide as its `context.narrow` says; 0 leaves it out. */
(() => {
  const NARROW = 640;
  const followed = new WeakSet();

  const narrowed = (column, isNarrow) => {
    const { context, width } = column.getColDef();
    const state = { colId: column.getColId(), width: (isNarrow && context.narrow) || width };
    return context.narrow === 0 ? { ...state, hide: isNarrow } : state;
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.grid = {
    /** Follow the width of a new grid. Only where it becomes narrow or wide: what a person made of the widths stays. */
    follow(_rows, id) {
      const api = window.dash_ag_grid.getApi(id);
      if (!api || followed.has(api)) return;
      followed.add(api);
      let wasNarrow = false;
      const fit = () => {
        const width = document.getElementById(id)?.clientWidth;
        const isNarrow = width < NARROW;
        if (!width || isNarrow === wasNarrow) return;
        wasNarrow = isNarrow;
        api.applyColumnState({ state: api.getColumns().filter((column) => column.getColDef().context).map((column) => narrowed(column, isNarrow)) });
        // In the property too, or dash-ag-grid puts back the columns that it last knew.
        window.dash_clientside.set_props(id, { columnState: api.getColumnState() });
      };
      api.addEventListener("gridSizeChanged", fit);
      fit();
    },
  };
})();
