// What all pages share: making elements, the theme, the drawer with the page's code, the status chip.

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

/** One of the icons that the page defines as `<symbol id="icon-...">`. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  svg.firstChild.setAttribute("href", `#icon-${name}`);
  return svg;
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

/** Makes the button open the drawer and fill it with the very file that the page runs. */
export function showsCode(button, drawer, url) {
  const code = drawer.querySelector("code");
  button.addEventListener("click", async () => {
    drawer.showModal();
    if (code.childNodes.length) return;
    const source = await (await fetch(url)).text();
    for (const line of source.split("\n")) {
      const comment = line.search(/\/\/ |\/\*\*| \* | \*\//);
      const [before, after] = comment < 0 ? [line, ""] : [line.slice(0, comment), line.slice(comment)];
      code.append(before, after && element("span", { className: "comment" }, after), "\n");
    }
  });
  drawer.addEventListener("click", ({ target }) => target === drawer && drawer.close());
}

/** Keeps a chip saying how a connection is doing. Returns what stops it. */
export function showsStatus(chip, rt) {
  let ticking;
  const show = () => {
    const { state, attempt, retryAt, latency, queued, lastError } = rt.status;
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const waiting = queued ? ` · ${queued} waiting` : "";
    chip.dataset.state = state;
    chip.title = lastError && state !== "connected" ? lastError.message : "";
    chip.textContent = {
      connected: latency === null ? "Live" : `Live · ${latency} ms`,
      connecting: attempt ? `Try ${attempt}${waiting}` : "Connecting",
      waiting: `Back in ${seconds} s${waiting}`,
      closed: "Closed",
    }[state];
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
