/* Controller page: the keyboard pattern of the application tree, and buttons that send only once.
   Rows are flat, in tree order; what is closed is kept here by path and applied again after every update. */
(() => {
  const ONCE_MS = 700;
  const closed = new Set();
  let focused = null;

  const rows = () => [...document.querySelectorAll(".tree-row")];
  const level = (row) => Number(row.dataset.level);
  const key = (row) => `${location.search} ${row.dataset.path}`;
  const visible = () => rows().filter((row) => !row.hidden);

  /** Hide what is below closed rows; one row stays in the tab order. */
  const apply = () => {
    const all = rows();
    if (!all.length) return;
    let below = Infinity;
    for (const row of all) {
      if (level(row) <= below) below = Infinity;
      row.hidden = below !== Infinity;
      if (!row.hasAttribute("aria-expanded")) continue;
      const open = !closed.has(key(row));
      row.setAttribute("aria-expanded", String(open));
      if (!open && !row.hidden) below = level(row);
    }
    const target = all.find((row) => row.dataset.path === focused && !row.hidden) || all[0];
    all.forEach((row) => (row.tabIndex = row === target ? 0 : -1));
  };

  const focus = (row) => {
    if (!row) return;
    focused = row.dataset.path;
    apply();
    row.focus();
  };

  const toggle = (row, open) => {
    if (!row.hasAttribute("aria-expanded")) return;
    if (open) closed.delete(key(row));
    else closed.add(key(row));
    apply();
  };

  const isOpen = (row) => row.getAttribute("aria-expanded") === "true";
  const parent = (row) => rows().slice(0, rows().indexOf(row)).reverse().find((other) => level(other) < level(row));
  const beside = (row, by) => visible()[visible().indexOf(row) + by];

  const KEYS = {
    ArrowDown: (row) => focus(beside(row, 1)),
    ArrowUp: (row) => focus(beside(row, -1)),
    ArrowRight: (row) => (isOpen(row) ? focus(beside(row, 1)) : toggle(row, true)),
    ArrowLeft: (row) => (isOpen(row) ? toggle(row, false) : focus(parent(row))),
    Enter: (row) => toggle(row, !isOpen(row)),
    Home: () => focus(visible()[0]),
    End: () => focus(visible().at(-1)),
  };

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.(".tree-row");
    if (!row || !KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key](row);
  });

  document.addEventListener("click", (event) => {
    const row = event.target.closest?.(".tree-row");
    if (!row) return;
    focus(row);
    if (event.target.closest(".tree-caret")) toggle(row, !isOpen(row));
  });

  // The second click of a double click, or of a key held down, never reaches the button; a click elsewhere ends that.
  let last = null;
  let lastAt = 0;
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest?.("[data-once]") ?? null;
      if (button && button === last && Date.now() - lastAt < ONCE_MS) {
        event.preventDefault();
        event.stopPropagation();
      } else [last, lastAt] = [button, Date.now()];
    },
    true,
  );

  document.addEventListener("console:drawn", (event) => event.target.querySelector(".tree-row") && apply());
})();
