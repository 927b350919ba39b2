/* The control page of the simulator. Everything shown is text from the server: set as text, never as markup. */
"use strict";

const token = location.hash.slice(1) || sessionStorage.getItem("token") || "";
sessionStorage.setItem("token", token);
// The token does not stay in the address bar.
history.replaceState(null, "", location.pathname);

const REFRESH_MS = 2000;
const byId = (id) => document.getElementById(id);

/** Return a new element with a text. */
function element(tag, text = "", properties = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  return Object.assign(made, properties);
}

/** Say how the last request went. */
function say(text, wrong = false) {
  byId("answer").textContent = text;
  byId("answer").classList.toggle("wrong", wrong);
}

/** Ask the server; returns its JSON, or undefined after saying what is wrong. */
async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const request = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  try {
    const answer = await fetch(path, request);
    if (!answer.ok) {
      say(await answer.text(), true);
      return undefined;
    }
    return await answer.json();
  } catch {
    say("The simulator does not answer", true);
    return undefined;
  }
}

/** Send an order and say that it was done. */
async function order(name, body) {
  say(`${name} …`);
  if ((await ask(`/${name}`, body)) !== undefined) {
    say(`done: ${name}`);
  }
  await refresh();
}

/** Return the field of a parameter. */
function field(parameter, sessions) {
  const choices = parameter.name === "session" ? sessions : parameter.choices;
  if (choices.length) {
    const select = element("select", "", { name: parameter.name });
    select.append(...choices.map((choice) => element("option", choice, { selected: choice === parameter.default })));
    return select;
  }
  if (parameter.kind === "bool") {
    return element("input", "", { type: "checkbox", name: parameter.name, checked: parameter.default === true });
  }
  const input = element("input", "", { name: parameter.name, value: parameter.default ?? "" });
  input.required = parameter.default === null;
  if (parameter.kind === "str") {
    input.setAttribute("list", "names");
  } else {
    Object.assign(input, { type: "number", step: parameter.kind === "int" ? "1" : "any" });
  }
  return input;
}

/** Return the value of a field as the server wants it. */
function value(parameter, input) {
  if (parameter.kind === "bool") {
    return input.checked;
  }
  return parameter.kind === "str" ? input.value : Number(input.value);
}

/** Return the form of an order. */
function form(described, sessions) {
  const made = element("form");
  made.append(element("strong", described.does));
  for (const parameter of described.parameters) {
    const label = element("label", `${parameter.name} `);
    label.append(field(parameter, sessions));
    made.append(label);
  }
  made.append(element("button", described.name, { type: "submit" }));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    order(described.name, Object.fromEntries(
      described.parameters.map((known) => [known.name, value(known, made.elements.namedItem(known.name))]),
    ));
  });
  return made;
}

/** Return the entry of a scenario. */
function scenario(described) {
  const item = element("li");
  const play = element("button", `play ${described.name}`, { type: "button" });
  play.addEventListener("click", () => order("play", {
    name: described.name,
    session: byId("scenario-session").value,
    speed: Number(byId("scenario-speed").value),
  }));
  item.append(play, ` ${described.title}. ${described.teaches}`);
  return item;
}

function showSessions(sessions) {
  byId("sessions").replaceChildren(...sessions.map((session) => {
    const row = element("tr");
    const state = element("td", session.in_error ? `${session.state}, in error` : session.state);
    state.classList.toggle("error", session.in_error);
    const cells = [session.name, session.generation, state, session.processes.length, session.dead.join(", ")];
    row.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", String(cell)))));
    return row;
  }));
  const names = new Set(sessions.flatMap((session) => session.processes));
  byId("names").replaceChildren(...[...names].map((name) => element("option", "", { value: name })));
}

function showProgress(progress) {
  byId("progress").textContent = progress
    ? `${progress.title}: ${progress.outcome}, step ${progress.step} of ${progress.steps}: ${progress.doing}`
    : "none was played";
}

/** Ask for what changes by itself. */
async function refresh() {
  const state = await ask("/state");
  if (state !== undefined) {
    showSessions(state.sessions);
    showProgress(state.progress);
  }
  return state;
}

async function begin() {
  byId("stop-playing").addEventListener("click", () => order("stop-playing", {}));
  const state = await refresh();
  if (state === undefined) {
    return;
  }
  say("");
  const sessions = state.sessions.map((session) => session.name);
  byId("scenario-session").replaceChildren(...sessions.map((name) => element("option", name)));
  byId("scenarios").replaceChildren(...state.scenarios.map(scenario));
  byId("orders").replaceChildren(...state.orders.map((described) => form(described, sessions)));
  setInterval(refresh, REFRESH_MS);
}

begin();
