// The page: two clients that watch the server, and a crowd that gives it something to do.

import { furnish } from "../frame/furnish.js";
import { showPanes } from "../frame/pane.js";
import { FramesDrawer } from "../frame/tape.js";
import { tries } from "../frame/tries.js";
import { CROWD_MAX, Crowd } from "./crowd.js";
import { Pane } from "./pane.js";

/** How many come at a time, and how often one of them talks while they may, in milliseconds. */
const GROUP = 25;
const TALK_MS = 50;

furnish("/demos/health/vitals.js");
const drawer = new FramesDrawer();
const panes = [new Pane("left", "One screen", drawer), new Pane("right", "Another screen", drawer)];

const crowd = new Crowd();
const [come, talk, leave, count] = ["come", "talk", "leave", "count"].map((id) => document.querySelector(`#${id}`));
let talking;
let talked = false;
let gone = false;

function say() {
  count.textContent = crowd.size ? `${crowd.size} in the crowd` : "nobody yet";
  come.disabled = crowd.size >= CROWD_MAX;
  talk.disabled = leave.disabled = !crowd.size;
  talk.setAttribute("aria-pressed", String(!!talking));
}

function hush() {
  clearInterval(talking);
  talking = undefined;
}

come.addEventListener("click", () => crowd.come(GROUP, say));
talk.addEventListener("click", () => {
  if (talking) hush();
  else talking = setInterval(() => crowd.talk(), TALK_MS);
  talked = true;
  say();
});
leave.addEventListener("click", () => {
  hush();
  crowd.leave();
  gone = true;
  say();
});
say();
tries({
  come: () => crowd.size,
  talk: () => talked,
  gone: () => gone && panes.every(({ state }) => state.tiles.clients === panes.length),
});
showPanes(panes, { now: (pane, name) => panes[pane].now(name), sampleOf: (pane, at) => panes[pane].sampleOf(at) });
