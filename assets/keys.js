/* Keyboard: / search, ? help; can be switched off. Menus close on Escape, on a click elsewhere and on a choice. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const TYPING = "input, textarea, select, [contenteditable]";
  ui.keys = { choice: () => ui.storage.get("console-keys") || "on" };

  const shortcuts = { "/": () => document.querySelector("[data-search] input"), "?": () => document.getElementById("help-dialog") };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
    const typing = event.target.closest?.(TYPING);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || ui.keys.choice() === "off") return;
    const target = shortcuts[event.key]?.();
    if (!target) return;
    event.preventDefault();
    target.showModal ? target.open || target.showModal() : target.focus();
  });

  const closeMenus = (inside) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (menu.contains(inside)) return;
      const held = menu.contains(document.activeElement);
      menu.removeAttribute("open");
      if (held && inside === null) menu.querySelector("summary").focus();
    });
  };

  /** Log out is a plain form; Flask-WTF's token comes from its cookie. */
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-csrf]")) return;
    const token = document.cookie.match(/(?:^|; )_csrf_token=([^;]*)/)?.[1] || "";
    event.target.append(Object.assign(document.createElement("input"), { type: "hidden", name: "csrf_token", value: decodeURIComponent(token) }));
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest?.("[data-help]")) document.getElementById("help-dialog")?.showModal();
    if (target.closest?.("[data-dismiss=notice]")) window.dash_clientside.set_props("notices", { children: null });
    if (target.closest?.("[data-close]")) target.closest("dialog")?.close();
    closeMenus(target.closest?.("details.menu a, [data-help], [data-close-menu]") ? document.body : target);
  });
})();

window.dash_clientside = Object.assign(window.dash_clientside || {}, {
  frame: {
    /** Addresses of navigation links, by ids whose key is the path, that keep the session of the query string. */
    keepSession(search, ids) {
      const session = new URLSearchParams(search || "").get("session");
      return ids.map((id) => (session ? `${id.key}?session=${encodeURIComponent(session)}` : id.key));
    },
  },
});
