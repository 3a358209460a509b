/** @import { SessionOptions } from "./types.js" */
/** @import { World } from "./world.js" */

import { SpanwireError } from "./error.js";
import { TIMER_MS_MAX } from "./limits.js";

/** Who we say we are: asked for when it is needed, and again before it expires. */
export class Token {
  /** @type {string | undefined} */
  #token;
  /** @type {any} */
  #timer;
  #world;
  #options;

  /**
   * @param {World} world
   * @param {SessionOptions} options
   */
  constructor(world, options) {
    this.#world = world;
    this.#options = options;
  }

  /**
   * @param {"connect" | "refresh"} reason
   * @returns {Promise<string | undefined>}
   * @throws {SpanwireError} `unauthorized`, or `no_token` for anything else that was thrown
   */
  async get(reason) {
    const { getToken, token } = this.#options;
    try {
      return getToken ? (this.#token ??= await getToken({ reason })) : token;
    } catch (error) {
      throw /** @type {any} */ (error)?.code === "unauthorized" ? error : new SpanwireError("no_token", "", true, error);
    }
  }

  /** Whatever it is needed for next, it must be a new one. */
  forget() {
    this.#token = undefined;
  }

  /**
   * @param {{ expires?: boolean, ttl?: number }} result `ttl` in seconds
   * @param {() => void} renew called a tenth of its life early, so that a slow backend costs nothing
   */
  expiresAfter({ expires, ttl = 0 }, renew) {
    if (!expires || !this.#options.getToken) return;
    this.#timer = this.#world.setTimeout(renew, Math.min(ttl * 900, TIMER_MS_MAX));
  }

  /** Without a connection there is nothing to renew. */
  rest() {
    this.#world.clearTimeout(this.#timer);
  }
}
