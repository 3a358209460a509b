/** @import { Push, Reply } from "./wire.js" */
/** @import { World } from "./world.js" */

import { SpanwireError } from "./error.js";
import { BATCH_CHARS_MAX, FRAME_BYTES_MAX, PING_MARGIN_MS, PROBE_MS } from "./limits.js";

/**
 * @typedef {object} Owner what a connection tells, always in the order of the wire
 * @property {(push: Push) => void} pushed
 * @property {(error: SpanwireError) => void} lost once, unless the owner ended it; replies still owed will not come
 * @property {{ emit: (type: "frame", frame: { sent: boolean, text: string }) => void }} events hears of every frame
 */

/** @typedef {(error: SpanwireError | null, result?: any) => void} OnReply */

/**
 * One socket, from opening to end: frames, commands and their replies. Knows nothing of channels.
 *
 * Replies and pushes may share a frame, and what a push means depends on the replies before it. So
 * everything here is told by plain calls, in order, while the frame is read. Promises begin further out:
 * a reply that waited for its microtask would let the pushes behind it overtake.
 */
export class Connection {
  /** Milliseconds between the last answered command and its reply. @type {number | null} */
  latency = null;
  #socket;
  #world;
  /** @type {Owner | null} null once this connection is over */
  #owner;
  #id = 0;
  /** @type {Map<number, { method: string, at: number, reply: OnReply }>} */
  #owed = new Map();
  /** Frames to be sent at the end of this moment, or when the socket opens. @type {string[]} */
  #frames = [];
  #opened = 0;
  #heard;
  #pong = false;
  /** @type {any} */
  #watch;
  /** @type {any} */
  #probe;

  /**
   * @param {WebSocket} socket or what can pass for one
   * @param {World} world
   * @param {Owner} owner
   */
  constructor(socket, world, owner) {
    this.#world = world;
    this.#owner = owner;
    this.#heard = world.now();
    this.#socket = socket;
    socket.onopen = () => {
      this.#opened = world.now();
      this.#flush();
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#fail(code, reason);
    // The close that follows says what there is to say; but Node's sockets throw if nobody listens.
    socket.onerror = () => {};
  }

  /** Whether nothing is under way, so that nobody would miss an answer. */
  get idle() {
    return !this.#owed.size && !this.buffered;
  }

  /** Bytes that the socket has not sent yet. */
  get buffered() {
    return this.#socket.bufferedAmount;
  }

  /**
   * Sends a command; those of one moment share a frame. Before the socket is open, they wait for it.
   *
   * @param {string} method the name of the request field
   * @param {string} params its value as JSON
   * @param {OnReply} reply called in the order of the wire; never, if the connection ends first
   */
  request(method, params, reply) {
    const text = `{"id":${++this.#id},"${method}":${params}}`;
    if (new TextEncoder().encode(text).length > FRAME_BYTES_MAX) return reply(new SpanwireError("too_large"));
    this.#owed.set(this.#id, { method, at: this.#world.now(), reply });
    this.#write(text);
  }

  /**
   * From now on silence means death.
   *
   * @param {number} ping_s how often the server pings; 0 if it does not
   * @param {boolean} pong whether it wants an answer. One that it did not ask for is an offence.
   */
  expectPings(ping_s, pong) {
    this.#pong = pong;
    if (ping_s) this.#watchFor(ping_s * 1000 + PING_MARGIN_MS);
  }

  /** Asks for a sign of life, and ends the connection if there is none. */
  probe() {
    const asked = this.#world.now();
    this.#world.clearTimeout(this.#probe);
    // A client cannot ping in this protocol. Leaving a channel it never joined is the cheapest command with a reply.
    this.request("unsubscribe", '{"channel":"spanwire-probe"}', () => {});
    this.#probe = this.#world.setTimeout(() => {
      if (this.#heard < asked) this.#silent();
    }, PROBE_MS);
  }

  /** Ends the connection from this side, after what was still to be sent. The owner is not told. */
  end() {
    this.#flush();
    this.#owner = null;
    this.#world.clearTimeout(this.#watch);
    this.#world.clearTimeout(this.#probe);
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(); // not awaited: on a dead network the other side's answer takes minutes, or never comes
  }

  /** @param {string} text */
  #receive(text) {
    this.#heard = this.#world.now();
    this.#owner?.events.emit("frame", { sent: false, text });
    for (const line of text.split("\n")) {
      if (!this.#owner) return; // ended by what the line before it led to
      if (line) this.#dispatch(line);
    }
  }

  /** @param {string} line */
  #dispatch(line) {
    /** @type {Reply & Record<string, any>} */
    let reply;
    try {
      reply = Object(JSON.parse(line));
    } catch {
      return this.#fail("bad_frame");
    }
    if (reply.id) this.#answer(reply.id, reply);
    else if (reply.push?.disconnect) this.#fail(reply.push.disconnect.code, reply.push.disconnect.reason); // where there is no close frame
    else if (reply.push) this.#owner?.pushed(reply.push);
    else if (this.#pong) this.#write("{}");
  }

  /**
   * @param {number} id
   * @param {Reply & Record<string, any>} reply
   */
  #answer(id, { error, ...results }) {
    const owed = this.#owed.get(id);
    if (!owed) return;
    this.#owed.delete(id);
    this.latency = this.#heard - Math.max(owed.at, this.#opened);
    if (error) {
      const told = new SpanwireError(error.code, error.message, error.temporary || error.code < 100);
      told.retryAfter = error.sw_retry_after;
      owed.reply(told);
    } else owed.reply(null, results[owed.method] ?? {});
  }

  /** @param {string} text */
  #write(text) {
    const frames = this.#frames;
    const last = frames.at(-1);
    if (last === undefined) queueMicrotask(() => this.#flush());
    if (last && last.length + text.length < BATCH_CHARS_MAX) frames.splice(-1, 1, `${last}\n${text}`);
    else frames.push(text);
  }

  #flush() {
    if (this.#socket.readyState !== 1) return;
    for (const text of this.#frames.splice(0)) {
      this.#socket.send(text);
      this.#owner?.events.emit("frame", { sent: true, text });
    }
  }

  /**
   * Checks once per silence, not once per message: a busy connection moves no timer.
   *
   * @param {number} silence_ms
   * @param {number} [wait_ms]
   */
  #watchFor(silence_ms, wait_ms = silence_ms) {
    this.#watch = this.#world.setTimeout(() => {
      const left = this.#heard + silence_ms - this.#world.now();
      if (left > 0) this.#watchFor(silence_ms, left);
      else this.#silent();
    }, wait_ms);
  }

  #silent() {
    this.#fail("no_ping");
  }

  /**
   * @param {number | string} code
   * @param {string} [message]
   */
  #fail(code, message) {
    const owner = this.#owner;
    this.end();
    owner?.lost(new SpanwireError(code, message, true));
  }
}
