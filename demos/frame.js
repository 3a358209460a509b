// What all pages share: making elements, what the browser remembers, the theme, the status chip.

/**
 * Makes an element. Text goes in as text and never as markup, so nothing that a stranger writes can
 * become part of the page.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties] `data` and `aria` are maps of their own, `on` is listeners
 * @param {...(Node | string | null | undefined | false)} children
 */
export function element(tag, { data = {}, aria = {}, on = {}, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(aria)) node.setAttribute(`aria-${name}`, String(value));
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children.filter((child) => child || child === ""));
  return node;
}

/**
 * What a browser remembers for us: `local` for good, `session` for this tab. Where storage is
 * forbidden, it remembers nothing.
 *
 * @param {"local" | "session"} kind
 */
function memory(kind) {
  return {
    get(key) {
      try {
        return globalThis[`${kind}Storage`].getItem(`spanwire.${key}`);
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        globalThis[`${kind}Storage`].setItem(`spanwire.${key}`, value);
      } catch {
        // Then it is forgotten with the page.
      }
    },
  };
}

export const local = memory("local");
export const session = memory("session");

/** Makes the button switch between light and dark, beginning with what the system prefers. */
export function themed(button) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const theme = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    button.setAttribute("aria-pressed", String(theme === "dark"));
    return theme;
  };
  root.dataset.theme = local.get("theme") ?? "";
  if (!root.dataset.theme) delete root.dataset.theme;
  dark.addEventListener("change", show);
  button.addEventListener("click", () => {
    root.dataset.theme = show() === "dark" ? "light" : "dark";
    local.set("theme", root.dataset.theme);
    show();
  });
  show();
}

/** Calls back when the page changes between light and dark: what is painted on a canvas does not do so by itself. */
export function onTheme(listener) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
  new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** What the transports are called. */
export const TRANSPORTS = { websocket: "WebSocket", http_stream: "HTTP stream", sse: "Server-sent events", poll: "Long polls" };

/**
 * Keeps a chip saying how a connection is doing. Returns what stops it.
 *
 * @param {HTMLElement} chip
 * @param {any} rt
 * @param {string} [over] what carries it, if that is not what its own status says
 */
export function showsStatus(chip, rt, over) {
  let ticking;
  const show = () => {
    const { state, transport, attempt, retryAt, latency, queued } = rt.status;
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const waiting = queued ? ` · ${queued} waiting` : "";
    const text = {
      connected: latency === null || over ? "Live" : `Live · ${latency} ms`,
      connecting: attempt ? `Try ${attempt}${waiting}` : "Connecting",
      waiting: `Back in ${seconds} s${waiting}`,
      closed: "Closed",
    }[state];
    chip.dataset.state = state;
    // The dot is before the one child, so that words and dot stay apart however narrow it is.
    chip.replaceChildren(element("span", {}, element("span", { className: "over" }, `${over ?? TRANSPORTS[transport]} · `), text));
    clearInterval(ticking);
    // Latency changes without an event of its own, and a countdown has to be counted.
    if (state !== "closed") ticking = setInterval(show, state === "waiting" ? 250 : 2_000);
  };
  const off = rt.on("status", show);
  show();
  return () => {
    off();
    clearInterval(ticking);
  };
}
