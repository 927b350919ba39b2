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
    shown() {
      const choice = this.choice();
      return choice === "system" ? (light.matches ? "light" : "dark") : choice;
    },
    choose(choice) {
      ui.storage.set(KEY, choice);
      this.apply();
    },
    /** Paint the page; tell the store `theme`, from which figures take their colours. */
    apply() {
      document.documentElement.dataset.bsTheme = this.shown();
      if (document.getElementById("frame")) window.dash_clientside?.set_props?.("theme", { data: this.shown() });
    },
  };
  ui.theme.apply();
  light.addEventListener("change", () => ui.theme.apply());
  window.addEventListener("storage", (event) => event.key === KEY && ui.theme.apply());
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (button) ui.theme.choose(button.dataset.themeChoice);
  });
})();
