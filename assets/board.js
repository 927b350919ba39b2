/* Transition board: a grid with one place in the tab order, arrows move in it; a chosen cell is told to the server's side of
   the page, which draws what is behind it. */
(() => {
  const STOP = ".board [data-run], .board [data-node]";
  let board = null;
  let chosen = null;
  // Whether what was just asked for is still to be brought into view: drawing it anew moves nothing.
  let wanted = false;

  const stops = () => [...document.querySelectorAll(STOP)];
  const place = (cell) => cell.closest("td, th");
  const stop = (part) => (part?.matches?.(STOP) ? part : part?.querySelector?.(STOP));
  const key = (cell) => ({ run: cell.dataset.run, path: cell.parentElement.querySelector("[data-node]").dataset.node });
  const isChosen = (cell) => Boolean(chosen && cell.dataset.run === chosen.run && key(cell).path === chosen.path);

  /** Mark the chosen cell; whatever was drawn anew, one place stays in the tab order. */
  const apply = (now) => {
    const all = stops();
    all.filter((cell) => cell.dataset.run).forEach((cell) => cell.setAttribute("aria-selected", String(isChosen(cell))));
    const target = now || all.find((cell) => cell.tabIndex === 0) || all[0];
    all.forEach((cell) => (cell.tabIndex = cell === target ? 0 : -1));
  };

  const choose = (cell) => {
    chosen = cell && !isChosen(cell) ? key(cell) : null;
    wanted = Boolean(chosen);
    window.dash_clientside.set_props("controller-cell", { data: chosen });
    apply(cell);
  };

  /** What is beside a place in a row, or in its column: those that were not sent are passed over. */
  const along = (from, step) => {
    let next = step(from);
    while (next && !stop(next)) next = step(next);
    return stop(next);
  };
  const inColumn = (way) => (cell) => cell.parentElement[way]?.cells[cell.cellIndex];
  const STEPS = {
    ArrowRight: (cell) => cell.nextElementSibling,
    ArrowLeft: (cell) => cell.previousElementSibling,
    ArrowDown: inColumn("nextElementSibling"),
    ArrowUp: inColumn("previousElementSibling"),
  };

  document.addEventListener("keydown", (event) => {
    const from = event.target.closest?.(STOP);
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = STEPS[event.key] && along(place(from), STEPS[event.key]);
    if (to) apply(to), to.focus();
    else if (event.key === "Enter" || event.key === " ") from.click();
    else if (event.key === "Escape") choose(null);
    if (STEPS[event.key] || event.key === "Enter" || event.key === " ") event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.(".board [data-run]");
    if (cell) choose(cell), cell.focus();
    if (event.target.closest?.("#controller-cell-close-button")) {
      const back = stops().find((other) => other.dataset.run && isChosen(other));
      choose(null);
      back?.focus();
    }
  });

  document.addEventListener("console:drawn", (event) => {
    if (event.target.id === "controller-board") {
      const anew = event.target !== board && stops().length;
      // On a page that was opened anew nothing is chosen, and the latest transition is the one to see.
      if (anew) [board, chosen, event.target.scrollLeft] = [event.target, null, event.target.scrollWidth];
      apply();
    }
    if (event.target.id !== "controller-cell-details" || !wanted) return;
    wanted = false;
    event.target.scrollIntoView({ block: "nearest" });
  });
})();
