/** @import { World } from "./world.js" */
/** @import { Ladder, Transport } from "./ladder.js" */

import { OPEN_MS } from "./limits.js";

/** @type {readonly Transport[]} */
const TRANSPORTS = ["websocket", "http_stream", "sse", "poll"];

/**
 * The way to the server: a WebSocket, and where that fails, whatever the ladder says.
 *
 * Who can have a WebSocket needs no ladder, and loads none.
 */
export class Route {
  /** Loaded when a WebSocket has failed, or is known to. Until then we stand at the top of it. @type {Ladder | undefined} */
  ladder;
  /** Whether a WebSocket has failed since the last connection. */
  #failed = false;
  #url;
  #world;
  #transports;

  /**
   * @param {string} url of the WebSocket endpoint
   * @param {World} world
   * @param {readonly Transport[]} [transports] best first
   */
  constructor(url, world, transports = TRANSPORTS) {
    this.#url = url;
    this.#world = world;
    this.#transports = transports;
  }

  /** @returns {Transport} the one in use, or to be tried */
  get transport() {
    return this.ladder?.transport ?? "websocket";
  }

  /** How long it may take to open and to bring the answer to `connect`. */
  get patience_ms() {
    return this.ladder?.patience_ms ?? OPEN_MS;
  }

  /** Loads the ladder if it is needed. Where it cannot be had, a WebSocket has to do. */
  async prepare() {
    const url = this.#url;
    const world = this.#world;
    const needed = this.#failed || this.#transports !== TRANSPORTS || world.storage?.getItem(`spanwire ${url}`);
    if (this.ladder || !needed) return;
    const { Ladder } = await world.ladder().catch(() => ({}));
    this.ladder = Ladder && new Ladder(url, world, this.#transports, this.#failed);
  }

  /** @returns {WebSocket} or what can pass for one */
  socket() {
    return this.ladder?.socket() ?? new this.#world.WebSocket(this.#url);
  }

  /** @param {() => boolean} climb see `Ladder.worked` */
  worked(climb) {
    this.#failed = false;
    this.ladder?.worked(climb);
  }

  /**
   * @param {number | string} code see `Ladder.down`
   * @returns {boolean} whether there is another way to try now
   */
  down(code) {
    const first = !this.#failed;
    this.#failed = true;
    return this.ladder ? this.ladder.down(code) : first;
  }
}
