import { element } from "../frame.js";

/** A pane made from the page's template: its title and how it is doing on top, what can befall it, and what the page has to show. */
export function paneOf(id, title) {
  const content = document.querySelector("#pane").content.cloneNode(true);
  const chip = element("span", { className: "chip", role: "status", data: { part: "status", test: "status" } });
  const strip = element("div", { className: "chaos", role: "group", aria: { label: "What can befall this connection" }, data: { part: "chaos" } });
  const top = element("header", { className: "top" }, element("h2", {}, title), ...content.querySelectorAll("[data-top]"), chip);
  return element("section", { className: "pane", aria: { label: title }, data: { pane: id } }, top, strip, content);
}

/**
 * Puts panes onto the page, and what can be seen of them where a test finds it: `__demo` has values to wait for.
 *
 * @param {{ root: HTMLElement, state: any }[]} panes
 * @param {object} [more] what this page's test needs besides
 */
export function showPanes(panes, more = {}) {
  document.querySelector(".panes").append(...panes.map(({ root }) => root));
  window.__demo = Object.defineProperties(more, {
    panes: { get: () => panes.map(({ state }) => state) },
    ready: { get: () => panes.every(({ state }) => state.ready) },
  });
}
