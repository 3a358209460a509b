// The bar at the top of every page: where one is, what else there is, and light or dark.

import { element, themed } from "../frame.js";
import { drawIcons, icon, mark } from "./icons.js";

/** The pages of the gallery, in the order in which to look at them. */
const PAGES = {
  chat: "/demos/chat/",
  notifications: "/demos/notifications/",
  ticker: "/demos/ticker/",
  "system health": "/demos/health/",
  "fallback lab": "/demos/fallback-lab/",
};

/** A button of the bar; what it says is left out where there is no room. */
export function barButton(test, glyph, label, more) {
  const said = [label && element("span", { className: "label" }, label), element("span", { className: "unseen" }, more)];
  return element("button", { className: "quiet", type: "button", data: { test } }, icon(glyph), ...said);
}

/**
 * Fills the page's bar, which is there from the first moment so that nothing jumps.
 *
 * @param {...HTMLElement} tools what this page has there besides
 */
export function fillBar(...tools) {
  drawIcons();
  const current = (path) => (location.pathname === path ? { current: "page" } : {});
  const link = ([name, path]) => element("a", { href: path, aria: current(path), data: { test: "page" } }, name);
  const theme = barButton("theme", "theme", "", "Dark theme");
  theme.setAttribute("aria-pressed", "false");
  document.querySelector(".bar").append(
    element("a", { className: "brand", href: "/", aria: current("/") }, mark(), "Spanwire"),
    element("nav", { className: "pages", aria: { label: "Pages" } }, ...Object.entries(PAGES).map(link)),
    ...tools,
    theme,
  );
  themed(theme);
}
