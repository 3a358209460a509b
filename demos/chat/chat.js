// The page: two people, one room in the address, and the frame around them.

import { showsCode, themed } from "../frame.js";
import { Pane, roomLinks } from "./pane.js";

const ROOMS = ["lobby", "kitchen", "workshop"];
const parameters = new URLSearchParams(location.search);
const panes = [new Pane("left", { name: parameters.get("name")?.slice(0, 40) || undefined })];
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
  pane.root.querySelector("[data-part=rooms]").replaceChildren(...roomLinks(names));
  pane.goTo(name);
}

/** The second person comes as soon as there is room, so that one visitor sees both ends. */
function fill() {
  if (panes.length > 1 || !wide.matches || parameters.get("panes") === "1") return;
  const second = new Pane("right", { notAs: panes[0].state.name });
  panes.push(second);
  place.append(second.root);
  goTo(second);
}

goTo(panes[0]);
fill();
wide.addEventListener("change", fill);
addEventListener("hashchange", () => panes.forEach(goTo));
themed(document.querySelector("#theme"));
showsCode(document.querySelector("#code"), document.querySelector("#drawer"), "/demos/chat/conversation.js");

/** For tests: what a person sees, as values to wait for, and what they can do. */
function hook(pane) {
  const hooked = { say: (text) => pane.say(text), unplug: () => pane.unplug() };
  for (const key of Object.keys(pane.state)) Object.defineProperty(hooked, key, { get: () => pane.state[key], enumerable: true });
  return hooked;
}

// The first person's, and those of both as `panes`.
window.__demo = Object.defineProperty(hook(panes[0]), "panes", { get: () => panes.map(hook), enumerable: true });
