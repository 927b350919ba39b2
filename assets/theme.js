/* Theme: dark (default), light or as the system says. Also loaded in the head, before anything is painted, so it may run
   twice; the second time does nothing. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  if (ui.theme) return;

  /** Browser storage; where it is refused (private windows) a choice lasts as long as the page. */
  const kept = {};
  const tried = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };
  ui.storage = {
    get: (key) => tried(() => localStorage.getItem(key)) ?? kept[key] ?? null,
    set: (key, value) => tried(() => localStorage.setItem(key, (kept[key] = value))),
  };

  const KEY = "console-theme";
  const light = window.matchMedia("(prefers-color-scheme: light)");

  ui.theme = {
    /** What the person chose: "dark", "light" or "system". */
    choice: () => ui.storage.get(KEY) || "dark",
    /** What is shown: "dark" or "light". */
    shown: () => (ui.theme.choice() !== "system" ? ui.theme.choice() : light.matches ? "light" : "dark"),
    /** Paint the page; tell the store `theme`, from which figures take their colours. */
    apply() {
      document.documentElement.dataset.bsTheme = this.shown();
      ui.paint?.();
      if (document.getElementById("frame")) window.dash_clientside?.set_props?.("theme", { data: this.shown() });
    },
  };
  ui.theme.apply();
  light.addEventListener("change", () => ui.theme.apply());
  window.addEventListener("storage", (event) => event.key === KEY && ui.theme.apply());
  // Every choice of the user menu: data-theme-choice, data-zone-choice, data-keys-choice.
  document.addEventListener("click", (event) => {
    const chosen = Object.entries(event.target.closest?.("button")?.dataset || {}).filter(([name]) => name.endsWith("Choice"));
    chosen.forEach(([name, value]) => ui.storage.set(`console-${name.slice(0, -"Choice".length)}`, value));
    if (chosen.length) ui.theme.apply();
  });
})();
