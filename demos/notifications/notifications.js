// The page: two devices, and the shop that sends them notices.

import { element } from "../frame.js";
import { furnish } from "../frame/furnish.js";
import { showPanes } from "../frame/pane.js";
import { chance, seedOf } from "../frame/random.js";
import { FramesDrawer } from "../frame/tape.js";
import { tries } from "../frame/tries.js";
import { send } from "./backend.js";
import { Pane } from "./pane.js";
import { SEGMENTS, Shop } from "./shop.js";

/** On a busy day, how often the shop has something to say, in milliseconds. */
const BUSY_MS = 2_500;

const TITLES = { ana: "Ana", ben: "Ben", cleo: "Cleo", gold: "Gold members: Ana, Cleo", everybody: "Everybody" };
const TITLE = document.title;

furnish("/demos/notifications/inbox.js");
const parameters = new URLSearchParams(location.search);
const random = chance(seedOf(parameters));
const shop = new Shop(random);
const drawer = new FramesDrawer();

/** The tab has a badge too: whatever the first device has not read. */
const count = () => (document.title = panes?.[0].unread ? `(${panes[0].unread}) ${TITLE}` : TITLE);
let panes;
panes = [new Pane("left", "A laptop", parameters.get("left") ?? "ana", drawer, count), new Pane("right", "A phone", parameters.get("right") ?? "ben", drawer, count)];

const to = document.querySelector("#to");
to.append(...Object.entries(TITLES).map(([value, text]) => element("option", { value }, text)));
const said = document.querySelector("#said");
const act = (deed) => async () => {
  try {
    await deed(SEGMENTS[to.value]);
    said.textContent = "";
  } catch ({ message }) {
    said.textContent = `That was not sent: ${message}.`;
  }
};
const move = act((users) => shop.move(users));
const announce = act((users) => shop.announce(users));
document.querySelector("#move").addEventListener("click", move);
document.querySelector("#announce").addEventListener("click", announce);

const busy = document.querySelector("#busy");
let day;
function rush(isBusy) {
  clearInterval(day);
  day = isBusy ? setInterval(() => (random() < 0.7 ? move() : announce()), BUSY_MS) : undefined;
  busy.setAttribute("aria-pressed", String(isBusy));
}
busy.addEventListener("click", () => rush(day === undefined));
if (parameters.has("seed")) rush(true);

/** Tabs of this page say hello to each other, so that each knows when it is not the only one. */
const tabs = new BroadcastChannel("spanwire notifications");
let isAlone = true;
tabs.addEventListener("message", ({ data }) => {
  isAlone = false;
  if (data === "hello") tabs.postMessage("hello to you");
});
tabs.postMessage("hello");

const states = () => panes.map(({ state }) => state);
tries({
  tell: () => states().some(({ user, toasts }) => user === "ana" && toasts),
  sleep: () => states().some(({ returns }) => returns),
  both: () => states().every(({ user, texts, unread }) => user === "ana" && texts.length && !unread),
  tab: () => !isAlone,
});
showPanes(panes, { send });
