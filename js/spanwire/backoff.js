/** @import { World } from "./world.js" */

import { RETRY_MS_MAX, RETRY_MS_MIN, RETRY_TOLD_MS_MAX, STEADY_MS, YOUNG_MS, YOUNG_RETRY_MS_MAX } from "./limits.js";

/**
 * When to try again.
 *
 * Full jitter: each wait is drawn from the whole of a window that doubles, from the very first
 * retry on. Ten thousand clients that lose one server then come back as a drizzle, not as a wave.
 *
 * @param {Pick<World, "now" | "random">} world
 */
export function backoff({ now, random }) {
  let failed = 0;
  let since_ms = 0;
  let worked_ms = Infinity;
  return {
    /** How many tries have failed in a row. */
    get attempt() {
      return failed;
    },

    /** It works, from now on. */
    worked() {
      worked_ms = now();
    },

    /**
     * It does not work, or not any more. Only a long life forgives the failures before it, or a server that accepts
     * and drops would be hammered.
     *
     * @param {number} [told] milliseconds, if the server said when: it knows better when it has time for us, and has
     *   spread those it sent away over time already
     * @returns {number} milliseconds to wait
     */
    next(told) {
      if (now() - worked_ms >= STEADY_MS) failed = 0;
      worked_ms = Infinity;
      if (!failed) since_ms = now();
      const max = now() - since_ms < YOUNG_MS ? YOUNG_RETRY_MS_MAX : RETRY_MS_MAX;
      const own = random() * Math.min(max, RETRY_MS_MIN * 2 ** failed++);
      return Math.min(told || own, RETRY_TOLD_MS_MAX);
    },
  };
}
