// A stage for the client: a clock that moves when told, sockets that a test holds the other end of.

import { connect } from "../spanwire.js";
import { ladder } from "../spanwire/ladder.js";
import * as records from "../spanwire/records.js";

/** As browsers have their own functions: called on any object but the window, they refuse. */
function bare(deed) {
  return function (...given) {
    if (this !== undefined) throw new TypeError("Illegal invocation");
    return deed(...given);
  };
}

/** Time that passes only when a test says so. */
export class FakeClock {
  now = 1_000_000;
  /** @type {Map<number, { at: number, callback: () => void }>} */
  #timers = new Map();
  #id = 0;

  setTimeout = bare((callback, ms) => {
    this.#timers.set(++this.#id, { at: this.now + ms, callback });
    return this.#id;
  });

  clearTimeout = bare((id) => void this.#timers.delete(id));

  /** How many timers are set: what is left after a close is a leak. */
  get pending() {
    return this.#timers.size;
  }

  /** Moves on, firing each timer at its own moment. */
  async advance(ms) {
    const end = this.now + ms;
    for (;;) {
      const [id, next] = [...this.#timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (!next) break;
      this.#timers.delete(id);
      this.now = next.at;
      next.callback();
      await settled();
    }
    this.now = end;
    await settled();
  }
}

/** Resolves when every promise that could go on has gone on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The server's end of one WebSocket. */
export class FakeSocket {
  readyState = 0;
  bufferedAmount = 0;
  /** Frames as they were sent, each a list of commands. */
  frames = [];
  closed = false;

  constructor(url) {
    this.url = url;
  }

  get commands() {
    return this.frames.flat();
  }

  /** The last command that asked for this. */
  last(method) {
    return this.commands.findLast((command) => method in command);
  }

  send(text) {
    this.frames.push(text.split("\n").map((line) => JSON.parse(line)));
  }

  close() {
    this.closed = true;
    this.readyState = 3;
  }

  async open() {
    this.readyState = 1;
    this.onopen?.();
    await settled();
  }

  /** Sends replies and pushes in one frame. */
  async receive(...replies) {
    this.receiveNow(...replies);
    await settled();
  }

  receiveNow(...replies) {
    this.onmessage?.({ data: replies.map((reply) => JSON.stringify(reply)).join("\n") });
  }

  /** Answers the last command that asked for this. */
  async answer(method, result = {}, ...more) {
    await this.receive({ id: this.last(method).id, [method]: result }, ...more);
  }

  async refuse(method, error) {
    await this.receive({ id: this.last(method).id, error });
  }

  /** Breaks the connection, as seen from the client. */
  async drop(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
    await settled();
  }
}

/** A client under a fake clock, and the sockets it opened. */
export class Stage {
  clock = new FakeClock();
  /** @type {FakeSocket[]} */
  sockets = [];
  statuses = [];

  constructor(options = {}) {
    const { sockets } = this;
    class WebSocket extends FakeSocket {
      constructor(url) {
        super(url);
        sockets.push(this);
      }
    }
    this.waker = new EventTarget();
    this.client = connect("ws://test/connection/websocket", {
      WebSocket,
      transports: ["websocket"],
      ladder: async () => ({ ladder }),
      records: async () => records,
      setTimeout: this.clock.setTimeout,
      clearTimeout: this.clock.clearTimeout,
      now: () => this.clock.now,
      random: () => 0.5,
      waker: this.waker,
      ...options,
    });
    this.client.on("status", (status) => this.statuses.push(status));
  }

  /** The socket in use. */
  get socket() {
    return this.sockets.at(-1);
  }

  /** Opens the next socket and answers its connect. */
  async up(result = {}) {
    await settled();
    await this.socket.open();
    await this.socket.answer("connect", { client: `c${this.sockets.length}`, ping: 25, pong: true, ...result });
    return this.socket;
  }

  /** Breaks the connection and lives until the next try. */
  async down(code, reason) {
    await this.socket.drop(code, reason);
    await this.retry();
  }

  /** Lives until the next try. */
  async retry() {
    await this.clock.advance(this.client.status.retryAt - this.clock.now);
  }

  /** A channel of the kind that keeps history, joined at this offset. */
  async room(options, offset = 0, more = {}) {
    const room = this.client.channel("chat:lobby", options);
    const heard = [];
    for (const type of ["message", "gap", "subscribed", "presence", "unsubscribed", "error"])
      room.on(type, (event) => heard.push([type, type === "message" ? event.data : event]));
    await settled();
    await this.socket.answer("subscribe", { recoverable: true, positioned: true, epoch: "e", offset, ...more });
    return { room, heard, of: (type) => heard.filter(([t]) => t === type).map(([, event]) => event) };
  }
}

/** A publication as a push. */
export const pub = (offset, data = `m${offset}`, channel = "chat:lobby") => ({ push: { channel, pub: { offset, data } } });

/** What became of a promise, once it is settled. */
export const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ code: error.code, temporary: error.temporary, error }),
  );
