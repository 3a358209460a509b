import { RETRY_MS_MAX, RETRY_MS_MIN, STEADY_MS } from "./limits.js";

/**
 * When to try again.
 *
 * Full jitter: each wait is drawn from the whole of a window that doubles, from the very first
 * retry on. Ten thousand clients that lose one server then come back as a drizzle, not as a wave.
 */
export class Backoff {
  /** How many tries have failed in a row. */
  attempt = 0;
  #random;

  /** @param {() => number} random from 0 up to 1 */
  constructor(random) {
    this.#random = random;
  }

  /**
   * @param {number} lived_ms how long the thing that just failed had worked; only a long life
   *   forgives the failures before it, or a server that accepts and drops would be hammered
   * @returns {number} milliseconds to wait
   */
  next(lived_ms) {
    if (lived_ms >= STEADY_MS) this.attempt = 0;
    return this.#random() * Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.attempt++);
  }
}
