// The page: four transports side by side, one client that chooses for itself, and what is put in their way.

import { TRANSPORTS } from "../frame.js";
import { furnish } from "../frame/furnish.js";
import { Line } from "../frame/line.js";
import { FramesDrawer } from "../frame/tape.js";
import { tries } from "../frame/tries.js";
import { Lane } from "./lane.js";
import { View } from "./view.js";

/** How often something is published, and how often the figures are drawn, in milliseconds. */
const EVERY_MS = 250;

/** What can be in the way, as the line takes it. */
const OBSTACLES = {
  none: {},
  refuse: { upgrades: "refuse" },
  hang: { upgrades: "hang" },
  hold: { hold_answers: true },
  idle: { cut_idle_ms: 10_000 },
};

furnish("/demos/fallback-lab/lane.js");
const drawer = new FramesDrawer();
const line = new Line("lab"); // one for all of them: whatever is put there is in everybody's way
const channel = `lab-${Math.random().toString(36).slice(2, 10)}`;
const chooser = new Lane(line.url, channel);
const lanes = Object.entries(TRANSPORTS).map(([transport, title]) => [new Lane(line.url, channel, [transport]), title]);
const views = [new View(chooser, "What a page gets", drawer), ...lanes.map(([lane, title]) => new View(lane, title, drawer))];
document.querySelector("#chooser").append(views[0].root);
document.querySelector("#lanes").append(...views.slice(1).map(({ root }) => root));

let n = 0;
let publishing = true;
setInterval(() => {
  // Whoever chooses for itself publishes as well: what it says while it is cut off waits in its queue.
  if (publishing) chooser.room.publish({ n: ++n, at: performance.now() }).catch(() => {});
  for (const view of views) view.draw();
}, EVERY_MS);

/** What is in the way now, and how many connections had ended when everything was first cut by hand. */
let obstacle = "none";
let endsBefore = Infinity;
const ends = () => [chooser, ...lanes.map(([lane]) => lane)].reduce((sum, lane) => sum + lane.ends, 0);

async function put(name) {
  obstacle = name;
  await line.set(OBSTACLES[name]);
  // What is open already would not notice: a proxy that changes its mind begins with new connections.
  await line.cut();
}

document.querySelector("#obstacles").addEventListener("change", ({ target }) => put(target.value));
document.querySelector("#cut").addEventListener("click", () => {
  endsBefore = Math.min(endsBefore, ends());
  line.cut();
});

const { rt } = chooser;
tries({
  refuse: () => obstacle === "refuse" && rt.status.state === "connected" && rt.status.transport !== "websocket",
  hold: () => obstacle === "hold" && rt.status.state === "connected" && rt.status.transport === "poll",
  cut: () => ends() > endsBefore && rt.status.state === "connected",
});

/** For tests: what a person sees, as values to wait for. */
window.__demo = {
  put,
  stop: () => (publishing = false),
  get published() {
    return n;
  },
  get ready() {
    return views.every(({ state }) => state.ready);
  },
  get chooser() {
    return views[0].state;
  },
  get lanes() {
    return views.slice(1).map(({ state }) => state);
  },
};
