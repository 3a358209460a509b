// The page: two clients that watch the same market, each on a line of its own.

import { furnish } from "../frame/furnish.js";
import { showPanes } from "../frame/pane.js";
import { FramesDrawer } from "../frame/tape.js";
import { tries } from "../frame/tries.js";
import { Pane } from "./pane.js";

furnish("/demos/ticker/feed.js");
const drawer = new FramesDrawer();
const panes = [new Pane("left", "One trader", drawer), new Pane("right", "Another trader", drawer)];

const chosen = panes.map(({ state }) => state.share);
tries({
  outage: () => panes.some(({ state }) => state.cuts && state.state === "connected"),
  share: () => panes.some(({ state }, at) => state.share !== chosen[at]),
  slow: () => panes.some(({ state }) => state.p50 >= 300),
});
showPanes(panes, { sumAt: (pane, n) => panes[pane].sumAt(n), bookAt: (pane, n) => panes[pane].bookAt(n) });
