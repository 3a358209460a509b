import { onAbort } from "./abort.js";
import { SpanwireError } from "./error.js";
import { STREAM_MAX } from "./limits.js";

/**
 * @typedef {object} StreamOptions
 * @property {AbortSignal} [signal] ends the iteration by throwing its reason
 * @property {number} [buffer] how many events to keep for a slow loop; 1,024 unless told
 * @property {"error" | "drop-oldest"} [overflow] what to do when they are more: throw `overflow`
 *   after the ones that were kept (the default, because silence would be a lie), or forget the oldest
 */

/**
 * Events as something to write `for await` over.
 *
 * `start` is called at once, not at the first `next()`, so that nothing is missed between making
 * the iterator and using it.
 *
 * @template T
 * @param {StreamOptions} options
 * @param {(push: (value: T) => void, end: (error?: unknown) => void) => () => void} start
 *   begins to listen and returns what stops it
 * @returns {AsyncIterableIterator<T>}
 */
export function stream({ signal, buffer = STREAM_MAX, overflow = "error" }, start) {
  /** @type {T[]} events that nobody has asked for yet */
  const kept = [];
  /** @type {Asker[]} asked for, but not here yet */
  const asked = [];
  /** @type {{ error?: unknown } | null} */
  let over = null;
  /** Undone when it is over. @type {(() => void)[]} */
  const undo = [];

  /** @param {T} value */
  const push = (value) => {
    if (over) return;
    const next = asked.shift();
    if (next) return next.resolve({ value, done: false });
    if (kept.length >= buffer) {
      if (overflow === "error") return end(new SpanwireError("overflow"));
      kept.shift();
    }
    kept.push(value);
  };

  /** @param {unknown} [error] */
  const end = (error) => {
    if (over) return;
    over = { error };
    for (const off of undo) off();
    for (const next of asked.splice(0)) finish(next);
  };

  /** @param {Asker} next */
  const finish = (next) => {
    const error = over?.error;
    if (!error) return next.resolve({ value: undefined, done: true });
    over = {}; // an iterator throws once, and then is done
    next.reject(error);
  };

  undo.push(start(push, end), onAbort(signal, end));
  if (over) undo.forEach((off) => off()); // there was nothing to wait for

  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (kept.length) resolve({ value: /** @type {T} */ (kept.shift()), done: false });
        else if (over) finish({ resolve, reject });
        else asked.push({ resolve, reject });
      }),
    return: async () => {
      kept.length = 0;
      end();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** @typedef {{ resolve: (result: any) => void, reject: (error: unknown) => void }} Asker */
