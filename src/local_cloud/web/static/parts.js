// What the pages of all clouds are made of. Values go in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

// What the address shows, such as job and item; it can be shared and reloaded.
export const place = () => new URLSearchParams(location.hash.slice(1));

// Returns an address on this page.
export const addressOf = (shown) => `#${new URLSearchParams(shown)}`;

// Returns a function that tells whether a part of the page changes: what does not is
// left alone, so that the focus of the keyboard stays where it is.
export function changes() {
  const seen = new Map();
  return (part, value) => {
    const text = JSON.stringify([value, location.hash]);
    const before = seen.get(part);
    seen.set(part, text);
    return text !== before;
  };
}

export async function get(path, parameters = {}) {
  return request("GET", `${path}?${new URLSearchParams(parameters)}`);
}

export async function post(path) {
  return request("POST", path);
}

async function request(method, address) {
  const response = await fetch(address, { method });
  if (response.status === 401) {
    throw new Error(
      "Open the link that the server printed; the command serve --link prints a new one.",
    );
  }
  const text = await response.text();
  const body = text ? JSON.parse(text) : null;
  if (!response.ok) {
    throw Object.assign(new Error(body.message), { status: response.status });
  }
  return body;
}

// Returns a function that keeps what it got for each key: for what never changes.
export function remember(load) {
  const known = new Map();
  return async (key, ...others) => {
    if (!known.has(key)) {
      known.set(key, await load(key, ...others));
    }
    return known.get(key);
  };
}

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svgNode(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.textContent = text;
  return made;
}

export function button(text, onclick, className = "") {
  return element("button", { type: "button", onclick, className }, text);
}

export function choice(text, href, isCurrent) {
  const made = element("a", { href }, text);
  if (isCurrent) {
    made.setAttribute("aria-current", "true");
  }
  return element("li", {}, made);
}

// Returns a row of a table; narrow screens show the label of each cell beside it.
export function row(labels, cells, { id, isCurrent = false } = {}) {
  const made = element("tr", {});
  cells.forEach((content, index) => {
    const isEmpty = content instanceof Node && !content.textContent;
    const cell = element(index ? "td" : "th", {}, isEmpty ? null : content);
    cell.dataset.label = labels[index];
    if (!index) {
      cell.scope = "row";
    }
    if (content instanceof HTMLElement && content.classList.contains("number")) {
      cell.className = "number";
    }
    made.append(cell);
  });
  if (id !== undefined) {
    made.dataset.id = id;
  }
  if (isCurrent) {
    made.setAttribute("aria-current", "true");
  }
  return made;
}

export const number = (text) => element("span", { className: "number" }, String(text ?? ""));

export const code = (text) => element("span", { className: "code" }, String(text));

export function badge(status, kind) {
  return element("span", { className: `status ${kind}` }, status);
}

// Writes a time in UTC, as ISO 8601 does, to the second.
export function time(text) {
  const moment = new Date(text);
  const iso = Number.isNaN(moment.valueOf()) ? null : moment.toISOString();
  return iso === null
    ? String(text)
    : element("time", { dateTime: iso }, iso.slice(0, 19).replace("T", " "));
}

// Fills a list of terms with their values; what has none is left out.
export function fill(list, facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  list.replaceChildren(
    ...known.map(([term, value, isWide]) =>
      element(
        "div",
        { className: isWide ? "wide" : "" },
        element("dt", {}, term),
        element("dd", {}, value instanceof Node ? value : String(value)),
      ),
    ),
  );
}

// Joins sentences, each of them once.
export function sentences(...texts) {
  const all = texts.filter(Boolean).map((text) => (/[.!?]$/.test(text) ? text : `${text}.`));
  return [...new Set(all)].join(" ");
}

// Gives a file to the browser to save.
export function save(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href, download: name }).click();
  // The browser may still read it.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

export const saveJson = (name, value) =>
  save(name, "application/json", `${JSON.stringify(value, null, 2)}\n`);

// Saves rows as CSV (RFC 4180).
export function saveCsv(name, rows) {
  const quoted = (value) =>
    /[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  save(name, "text/csv", rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join(""));
}

// Shows the list of jobs, or one of them.
export function showPart(isJob, title) {
  byId("list").hidden = isJob;
  byId("job").hidden = !isJob;
  document.title = title;
}

// Does some work, and shows why it fails if it does.
export async function attempt(work) {
  try {
    await work();
    byId("notice").textContent = "";
    byId("content").hidden = false;
  } catch (error) {
    byId("notice").textContent =
      error instanceof TypeError ? "The server does not answer." : error.message;
  }
}

// Refreshes the page when its address changes, and again and again while somebody can
// see it.
export function follow(refresh, milliseconds) {
  let running = Promise.resolve();
  const next = () => (running = running.then(() => attempt(refresh)));
  window.addEventListener("hashchange", next);
  const repeat = async () => {
    if (!document.hidden) {
      await next();
    }
    setTimeout(repeat, milliseconds);
  };
  repeat();
  return next;
}
