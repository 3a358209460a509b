/** @import { ClientInfo, Publication, Push } from "./wire.js" */

import { Line } from "./line.js";
// What clients load when a channel asks for it is at hand then, and nothing in a test waits for a disk.
import "./records.js";

/** @typedef {{ epoch: string, offset: number, kept: Publication[], answers: Map<string, object>, members: Map<Line, ClientInfo> }} Room */

/** @typedef {{ code: number, message: string, temporary?: boolean }} Refusal */

/**
 * A server that lives in your test: the client is the real one, the network is not there.
 *
 *     const server = mock();
 *     const rt = connect("ws://mock", { WebSocket: server.WebSocket });
 *     server.publish("news", "hello");
 *
 * It knows channels, history, recovery, presence, idempotent publishes and procedures; it has no permissions, no
 * namespaces and no clock. What it does is done when the promises that wait have gone on, and never waits for time.
 *
 * @param {{ history?: number }} [options] `history` is how many publications a channel keeps, 100 unless told; a
 *   channel that keeps none has no offsets
 */
export const mock = (options) => new MockServer(options);

/** See `mock`. */
export class MockServer {
  /** Pass it to `connect`. @type {new (url: string) => WebSocket} */
  WebSocket;
  #keep;
  #reachable = true;
  #made = 0;
  /** @type {Set<Line>} */
  #lines = new Set();
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Map<string, (data: any) => any>} */
  #procedures = new Map();
  /** @type {Map<string, Refusal>} */
  #refusals = new Map();

  /** @param {{ history?: number }} [options] */
  constructor({ history = 100 } = {}) {
    this.#keep = history;
    const accept = (/** @type {Line} */ line) => this.#accept(line);
    this.WebSocket = /** @type {any} */ (
      class extends Line {
        constructor() {
          super(accept);
        }
      }
    );
  }

  /** How many clients are connected. */
  get connections() {
    return this.#lines.size;
  }

  /**
   * Publishes, as a backend would.
   *
   * @param {string} channel
   * @param {any} data
   * @returns {number | undefined} its offset, if channels keep history
   */
  publish(channel, data) {
    return this.#store(channel, { data }).offset;
  }

  /**
   * What was published in a channel and is kept, oldest first.
   *
   * @param {string} channel
   * @returns {any[]}
   */
  published(channel) {
    return this.#room(channel).kept.map(({ data }) => data);
  }

  /**
   * Which stream the offsets of a channel belong to.
   *
   * @param {string} channel
   */
  epoch(channel) {
    return this.#room(channel).epoch;
  }

  /**
   * Who is in a channel.
   *
   * @param {string} channel
   * @returns {ClientInfo[]}
   */
  members(channel) {
    return [...this.#room(channel).members.values()];
  }

  /**
   * Answers a procedure. What it throws becomes the error of the call: its `code` and `message`, or 100.
   *
   * @param {string} method
   * @param {(data: any) => any} procedure
   */
  rpc(method, procedure) {
    this.#procedures.set(method, procedure);
  }

  /**
   * From now on, nobody is let into a channel.
   *
   * @param {string} channel
   * @param {Refusal} [refusal] permission denied, unless told
   */
  refuse(channel, refusal = { code: 103, message: "permission denied" }) {
    this.#refusals.set(channel, refusal);
  }

  /**
   * Takes everybody out of a channel.
   *
   * @param {string} channel
   * @param {number} [code] below 2500 for good; from there on they come back
   * @param {string} [reason]
   */
  unsubscribe(channel, code = 2000, reason = "server unsubscribe") {
    for (const line of [...this.#room(channel).members.keys()]) {
      this.#leave(line, channel);
      line.tell({ push: { channel, unsubscribe: { code, reason } } });
    }
  }

  /**
   * Ends every connection, as a bad network does. Clients come back after their own time.
   *
   * @param {number} [code] of the close frame; a server's own codes begin at 3000
   * @param {string} [reason]
   */
  cut(code = 1006, reason = "") {
    for (const line of [...this.#lines]) {
      this.#gone(line);
      line.end(code, reason);
    }
  }

  /** From now on nobody gets through, and who is here is cut off. */
  goOffline() {
    this.#reachable = false;
    this.cut();
  }

  /** Ends `goOffline`. */
  goOnline() {
    this.#reachable = true;
  }

  /** Loses everything, as a restart without durable history does; who recovers is told of a `gap`. */
  restart() {
    this.cut();
    this.#rooms.clear();
  }

  /**
   * @param {string} name
   * @returns {Room}
   */
  #room(name) {
    const fresh = () => ({ epoch: `epoch-${++this.#made}`, offset: 0, kept: [], answers: new Map(), members: new Map() });
    const room = this.#rooms.get(name) ?? fresh();
    this.#rooms.set(name, room);
    return room;
  }

  /** @param {Line} line */
  #accept(line) {
    if (!this.#reachable) return line.end(1006, "");
    this.#lines.add(line);
    line.info = { user: "", client: `client-${++this.#made}` };
    line.heard = (command) => this.#command(line, command);
    line.left = () => this.#gone(line);
    line.opened();
  }

  /** @param {Line} line */
  #gone(line) {
    this.#lines.delete(line);
    for (const channel of this.#rooms.keys()) this.#leave(line, channel);
  }

  /**
   * @param {string} channel
   * @param {Push} push
   */
  #tell(channel, push) {
    for (const line of this.#room(channel).members.keys()) line.tell({ push: { channel, ...push } });
  }

  /**
   * @param {Line} line
   * @param {string} channel
   */
  #leave(line, channel) {
    const { members } = this.#room(channel);
    const info = members.get(line);
    if (info && members.delete(line)) this.#tell(channel, { leave: { info } });
  }

  /**
   * @param {string} channel
   * @param {Publication} publication
   */
  #store(channel, publication) {
    const room = this.#room(channel);
    const pub = this.#keep ? { ...publication, offset: ++room.offset } : publication;
    room.kept = [...room.kept, pub].slice(room.kept.length < this.#keep ? 0 : 1);
    this.#tell(channel, { pub });
    return pub;
  }

  /**
   * @param {Line} line
   * @param {Record<string, any>} command
   */
  async #command(line, { id, ...methods }) {
    const [method, params] = Object.entries(methods)[0] ?? [];
    if (!method) return; // a pong
    try {
      const deed = this.#deeds[method];
      if (!deed) throw { code: 108, message: "not available" };
      const result = deed(line, params);
      // Only what has to be waited for is late; all else is answered before the next command is heard.
      line.tell({ id, [method]: result instanceof Promise ? await result : result });
    } catch (error) {
      const { code, message = "internal server error", temporary } = /** @type {any} */ (error ?? {});
      line.tell({ id, error: { code: Number(code) || 100, message, temporary } });
    }
  }

  /** @type {Record<string, (line: Line, params: any) => any>} */
  #deeds = {
    connect: (line, { data }) => {
      line.info.conn_info = data;
      return { client: line.info.client, sw_ext: ["idempotent_publish"] };
    },

    subscribe: (line, { channel, recover, offset, epoch }) => {
      const refusal = this.#refusals.get(channel);
      if (refusal) throw refusal;
      const room = this.#room(channel);
      this.#tell(channel, { join: { info: line.info } });
      room.members.set(line, line.info);
      if (!this.#keep) return {};
      const top = { recoverable: true, positioned: true, epoch: room.epoch, offset: room.offset };
      if (!recover) return top;
      const publications = room.kept.filter((kept) => Number(kept.offset) > offset);
      const recovered = epoch === room.epoch && publications.length === room.offset - offset;
      return { ...top, was_recovering: true, recovered, publications: recovered ? publications : [] };
    },

    unsubscribe: (line, { channel }) => {
      this.#leave(line, channel);
      return {};
    },

    publish: (line, { channel, data, sw_key }) => {
      const { answers, epoch } = this.#room(channel);
      const known = answers.get(sw_key);
      if (known) return known;
      const { offset } = this.#store(channel, { data, info: line.info });
      const answer = { sw_offset: offset, sw_epoch: epoch };
      if (sw_key) answers.set(sw_key, answer);
      return answer;
    },

    history: (_line, { channel, limit = 0, since, reverse }) => {
      const { kept, offset, epoch } = this.#room(channel);
      const from = since?.offset ?? (reverse ? Infinity : 0);
      const asked = kept.filter((pub) => (reverse ? Number(pub.offset) < from : Number(pub.offset) > from));
      return { publications: (reverse ? asked.toReversed() : asked).slice(0, limit), offset, epoch };
    },

    presence: (_line, { channel }) => ({
      presence: Object.fromEntries([...this.#room(channel).members.values()].map((info) => [info.client, info])),
    }),

    rpc: (_line, { method, data }) => {
      const procedure = this.#procedures.get(method);
      if (!procedure) throw { code: 104, message: "method not found" };
      const answer = procedure(data);
      return answer instanceof Promise ? answer.then((data) => ({ data })) : { data: answer };
    },

    refresh: () => ({}),
  };
}
