// The page: two people, one room in the address, and the frame around them.

import { element } from "../frame.js";
import { barButton } from "../frame/bar.js";
import { furnish } from "../frame/furnish.js";
import { seedOf } from "../frame/random.js";
import { FramesDrawer } from "../frame/tape.js";
import { tries } from "../frame/tries.js";
import { Bots } from "./bots.js";
import { Pane } from "./pane.js";

const ROOMS = ["lobby", "kitchen", "workshop"];
const parameters = new URLSearchParams(location.search);
const company = barButton("bots", "people", "Company", ": two bots who talk");
furnish("/demos/chat/conversation.js", company);
const drawer = new FramesDrawer();
const panes = [new Pane("left", { name: parameters.get("name")?.slice(0, 40) || undefined, drawer })];
const wide = matchMedia("(width >= 900px)");
const place = document.querySelector("main");
place.append(panes[0].root);

/** The room in the address: small letters, digits and dashes, so that it is always a legal channel. */
function roomName() {
  const wish = decodeURIComponent(location.hash.slice(1)).toLowerCase();
  return wish.replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32) || ROOMS[0];
}

function goTo(pane) {
  const name = roomName();
  const names = ROOMS.includes(name) ? ROOMS : [...ROOMS, name];
  const links = names.map((each) => element("a", { href: `#${each}`, data: { test: "room", room: each } }, each));
  pane.root.querySelector("[data-part=rooms]").replaceChildren(...links);
  pane.goTo(name);
}

/** The second person comes as soon as there is room, so that one visitor sees both ends. */
function fill() {
  if (panes.length > 1 || !wide.matches || parameters.get("panes") === "1") return;
  const second = new Pane("right", { notAs: panes[0].state.name, drawer });
  panes.push(second);
  place.append(second.root);
  goTo(second);
}

/** Company for somebody who is alone. With a seed in the address it is there at once, and always says the same. */
let bots = null;
function bring(wanted) {
  bots?.leave();
  bots = wanted ? new Bots(seedOf(parameters), roomName()) : null;
  company.setAttribute("aria-pressed", String(wanted));
}

goTo(panes[0]);
fill();
wide.addEventListener("change", fill);
addEventListener("hashchange", () => {
  panes.forEach(goTo);
  bring(!!bots);
});
company.addEventListener("click", () => bring(!bots));
if (parameters.has("seed")) bring(true);

const states = () => panes.map(({ state }) => state);
tries({
  say: () => states().some(({ offset }) => offset),
  outage: () => states().some(({ cuts, state, queued }) => cuts && state === "connected" && !queued),
  company: () => states().some(({ unread }) => unread),
});

/** For tests: what a person sees, as values to wait for, and what they can do. */
function hook(pane) {
  const hooked = { say: (text) => pane.say(text) };
  for (const key of Object.keys(pane.state)) Object.defineProperty(hooked, key, { get: () => pane.state[key], enumerable: true });
  return hooked;
}

// The first person's, and those of both as `panes`.
window.__demo = Object.defineProperty(hook(panes[0]), "panes", { get: () => panes.map(hook), enumerable: true });
