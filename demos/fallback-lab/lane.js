// One stream over one transport, and what can be said of it.

import { connect } from "/spanwire.js";
import { Tape } from "../frame/tape.js";

/** How many of the latest latencies are kept. */
const KEPT = 60;

/** Listens to a channel over the transports in the list, and keeps account of what comes. */
export class Lane {
  tape = new Tape();
  heard = 0;
  last = 0;
  lost = 0;
  twice = 0;
  /** How many of its connections have ended. */
  ends = 0;
  #client = null;
  /** Milliseconds from publishing to hearing, the latest last. @type {number[]} */
  latencies = [];

  /**
   * @param {string} url
   * @param {string} channel
   * @param {string[]} [transports] all of them, unless told
   */
  constructor(url, channel, transports) {
    this.rt = connect(url, { transports, name: "fallback lab" });
    this.tape.follow(this.rt);
    this.rt.on("status", ({ client }) => this.#is(client));
    this.room = this.rt.channel(channel);
    this.room.on("message", ({ data }) => this.#hear(data));
    this.room.on("gap", ({ from, to }) => (this.lost += to.offset - from.offset));
  }

  /** The middle one of the latest latencies, in milliseconds. */
  get latency() {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  /** Characters of the protocol for each message, both ways and with everything that is said besides. */
  get cost() {
    return this.heard ? Math.round((this.tape.sentChars + this.tape.heardChars) / this.heard) : null;
  }

  /** Each connection has an id of its own, and there is none between them. */
  #is(client) {
    if (this.#client && client !== this.#client) this.ends++;
    this.#client = client;
  }

  #hear({ n, at }) {
    if (this.heard && n <= this.last) return void this.twice++;
    if (this.heard) this.lost += n - this.last - 1;
    this.heard++;
    this.last = n;
    this.latencies = [...this.latencies, performance.now() - at].slice(-KEPT);
  }
}
