/* Plots of rates: Plotly knows no zones, so moments become times of the zone the person chose just before drawing. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});

  const local = (ms) => (ms === null ? null : ui.zone.fields(ms).toISOString().slice(0, -1));

  /** Change parts of the address; what is null is taken out. */
  const address = (parts) => {
    if (location.pathname !== "/rates") return;
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(parts)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `?${query}`);
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.rates = Object.assign(window.dash_clientside.rates || {}, {
    /** What the controls say, for the callbacks; and into the URL. */
    wanted(span, session) {
      const one = session && session !== "*" ? session : null;
      address({ span, session: one });
      return { span, session: one };
    },
    /** The chosen value into the URL too; it belongs to what `wanted` says. */
    series(value) {
      if (value) address({ series: value });
      return value || null;
    },
    /** A figure whose x is in milliseconds since 1970 UTC, as the one that Plotly draws. */
    draw(figure) {
      if (!figure) return window.dash_clientside.no_update;
      // Where there is nothing to draw there is no time either.
      if (!figure.layout.xaxis.range) return figure;
      const { xaxis } = figure.layout;
      const nticks = Math.min(xaxis.nticks, Math.max(3, Math.floor(document.documentElement.clientWidth / 85)));
      return {
        data: figure.data.map((trace) => ({ ...trace, x: trace.x.map(local), customdata: trace.x })),
        layout: { ...figure.layout, xaxis: { ...xaxis, nticks, range: xaxis.range.map(local) } },
      };
    },
  });

  // A store that a plot listens to follows the zone.
  document.addEventListener("console:zone", () => {
    const store = document.querySelector("[data-zone-follows]")?.dataset.zoneFollows;
    if (store) window.dash_clientside.set_props(store, { data: ui.zone.name() });
  });
})();
