// The icons that all pages share. A page with more of them defines those itself.

const ICONS = {
  theme: "M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17",
  code: "m8.5 7-5 5 5 5m7-10 5 5-5 5",
  cut: "M6 3.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM6 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 7.5 20 17M8 16.5 20 7",
  outage: "M3 9a13 13 0 0 1 5-3M12 5.5A13 13 0 0 1 21 9M6.5 13a8 8 0 0 1 3-1.8M15 11.5a8 8 0 0 1 2.5 1.5M12 18v.1M4 3l16 18",
  slow: "M12 4a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 8v4.5l3 2M9.5 1.5h5",
  frames: "M4 6h16M4 12h10M4 18h13",
  phone: "M8 2.5h8a2 2 0 0 1 2 2v15a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2v-15a2 2 0 0 1 2-2zM11 18.5h2",
  people: "M9 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 20a6.5 6.5 0 0 1 13 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.3a6.5 6.5 0 0 1 4 5.7",
};

/** An element of a drawing. */
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** One of the icons, or one that the page defines as `<symbol id="icon-...">`. */
export const icon = (name) => svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));

/** Draws the icons once, for `icon` to refer to. */
export function drawIcons() {
  const symbol = ([name, d]) => svg("symbol", { id: `icon-${name}`, viewBox: "0 0 24 24" }, svg("path", { d }));
  document.body.prepend(svg("svg", { width: 0, height: 0, hidden: "" }, ...Object.entries(ICONS).map(symbol)));
}

/** Two posts, and what is spanned between them. */
export function mark() {
  const post = (cx) => svg("circle", { cx, cy: 4, r: 3, fill: "currentColor" });
  const d = "M4 20V4m22 16V4M4 5c5 11 17 11 22 0";
  const wire = svg("path", { d, fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round" });
  return svg("svg", { viewBox: "0 0 30 22", "aria-hidden": "true" }, wire, post(4), post(26));
}
