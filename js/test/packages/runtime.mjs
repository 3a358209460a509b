// The client against a real server, in whatever runs this: `node runtime.mjs ws://HOST/connection/websocket`.
//
// It plays the same scene twice: with our extensions, and as a server meets us that never heard of them (Centrifugo).
// Prints a line of JSON that says what held.

import { connect } from "../../spanwire.js";

const [url] = (globalThis.Deno?.args ?? process.argv.slice(2)).slice(-1);
const Native = globalThis.WebSocket ?? (await import("../../../e2e/node/node_modules/ws/wrapper.mjs")).default;

/** Says what went wrong instead of waiting for ever. */
const within = (what, promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`${what} did not happen`)), 60_000))]);

/** A kind of socket, the last of which can be cut, and made deaf before. */
function kind({ extended }) {
  return class extends Native {
    static last;
    deaf = false;
    #hear;
    constructor(url) {
      super(url);
      new.target.last = this;
      this.addEventListener("message", (event) => this.deaf || this.#hear?.(event));
    }
    get onmessage() {
      return this.#hear;
    }
    set onmessage(hear) {
      this.#hear = hear;
    }
    send(text) {
      super.send(extended ? text : text.replace('"headers":{"spanwire":"1"},', ""));
    }
  };
}

async function scene({ extended }) {
  const WebSocket = kind({ extended });
  const channel = `chat:${extended ? "extended" : "plain"}-${Math.random()}`;
  const frames = [];
  const rt = connect(url, { WebSocket });
  rt.on("frame", ({ sent, text }) => frames.push({ sent, text }));
  const room = rt.channel(channel, { history: 10, presence: true });
  const heard = room.events("message");
  const next = async () => (await within("a message", heard.next())).value.data;

  // Order: the answer and the publication come back in one order, whatever frames they share.
  const { offset } = await within("the publication", room.publish("one"));
  const first = await next();

  // Recovery: what others say while the line is cut comes once the line is back, in order.
  const other = connect(url, { WebSocket: Native });
  await within("the other one", other.ready());
  const left = new Promise((resolve) => rt.on("status", ({ state }) => state === "waiting" && resolve()));
  WebSocket.last.close();
  await within("the cut", left);
  for (const data of ["two", "three"]) await other.publish(channel, data);
  const queued = room.publish("four");
  const rest = [await next(), await next(), await next()];
  await within("what was queued", queued);

  const page = await room.history({ limit: 2, before: 4 });
  const present = (await room.presence()).size;
  const pages = page.messages.map(({ data }) => data);

  // An answer that is lost: what was published is there once, whether or not that can be known.
  const witness = other.channel(channel);
  const seen = new Promise((resolve) => witness.on("message", ({ data }) => data === "five" && resolve()));
  await within("the witness", new Promise((resolve) => witness.on("subscribed", resolve)));
  WebSocket.last.deaf = true;
  const fate = room.publish("five").then(({ offset }) => `stored as ${offset}`, ({ code }) => code);
  await within("the publication that nobody answers", seen);
  WebSocket.last.close();
  const lost = await within("the fate of a publication", fate);
  const stored = (await room.history({ limit: 10 })).messages.map(({ data }) => data);

  const keyed = frames.some(({ sent, text }) => sent && text.includes("sw_"));
  const granted = frames.some(({ sent, text }) => !sent && text.includes("sw_ext"));
  other.close();
  rt.close();
  return { heard: [first, ...rest], offset, pages, present, granted, keyed, lost, stored };
}

console.log(JSON.stringify({ extended: await scene({ extended: true }), plain: await scene({ extended: false }) }));
(globalThis.Deno ?? process).exit(0);
