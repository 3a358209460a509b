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
 * @param {(push: (value: T) => void, end: (error?: unknown) => void) => (() => void)[]} start
 *   begins to listen and returns what stops it
 * @returns {AsyncIterableIterator<T>}
 */
export function stream({ signal, buffer = STREAM_MAX, overflow }, start) {
  /** @type {T[]} */
  const kept = [];
  /** @type {{ error?: unknown } | undefined} */
  let over;
  let wake = () => {};

  /** @param {unknown} [error] */
  const end = (error) => {
    over ??= { error };
    undo.splice(0).forEach((off) => off());
    wake();
  };

  /** @type {(() => void)[]} */
  const undo = [];
  const started = start((value) => {
    if (over) return;
    if (kept.length >= buffer) {
      if (overflow !== "drop-oldest") return end(new SpanwireError("overflow"));
      kept.shift();
    }
    kept.push(value);
    wake();
  }, end);
  undo.push(...started, onAbort(signal, end));
  if (over) end(); // there was nothing to wait for

  const loop = (async function* () {
    while (kept.length || !over) {
      if (kept.length) yield /** @type {T} */ (kept.shift());
      else await new Promise((resolve) => (wake = () => resolve(null)));
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
