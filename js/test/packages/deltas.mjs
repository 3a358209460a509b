// A ticker told by patches, from a real server and through a cut: `node deltas.mjs ws://HOST/connection/websocket`.
// Prints a line of JSON that says what was heard, and in how many patches.

import { connect } from "../../spanwire.js";
import { delta } from "../../spanwire/delta.js";

const [url] = process.argv.slice(2);
const Native = globalThis.WebSocket ?? (await import("../../../e2e/node/node_modules/ws/wrapper.mjs")).default;

class WebSocket extends Native {
  static last;
  constructor(url) {
    super(url);
    WebSocket.last = this;
  }
}

const quote = (n) => ({ symbol: "SPAN", price: 100 + n, currency: "€", note: "„all of this stays as it is“, 100 bytes of it" });
const rt = connect(url, { WebSocket, connection: delta });
const writer = connect(url, { WebSocket: Native });
let patches = 0;
rt.on("frame", ({ sent, text }) => (patches += sent ? 0 : (text.match(/"offset":\d+,"delta":true/g) ?? []).length));
const room = rt.channel("ticks");
const heard = room.events("message");
const gaps = [];
room.on("gap", (gap) => gaps.push(gap));
const subscribed = () => new Promise((resolve) => room.on("subscribed", resolve));

/** Publishes these, and hears them. */
const told = [];
async function tell(from, to) {
  for (let n = from; n < to; n++) await writer.publish("ticks", quote(n));
}
async function hear(count) {
  for (let n = 0; n < count; n++) told.push((await heard.next()).value.data);
}

await subscribed();
await tell(0, 20);
await hear(20);
// Cut with nothing missed: what follows is a patch on what was heard before.
const back = subscribed();
WebSocket.last.close();
await back;
await tell(20, 40);
await hear(20);
// Cut with something missed.
const waiting = new Promise((resolve) => rt.on("status", ({ state }) => state === "waiting" && resolve()));
const again = subscribed();
WebSocket.last.close();
await waiting;
await tell(40, 50);
await again;
await tell(50, 60);
await hear(20);

const wrong = told.filter((data, n) => JSON.stringify(data) !== JSON.stringify(quote(n))).length;
console.log(JSON.stringify({ told: told.length, wrong, gaps: gaps.length, patches }));
process.exit(0);
