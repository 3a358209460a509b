/** @import { World } from "./world.js" */

import { Emulated, FALLBACKS } from "./fallback.js";
import { CLIMB_MS, OPEN_MS, STREAM_MS } from "./limits.js";

/** @typedef {"websocket" | "http_stream" | "sse" | "poll"} Transport */

/**
 * Which transport to take: from the best rung down, until one brings the answer to `connect`.
 *
 * The one that worked is remembered for this server, in the browser's storage where there is one; but only until it
 * is time to look further up, for networks change, and no browser tells which one it is in.
 */
export class Ladder {
  #url;
  #world;
  #rungs;
  #key;
  /** Where we are. */
  #at = 0;
  /** Where we begin: at the one that worked last. */
  #start = 0;
  /** When to begin at the top again. */
  #until_ms = 0;
  /** Whether we have been further up a moment ago. */
  #descending = false;
  /** How many times in a row none of them worked. */
  #rounds = 0;
  /** @type {any} */
  #timer;
  /** @type {WebSocket | undefined} */
  #scout;

  /**
   * @param {string} url of the WebSocket endpoint; the others are beside it
   * @param {World} world
   * @param {readonly Transport[]} rungs best first
   * @param {boolean} failed whether the first has failed already
   */
  constructor(url, world, rungs, failed) {
    this.#url = url;
    this.#world = world;
    this.#rungs = rungs;
    this.#key = `spanwire ${url}`;
    const [name, until] = (world.storage?.getItem(this.#key) ?? "").split(" ");
    this.#at = this.#start = Math.max(0, rungs.indexOf(/** @type {Transport} */ (name)));
    this.#until_ms = Number(until) || Infinity;
    if (failed && !this.#at) this.down(0);
  }

  /** @returns {Transport} the rung we are at */
  get transport() {
    return this.#rungs[this.#at] ?? "websocket";
  }

  /**
   * How long it may take to open and to bring the answer to `connect`: longer each time that nothing worked, for some
   * networks are only slow.
   */
  get patience_ms() {
    const streams = this.transport === "http_stream" || this.transport === "sse";
    return (streams ? STREAM_MS : OPEN_MS) * 2 ** Math.min(this.#rounds, 2);
  }

  /** @returns {WebSocket} or what can pass for one */
  socket() {
    if (!this.#descending && this.#world.now() > this.#until_ms) this.top();
    const { transport } = this;
    if (transport === "websocket") return new this.#world.WebSocket(this.#url);
    const url = new URL(transport, this.#url.replace(/^ws/, "http"));
    return /** @type {any} */ (new Emulated(FALLBACKS[transport], url, this.#world));
  }

  /**
   * This one does not work.
   *
   * @param {number | string} code 1013 if it seems to be the server that does not, and not the way to it. That is
   *   believed twice; then the other ways are tried all the same
   * @returns {boolean} whether there is another one to try now
   */
  down(code) {
    const believed = code === 1013 && this.#rounds < 2;
    this.#descending = !believed && ++this.#at < this.#rungs.length;
    if (this.#descending) return true;
    if (believed) this.#at = this.#start;
    else this.top();
    this.#rounds++;
    return false;
  }

  /**
   * This one works. If it is not the best one, that is tried again in the background after a while.
   *
   * @param {() => boolean} climb called when it could be opened; false if this is not the moment to change
   */
  worked(climb) {
    this.#rounds = 0;
    this.#descending = false;
    if (this.#start !== this.#at) this.#remember();
    if (this.#at && this.#rungs[0] === "websocket") this.#lookUp(climb, this.#until_ms - this.#world.now());
  }

  /** From now on, from the best one. */
  top() {
    this.#at = 0;
    this.#remember();
  }

  /** Another network: what was learned about the last one is worth nothing the next time. */
  forget() {
    this.#until_ms = 0;
    this.#world.storage?.removeItem(this.#key);
  }

  /** Looks no further up. */
  rest() {
    this.#world.clearTimeout(this.#timer);
    this.#scout?.close();
  }

  #remember() {
    this.#start = this.#at;
    // Not all at the same moment, after an outage that sent all of them down.
    this.#until_ms = this.#world.now() + CLIMB_MS * (1 + this.#world.random());
    try {
      if (this.#at) this.#world.storage?.setItem(this.#key, `${this.transport} ${this.#until_ms}`);
      else this.#world.storage?.removeItem(this.#key);
    } catch {
      // It is full, or forbidden: then this page remembers, and the next one finds out anew.
    }
  }

  /**
   * @param {() => boolean} climb
   * @param {number} wait_ms
   */
  #lookUp(climb, wait_ms) {
    this.#timer = this.#world.setTimeout(() => {
      const scout = (this.#scout = new this.#world.WebSocket(this.#url));
      scout.onerror = () => {};
      scout.onclose = () => this.#lookUp(climb, CLIMB_MS);
      scout.onopen = () => {
        scout.onclose = null;
        scout.close();
        if (!climb()) this.#lookUp(climb, STREAM_MS);
      };
    }, wait_ms);
  }
}
