import { element } from "../frame.js";

/**
 * A drawer at the side of the page, closed to begin with. A click beside it closes it again.
 *
 * @param {string} test
 * @param {HTMLElement} title has an id
 * @param {HTMLElement} sentence
 * @param {...HTMLElement} content
 * @returns {HTMLDialogElement}
 */
export function drawerOf(test, title, sentence, ...content) {
  const close = element("form", { method: "dialog" }, element("button", { className: "quiet", data: { test: `close-${test}` } }, "Close"));
  const header = element("header", {}, element("div", {}, title, sentence), close);
  const drawer = element("dialog", { className: "drawer", aria: { labelledby: title.id }, data: { test } }, header, ...content);
  drawer.addEventListener("click", ({ target }) => target === drawer && drawer.close());
  document.body.append(drawer);
  return drawer;
}
