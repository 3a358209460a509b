import { SpanwireError } from "./error.js";
import { onAbort } from "./events.js";
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
 * @param {(push: (value: T) => void, end: (error?: unknown) => void, until: { signal: AbortSignal }) => void} start begins to
 *   listen, until the signal is aborted
 * @returns {AsyncIterableIterator<T>}
 */
export function stream({ signal, buffer = STREAM_MAX, overflow }, start) {
  const until = new AbortController();
  /** @type {T[]} */
  const kept = [];
  /** @type {{ error?: unknown } | undefined} */
  let over;
  let wake = () => {};

  /** @param {unknown} [error] */
  const end = (error) => {
    over ??= { error };
    until.abort();
    wake();
  };
  onAbort(signal, () => end(signal?.reason), until);
  start((value) => {
    if (over) return;
    if (kept.length >= buffer) {
      if (overflow !== "drop-oldest") return end(new SpanwireError("overflow"));
      kept.shift();
    }
    kept.push(value);
    wake();
  }, end, until);

  const loop = (async function* () {
    while (kept.length || !over) {
      if (kept.length) yield /** @type {T} */ (kept.shift());
      else await new Promise((/** @type {any} */ resolve) => (wake = resolve));
    }
    if (over.error) throw over.error;
  })();
  // A generator that has not begun has no `finally`, and one that waits cannot be returned from: so this is ours.
  loop.return = async () => {
    kept.length = 0;
    end();
    return { value: undefined, done: true };
  };
  return loop;
}
