// What stands around every page of the gallery: the bar, the drawer with the page's code, and the icons of both.

import { element, icon, showsCode, themed } from "../frame.js";

const ICONS = {
  theme: "M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17",
  code: "m8.5 7-5 5 5 5m7-10 5 5-5 5",
  cut: "M6 3.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM6 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 7.5 20 17M8 16.5 20 7",
  outage: "M3 9a13 13 0 0 1 5-3M12 5.5A13 13 0 0 1 21 9M6.5 13a8 8 0 0 1 3-1.800M15 11.5a8 8 0 0 1 2.5 1.5M12 18v.1M4 3l16 18",
  slow: "M12 4a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 8v4.5l3 2M9.5 1.5h5",
  frames: "M4 6h16M4 12h10M4 18h13",
};

/** Draws the icons once; `icon(name)` refers to them. */
function sprite() {
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const symbol = ([name, d]) => svg("symbol", { id: `icon-${name}`, viewBox: "0 0 24 24" }, svg("path", { d }));
  const all = svg("svg", { width: 0, height: 0 }, ...Object.entries(ICONS).map(symbol));
  all.setAttribute("hidden", "");
  return all;
}

/**
 * Furnishes a page.
 *
 * @param {string} source the file to show as the page's code, which the page does run
 */
export function furnish(source) {
  document.body.prepend(sprite());
  const code = element(
    "button",
    { className: "quiet", type: "button", data: { test: "code" } },
    icon("code"),
    element("span", { className: "label" }, "Show the code"),
    element("span", { className: "unseen" }, "of this page"),
  );
  const theme = element(
    "button",
    { className: "quiet", type: "button", aria: { pressed: false }, data: { test: "theme" } },
    icon("theme"),
    element("span", { className: "unseen" }, "Dark theme"),
  );
  document.querySelector(".bar").append(code, theme);
  const close = element("form", { method: "dialog" }, element("button", { className: "quiet", data: { test: "close" } }, "Close"));
  const drawer = element(
    "dialog",
    { className: "drawer", aria: { labelledby: "drawer-title" }, data: { test: "drawer" } },
    element(
      "header",
      {},
      element("div", {}, element("h2", { id: "drawer-title" }, "The part that is Spanwire"), element("p", {}, "This file does the talking. The rest of the page draws it.")),
      close,
    ),
    element("pre", { tabIndex: 0, aria: { label: source.split("/").at(-1) } }, element("code", {})),
  );
  document.body.append(drawer);
  themed(theme);
  showsCode(code, drawer, source);
}
