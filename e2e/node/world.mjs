// What a scenario stands on: the server's addresses, its HTTP API, tokens, and a line to the test that started us.
//
// Everything comes from the environment, so the same scenarios run against any server:
//
//   SPANWIRE_URL     WebSocket address, usually through a proxy which the test can cut
//   SPANWIRE_API     address of the HTTP API, past the proxy
//   SPANWIRE_KEY     its key
//   SPANWIRE_SECRET  the HS256 secret of connection tokens

import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { Centrifuge as JsonClient } from "centrifuge";
import { Centrifuge as ProtobufClient } from "centrifuge/build/protobuf";
import WebSocket from "ws";

/** How long a scenario waits for anything before it calls it missing, in milliseconds. */
const PATIENCE_MS = 10_000;

const env = (/** @type {string} */ name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these scenarios are started by the tests of crates/server`);
  return value;
};

/** One encoding of the protocol as an application meets it: JSON values, or bytes. */
export const encodings = {
  json: { Client: JsonClient, pack: (value) => value, unpack: (data) => data },
  protobuf: {
    Client: ProtobufClient,
    pack: (value) => new TextEncoder().encode(JSON.stringify(value)),
    unpack: (data) => JSON.parse(new TextDecoder().decode(data)),
  },
};

/** The ways to reach the server: what the client is told for each. Only server-sent events need a package. */
export const transports = {
  websocket: async (url) => [url, { websocket: WebSocket }],
  http_stream: async (url) => emulated(url, "http_stream", { fetch, readableStream: ReadableStream }),
  sse: async (url) => emulated(url, "sse", { fetch, eventsource: (await import("eventsource")).EventSource }),
};

/** What the client is told for the transport of this name: its endpoint and its options. */
export const means = (transport) => transports[transport](env("SPANWIRE_URL"));

/** A transport whose commands go to `/emulation`. */
function emulated(url, transport, options) {
  const at = (path) => Object.assign(new URL(url.replace(/^ws/, "http")), { pathname: path }).href;
  const endpoint = at(`/connection/${transport}`);
  return [[{ transport, endpoint }], { emulationEndpoint: at("/emulation"), ...options }];
}

/** The world of one scenario: it makes clients, and ends every client it made. */
export class World {
  #encoding;
  #transport;
  #clients = [];

  constructor(encoding, transport = [env("SPANWIRE_URL"), { websocket: WebSocket }]) {
    this.#encoding = encodings[encoding];
    this.#transport = transport;
  }

  /** A client that is told to connect; listeners can still be added, for nothing happens before the next turn. */
  client(options = {}) {
    const [endpoint, means] = this.#transport;
    const client = new this.#encoding.Client(endpoint, {
      ...means,
      minReconnectDelay: 50,
      maxReconnectDelay: 200,
      ...options,
    });
    this.#clients.push(client);
    client.connect();
    return client;
  }

  pack(value) {
    return this.#encoding.pack(value);
  }

  unpack(data) {
    return this.#encoding.unpack(data);
  }

  end() {
    for (const client of this.#clients) client.disconnect();
  }
}

/** Calls a method of the server's HTTP API and returns its result. */
export async function api(method, params) {
  const response = await fetch(`${env("SPANWIRE_API")}/${method}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": env("SPANWIRE_KEY") },
    body: JSON.stringify(params),
  });
  if (!response.ok) throw new Error(`/api/${method} answered ${response.status}`);
  const { result, error } = await response.json();
  if (error) throw new Error(`/api/${method} answered error ${error.code}: ${error.message}`);
  return result;
}

/** What the server tells of itself, as Prometheus reads it. */
export async function metrics() {
  const response = await fetch(env("SPANWIRE_API").replace(/api$/, "metrics"));
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  return response.text();
}

/** A connection token, signed as a backend would. Times in `claims` are Unix seconds. */
export function token(claims, secret = env("SPANWIRE_SECRET")) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** Unix time in whole seconds, this many seconds from now. */
export const secondsFromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

/** Waits for a promise, but not for ever. */
export async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE_MS} ms for ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The next event of that name. */
export const next = (emitter, event) => within(event, new Promise((resolve) => emitter.once(event, resolve)));

/** Everything an emitter says under one name, in order, and a way to wait until it has said enough. */
export class Heard {
  all = [];
  #waiting = null;

  constructor(emitter, event, read) {
    emitter.on(event, (context) => {
      this.all.push(read(context));
      this.#waiting?.();
    });
  }

  /** Resolves as soon as the list satisfies the condition. */
  until(what, condition) {
    return within(
      what,
      new Promise((resolve) => {
        this.#waiting = () => condition(this.all) && resolve(this.all);
        this.#waiting();
      }),
    );
  }

  count(n) {
    return this.until(`${n} of them, heard ${JSON.stringify(this.all)}`, (all) => all.length >= n);
  }
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** One JSON object per line is how we speak to the test. */
export const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Asks the test to do something to the line between us and the server, and waits until it is done. */
export async function ask(deed) {
  say({ ask: deed });
  const { done } = await within(`the test to ${deed}`, answers.next());
  if (done) throw new Error("the test has gone");
}
