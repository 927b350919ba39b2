/* Controller page: the application tree (keyboard, search, selection), and buttons that send only once.
   Rows are flat, in tree order; what is closed or selected is kept here by path and applied after every update. */
(() => {
  const ONCE_MS = 700;
  const closed = new Set();
  let focused = null;
  let selected = new Set();
  let place = null;

  const rows = () => [...document.querySelectorAll(".tree-row")];
  const level = (row) => Number(row.dataset.level);
  const key = (row) => `${location.search} ${row.dataset.path}`;
  const visible = () => rows().filter((row) => !row.hidden);

  /** Rows that hold what is searched for, with all above them; null without a search. */
  const found = (all) => {
    const text = (document.getElementById("controller-search")?.value || "").trim().toLowerCase();
    if (!text) return null;
    const above = [];
    const shown = Object.assign(new Set(), { count: 0 });
    for (const row of all) {
      above.splice(level(row), Infinity, row);
      if (!row.dataset.find.includes(text)) continue;
      shown.count += 1;
      above.forEach((each) => shown.add(each));
    }
    return shown;
  };

  /** Hide what is below closed rows, or not searched for; mark what is selected; one row stays in the tab order. */
  const apply = () => {
    const all = rows();
    if (!all.length) return;
    const shown = found(all);
    let below = Infinity;
    for (const row of all) {
      if (level(row) <= below) below = Infinity;
      row.hidden = shown ? !shown.has(row) : below !== Infinity;
      row.setAttribute("aria-selected", String(selected.has(row.dataset.path)));
      if (!row.hasAttribute("aria-expanded")) continue;
      const open = Boolean(shown) || !closed.has(key(row));
      row.setAttribute("aria-expanded", String(open));
      if (!open && !row.hidden) below = level(row);
    }
    const target = all.find((row) => row.dataset.path === focused && !row.hidden) || all.find((row) => !row.hidden) || all[0];
    all.forEach((row) => (row.tabIndex = row === target ? 0 : -1));
    document.getElementById("controller-found").textContent = shown ? `${shown.count} found` : "";
  };

  /** Select rows, and tell the server's side of the page. */
  const select = (paths) => {
    selected = new Set(paths);
    window.dash_clientside.set_props("controller-selected", { data: [...selected] });
    apply();
  };
  const flip = (row) => select(selected.has(row.dataset.path) ? [...selected].filter((path) => path !== row.dataset.path) : [...selected, row.dataset.path]);
  const upTo = (row) => {
    const all = visible();
    const [from, to] = [all.findIndex((each) => each.dataset.path === focused), all.indexOf(row)].sort((a, b) => a - b);
    select([...selected, ...all.slice(Math.max(from, 0), to + 1).map((each) => each.dataset.path)]);
  };

  /** After every drawing: nodes that are gone are not selected any more, nor are those of another session. */
  const drawn = () => {
    const known = new Set(place === location.search ? rows().map((row) => row.dataset.path) : []);
    place = location.search;
    const kept = [...selected].filter((path) => known.has(path));
    kept.length === selected.size ? apply() : select(kept);
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
    " ": flip,
    Escape: () => select([]),
    Home: () => focus(visible()[0]),
    End: () => focus(visible().at(-1)),
  };

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.(".tree-row");
    if (!row || event.altKey) return;
    const all = event.key === "a" && (event.ctrlKey || event.metaKey);
    if (!all && (!KEYS[event.key] || event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (all) select(visible().map((each) => each.dataset.path));
    else KEYS[event.key](row);
  });

  document.addEventListener("click", (event) => {
    const named = event.target.closest?.("[data-node]");
    const row = named ? rows().find((each) => each.dataset.path === named.dataset.node) : event.target.closest?.(".tree-row");
    if (!row) return;
    // A link to a node leads to its row, not to another page.
    if (named) event.preventDefault(), event.stopImmediatePropagation();
    if (event.target.closest(".tree-caret")) toggle(row, !isOpen(row));
    else if (event.shiftKey) upTo(row);
    else if (event.ctrlKey || event.metaKey || event.target.closest(".tree-check")) flip(row);
    else select([row.dataset.path]);
    focus(row);
  });

  // The second click of a double click, or of a key held down, never reaches the button; a click elsewhere ends that, and
  // so does typing.
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

  document.addEventListener("input", (event) => {
    last = null;
    if (event.target.id === "controller-search") apply();
  });

  document.addEventListener("console:drawn", (event) => event.target.querySelector(".tree-row") && drawn());
})();
