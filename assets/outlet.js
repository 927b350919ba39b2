/* Outlets: what only shows something is drawn here, not by Dash (ADR 0006). data-content holds it as JSON: a text, or
   [tag, attributes, children]. Elements are changed in place: focus, what is folded and what is selected stay. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const DRAWN = Symbol("drawn");
  // What the server said last. What it did not change is left alone: a person or another script may have.
  const SAID = Symbol("said");

  const isText = (item) => typeof item === "string";
  const keyOf = (item) => (isText(item) ? undefined : item[1].key);
  const fits = (node, item) =>
    isText(item) ? node.nodeType === Node.TEXT_NODE : node.localName === item[0] && node[SAID]?.key === keyOf(item);

  const dress = (element, attributes) => {
    const said = element[SAID] || {};
    for (const name in said) if (!(name in attributes)) element.removeAttribute(name);
    for (const name in attributes) if (said[name] !== attributes[name] && name !== "key") element.setAttribute(name, attributes[name]);
    element[SAID] = attributes;
  };

  const fill = (parent, items) => {
    const keyed = new Map([...parent.childNodes].map((node) => [node[SAID]?.key, node]));
    let place = parent.firstChild;
    for (const item of items) {
      const found = keyOf(item) === undefined ? place : keyed.get(keyOf(item));
      const fresh = () => (isText(item) ? document.createTextNode(item) : document.createElement(item[0]));
      const node = found && fits(found, item) ? found : fresh();
      if (node === place) place = place.nextSibling;
      else parent.insertBefore(node, place);
      if (isText(item)) {
        if (node.data !== item) node.data = item;
        continue;
      }
      dress(node, item[1]);
      fill(node, item[2]);
    }
    [...parent.childNodes].slice(items.length).forEach((node) => node.remove());
  };

  const draw = (outlet) => {
    const content = outlet.dataset.content;
    if (outlet[DRAWN] === content) return;
    outlet[DRAWN] = content;
    fill(outlet, JSON.parse(content));
    outlet.dispatchEvent(new CustomEvent("console:drawn", { bubbles: true }));
    ui.paint?.();
  };

  const observer = new MutationObserver(() => document.querySelectorAll("[data-content]").forEach(draw));
  observer.observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-content"] });

  // Links to our own pages, also in grids, change the page as Dash's own links do, without loading everything anew.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-content] a[href], .grid a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  });
})();
