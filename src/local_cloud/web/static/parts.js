// What the pages of all clouds are made of. Values go in as text, never as markup.

export const byId = (id) => document.getElementById(id);

// Returns a function that tells whether a part of the page changes: what does not is
// left alone, so that the focus of the keyboard stays where it is.
export function changes(shown) {
  const seen = new Map();
  return (part, value) => {
    const text = JSON.stringify([value, shown]);
    const before = seen.get(part);
    seen.set(part, text);
    return text !== before;
  };
}

export async function get(path, parameters = {}) {
  const query = new URLSearchParams(parameters);
  const response = await fetch(`${path}?${query}`);
  if (response.status === 401) {
    throw new Error(
      "Open the link that the server printed; the command serve --link prints a new one.",
    );
  }
  const body = await response.json();
  if (!response.ok) {
    throw Object.assign(new Error(body.message), { status: response.status });
  }
  return body;
}

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(text, isPressed, onclick) {
  const made = element("button", { type: "button", onclick }, text);
  made.setAttribute("aria-pressed", String(isPressed));
  return made;
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

// Refreshes the page again and again while somebody can see it.
export async function follow(refresh, milliseconds) {
  if (!document.hidden) {
    await refresh();
  }
  setTimeout(() => follow(refresh, milliseconds), milliseconds);
}
