// What must come through a reverse proxy, and what its idle timeout does:
//
//   node proxies.mjs nginx|haproxy|caddy pinged|silent
//
// SPANWIRE_PROXY is the proxy's address; NODE_EXTRA_CA_CERTS names who signed its certificate.

import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { connect, request, Socket } from "./websocket.mjs";
import { api, say, within } from "./world.mjs";

const [proxy, mode] = process.argv.slice(2);
const { SPANWIRE_PROXY: address } = process.env;

/** More pings than fit into the proxy's idle timeout, which is three seconds with one ping in each. */
const PINGS = 6;

/** A line of JSON at a time, from whatever carries it. */
class Lines {
  all = [];
  pings = 0;
  isOver = false;
  #changed = () => {};

  take(text) {
    for (const line of text.split("\n").filter(Boolean)) {
      const message = JSON.parse(line);
      if (Object.keys(message).length === 0) this.pings += 1;
      else this.all.push(message);
    }
    this.#changed();
  }

  end() {
    this.isOver = true;
    this.#changed();
  }

  /** Waits for the first message of which this is true, and returns what it found there. */
  find(what, look) {
    const found = () => this.all.map(look).find((value) => value !== undefined);
    return this.until(what, found);
  }

  until(what, condition) {
    return within(what, new Promise((resolve) => {
      this.#changed = () => {
        const value = condition();
        if (value !== undefined && value !== false) resolve(value);
      };
      this.#changed();
    }));
  }
}

const begin = (channel, since = {}) =>
  [{ id: 1, connect: {} }, { id: 2, subscribe: { channel, ...since } }].map((it) => JSON.stringify(it)).join("\n");

const subscribed = (lines) => lines.find("the subscription", (message) => message.subscribe);
const heard = (lines) => lines.find("the publication", (message) => message.push?.pub?.data);

/** A session over a WebSocket of HTTP/1.1. */
async function socket(channel, since) {
  const websocket = new WebSocket(`${address.replace("https", "wss")}/connection/websocket`);
  const lines = new Lines();
  websocket.on("message", (text) => lines.take(text.toString()));
  websocket.on("close", () => lines.end());
  websocket.on("error", () => lines.end());
  await within("the WebSocket to open", new Promise((resolve) => websocket.on("open", resolve)));
  websocket.send(begin(channel, since));
  return { lines, subscription: await subscribed(lines), end: () => websocket.terminate() };
}

/** A session whose replies are a response without an end, over HTTP/2 as far as the proxy. */
async function stream(session, headers, body, unwrap) {
  const stream = session.request({ ":scheme": "https", ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const lines = new Lines();
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop();
    lines.take(parts.map(unwrap).join("\n"));
  });
  stream.on("error", () => lines.end());
  stream.on("close", () => lines.end());
  await subscribed(lines);
  return { lines, end: () => stream.close() };
}

const sse = (session, channel) =>
  stream(
    session,
    { ":path": `/connection/sse?cf_connect=${encodeURIComponent(begin(channel))}` },
    undefined,
    (line) => (line.startsWith("data: ") ? line.slice(6) : ""),
  );

const httpStream = (session, channel) =>
  stream(session, { ":method": "POST", ":path": "/connection/http_stream" }, begin(channel), (line) => line);

/** How many sessions the server counts on this transport. */
async function open(transport) {
  const response = await fetch(`${process.env.SPANWIRE_API.replace(/api$/, "metrics")}`);
  const line = new RegExp(`^spanwire_transport_sessions\\{transport="${transport}"\\} (\\d+)$`, "m");
  return Number((await response.text()).match(line)?.[1] ?? 0);
}

/** What is published while a session waits must come at once. */
async function comes(session, channel) {
  await api("publish", { channel, data: { to: channel } });
  assert.deepEqual(await heard(session.lines), { to: channel });
}

/** Idle but for pings, for longer than the proxy's patience. */
async function lasts(session) {
  await session.lines.until(`${PINGS} pings`, () => session.lines.pings >= PINGS || session.lines.isOver);
  assert.equal(session.lines.isOver, false, `it was cut after ${session.lines.pings} pings`);
}

const pinged = {
  "a WebSocket comes through, and its pings keep it": async () => {
    const session = await socket("by-websocket");
    await comes(session, "by-websocket");
    await lasts(session);
    session.end();
  },

  "pages come over HTTP/2": async (session) => {
    const page = await request(session, { ":path": "/spanwire.js" });
    assert.equal(page.status, 200);
    assert.match(page.body, /export/);
  },

  "HTTP-streaming is not held back, and its pings keep it": async (session) => {
    const client = await httpStream(session, "by-stream");
    await comes(client, "by-stream");
    await lasts(client);
    client.end();
  },

  "server-sent events are not held back, and their pings keep them": async (session) => {
    const client = await sse(session, "by-sse");
    await comes(client, "by-sse");
    await lasts(client);
    client.end();
  },

  ...(proxy === "haproxy" && {
    "a WebSocket of HTTP/1.1 goes on to the server by HTTP/2": async () => {
      const client = await socket("over-http2");
      assert.equal(await open("websocket"), 0);
      assert.equal(await open("websocket_http2"), 1);
      client.end();
    },

    "a WebSocket of HTTP/2 comes through": async (session) => {
      const client = await Socket.connect(session);
      assert.ok((await client.call({ subscribe: { channel: "by-http2" } })).subscribe);
      await api("publish", { channel: "by-http2", data: 1 });
      await client.until("the publication", () => client.heard("by-http2").length === 1);
      client.stream.close();
    },
  }),
};

const silent = {
  "without pings an idle WebSocket is cut, and nothing is lost by that": async () => {
    const session = await socket("cut");
    await session.lines.until("the proxy to cut it", () => session.lines.isOver);
    await api("publish", { channel: "cut", data: { missed: true } });
    const { epoch, offset = 0 } = session.subscription;
    const again = await socket("cut", { recover: true, epoch, offset });
    assert.equal(again.subscription.recovered, true);
    assert.deepEqual(again.subscription.publications.map(({ data }) => data), [{ missed: true }]);
    again.end();
  },
};

for (const [sentence, scene] of Object.entries({ pinged, silent }[mode])) {
  const connection = await connect({}, address);
  try {
    await scene(connection.session);
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error) });
  } finally {
    connection.end();
  }
}
process.exit(0);
