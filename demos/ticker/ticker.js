// The page: two clients that watch the same market, each on a line of its own.

import { furnish } from "../frame/furnish.js";
import { FramesDrawer } from "../frame/tape.js";
import { Pane } from "./pane.js";

furnish("/demos/ticker/feed.js");
const drawer = new FramesDrawer();
const panes = [new Pane("left", "One trader", drawer), new Pane("right", "Another trader", drawer)];
document.querySelector(".panes").append(...panes.map(({ root }) => root));

/** For tests. */
window.__demo = {
  sumAt: (pane, n) => panes[pane].sumAt(n),
  get panes() {
    return panes.map(({ state }) => state);
  },
  get ready() {
    return panes.every(({ state }) => state.ready);
  },
};
