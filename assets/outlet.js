/* Outlets: what only shows something is drawn here, not by Dash. Each Dash component costs time at every change anywhere on
   the page; an outlet is one of them, whatever it holds. Its content stands in data-content as JSON (components/outlet.py):
   a text, or [tag, attributes, children]. Elements are changed in place, so focus, what is folded and what is selected stay. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const KEY = Symbol("key");
  const DRAWN = Symbol("drawn");
  // What a person or another script decided stays: an attribute is only touched when what the server says of it changed.
  const SAID = Symbol("said");

  const isText = (item) => typeof item === "string";
  const keyOf = (item) => (isText(item) ? undefined : item[1].key);
  const fits = (node, item) =>
    isText(item) ? node.nodeType === Node.TEXT_NODE : node.localName === item[0] && node[KEY] === keyOf(item);

  const make = (item) => {
    if (isText(item)) return document.createTextNode(item);
    const element = document.createElement(item[0]);
    element[KEY] = keyOf(item);
    element[SAID] = {};
    return element;
  };

  const dress = (element, attributes) => {
    const said = element[SAID];
    for (const name of Object.keys(said)) if (!(name in attributes)) element.removeAttribute(name);
    for (const [name, value] of Object.entries(attributes)) {
      if (name !== "key" && said[name] !== value) element.setAttribute(name, value);
    }
    element[SAID] = attributes;
  };

  const fill = (parent, items) => {
    const keyed = new Map([...parent.childNodes].filter((node) => node[KEY] !== undefined).map((node) => [node[KEY], node]));
    let place = parent.firstChild;
    for (const item of items) {
      const found = keyOf(item) === undefined ? place : keyed.get(keyOf(item));
      const node = found && fits(found, item) ? found : make(item);
      if (node === place) place = place.nextSibling;
      else parent.insertBefore(node, place);
      if (!isText(item)) {
        dress(node, item[1]);
        fill(node, item[2]);
      } else if (node.data !== item && node[SAID] !== item) node.data = item;
      if (isText(item)) node[SAID] = item;
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  const draw = (outlet) => {
    const content = outlet.dataset.content;
    if (outlet[DRAWN] === content) return;
    outlet[DRAWN] = content;
    fill(outlet, JSON.parse(content));
    outlet.dispatchEvent(new CustomEvent("console:drawn", { bubbles: true }));
    ui.paint?.();
  };

  const within = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.querySelectorAll("[data-content]") : []);
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") draw(change.target);
      for (const node of change.addedNodes) {
        if (node.dataset?.content) draw(node);
        within(node).forEach(draw);
      }
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-content"] });

  // Links to our own pages change the page as Dash's own links do, without loading everything anew.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-content] a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  });
})();
