// The page: four transports side by side, one that chooses for itself, and what is put in their way.

import { showsCode, showsStatus, themed } from "../frame.js";
import { Lane } from "./lane.js";
import { OBSTACLES, line } from "./line.js";

/** How often something is published. */
const EVERY_MS = 250;

/** How often the figures are drawn. */
const DRAW_MS = 250;

const NAMES = { websocket: "WebSocket", http_stream: "HTTP stream", sse: "Server-sent events", poll: "Long polls" };

/** One lane on the page. */
function show(lane, root) {
  const part = (name) => root.querySelector(`[data-part=${name}]`);
  showsStatus(part("status"), lane.rt);
  const pulse = part("pulse");
  return () => {
    part("last").textContent = lane.last || "–";
    part("latency").textContent = lane.latency === null ? "–" : `${lane.latency.toFixed(lane.latency < 10 ? 1 : 0)} ms`;
    part("cost").textContent = lane.cost === null ? "–" : `${lane.cost} B`;
    part("ledger").textContent = `${lane.lost} lost, ${lane.twice} twice`;
    const way = part("way");
    if (way) way.textContent = NAMES[lane.rt.status.transport];
    // Logarithmic, because a cut is a thousand times a good day.
    const points = lane.latencies.map((ms, x) => `${(x * 200) / 59},${39 - Math.min(38, Math.log10(1 + ms) * 10)}`);
    pulse.setAttribute("points", points.join(" "));
  };
}

function addLane(lane, name, place) {
  const root = document.querySelector("#lane").content.cloneNode(true).firstElementChild;
  root.dataset.transport = name;
  root.querySelector("h2").textContent = NAMES[name];
  place.append(root);
  return show(lane, root);
}

async function start() {
  themed(document.querySelector("#theme"));
  showsCode(document.querySelector("#code"), document.querySelector("#drawer"), "/demos/fallback-lab/lane.js");
  const way = await line();
  if (!way) return;

  const channel = `lab-${Math.random().toString(36).slice(2, 10)}`;
  const chooser = new Lane(channel);
  const lanes = Object.keys(NAMES).map((name) => new Lane(channel, [name]));
  const place = document.querySelector("#lanes");
  const draws = [show(chooser, document.querySelector("#chooser")), ...lanes.map((lane, n) => addLane(lane, Object.keys(NAMES)[n], place))];
  setInterval(() => draws.forEach((draw) => draw()), DRAW_MS);

  let n = 0;
  let publishing = true;
  // Whoever chooses for itself publishes as well: what it says while it is cut off waits in its queue.
  setInterval(() => publishing && chooser.room.publish({ n: ++n, at: performance.now() }).catch(() => {}), EVERY_MS);

  const note = document.querySelector("#note");
  const say = (text) => (note.textContent = text);
  const put = async (name) => {
    const done = await way.set(OBSTACLES[name]).catch(() => false);
    // What is open already would not notice: a proxy that changes its mind begins with new connections.
    if (done) await way.cut().catch(() => {});
    say(done ? "" : "This line is gone. Reload the page to get another one.");
    return done;
  };
  document.querySelector("#obstacles").addEventListener("change", ({ target }) => put(target.value));
  document.querySelector("#cut").addEventListener("click", () => way.cut().catch(() => {}));
  document.querySelector("#obstacles").disabled = document.querySelector("#cut").disabled = false;

  /** For tests: what a person sees, as values to wait for. */
  const told = (lane) => ({
    state: lane.rt.status.state,
    transport: lane.rt.status.transport,
    heard: lane.heard,
    last: lane.last,
    lost: lane.lost,
    twice: lane.twice,
    latency: lane.latency,
  });
  window.__demo = {
    put,
    stop: () => (publishing = false),
    get published() {
      return n;
    },
    get ready() {
      return [chooser, ...lanes].every(({ heard }) => heard > 0);
    },
    get chooser() {
      return told(chooser);
    },
    get lanes() {
      return lanes.map(told);
    },
  };
}

start();
