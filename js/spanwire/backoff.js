/** @import { World } from "./world.js" */

import { RETRY_MS_MAX, RETRY_MS_MIN, STEADY_MS, YOUNG_MS, YOUNG_RETRY_MS_MAX } from "./limits.js";

/**
 * When to try again.
 *
 * Full jitter: each wait is drawn from the whole of a window that doubles, from the very first
 * retry on. Ten thousand clients that lose one server then come back as a drizzle, not as a wave.
 */
export class Backoff {
  /** How many tries have failed in a row. */
  attempt = 0;
  #since_ms = 0;
  #world;

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  /**
   * @param {number} lived_ms how long the thing that just failed had worked; only a long life
   *   forgives the failures before it, or a server that accepts and drops would be hammered
   * @returns {number} milliseconds to wait
   */
  next(lived_ms) {
    const { now, random } = this.#world;
    if (lived_ms >= STEADY_MS) this.attempt = 0;
    if (!this.attempt) this.#since_ms = now();
    const max = now() - this.#since_ms < YOUNG_MS ? YOUNG_RETRY_MS_MAX : RETRY_MS_MAX;
    return random() * Math.min(max, RETRY_MS_MIN * 2 ** this.attempt++);
  }
}
