/**
 * What the client needs from outside: sockets, requests, storage, time and chance. All of it can be passed to
 * `connect`, so that a test owns its clock and Node 20 can bring its own WebSocket.
 *
 * @typedef {object} World
 * @property {new (url: string) => WebSocket} WebSocket
 * @property {typeof fetch} [fetch] where no WebSocket gets through; the global one, unless told
 * @property {typeof EventSource} [EventSource] the same
 * @property {Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined} storage where to remember which transport works
 * @property {() => Promise<any>} ladder loads what is needed where no WebSocket gets through
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 up to 1
 * @property {() => number} now milliseconds since 1970
 * @property {EventTarget[]} wakers where `online`, `offline`, `pageshow` and `visibilitychange` are heard
 */

/**
 * @param {Partial<World>} given
 * @returns {World}
 */
export function world(given) {
  const here = /** @type {any} */ (globalThis);
  return {
    WebSocket: here.WebSocket,
    storage: storage(),
    ladder: () => import("./ladder.js"),
    // Wrapped, because browsers refuse these when they are called on another object than the window.
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    random: Math.random,
    now: Date.now,
    wakers: here.addEventListener ? [here] : [],
    ...given,
  };
}

/** Where a browser has it and lets us; reading the name alone may throw. */
function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/**
 * Calls back when the page wakes up, comes back, or the network changes: the moments at which a
 * silent connection is likely to be dead and, unless the network has gone, a retry is likely to succeed.
 *
 * @param {World} world
 * @param {(why: string) => void} wake
 * @returns {() => void} stops it
 */
export function onWake({ wakers }, wake) {
  const names = ["online", "offline", "pageshow", "visibilitychange"];
  /** @param {Event} event */
  const heard = (event) => {
    if (/** @type {any} */ (event.target)?.visibilityState !== "hidden") wake(event.type);
  };
  const listening = new AbortController();
  for (const target of wakers) for (const name of names) target.addEventListener(name, heard, listening);
  return () => listening.abort();
}
