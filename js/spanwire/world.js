/** @import { Records } from "./records.js" */

import { connection } from "./connection.js";

/**
 * What the client needs from outside: sockets, requests, storage, time and chance. All of it can be passed to
 * `connect`, so that a test owns its clock and Node 20 can bring its own WebSocket.
 *
 * Browsers refuse their own functions when they are called on another object than the window, so these are always
 * taken out of here and called by themselves.
 *
 * @typedef {object} World
 * @property {new (url: string) => WebSocket} WebSocket
 * @property {typeof fetch} [fetch] where no WebSocket gets through; the global one, unless told
 * @property {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} storage where to remember which transport works; throws
 *   where there is none, or a browser does not let us
 * @property {typeof connection} connection between a socket and the client; `delta` of `spanwire/delta.js` can take its place
 * @property {() => Promise<any>} ladder loads what is needed where no WebSocket gets through
 * @property {() => Promise<Records>} records loads what deals with history and presence
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 up to 1
 * @property {() => number} now milliseconds since 1970
 * @property {Partial<EventTarget>} waker where `online`, `offline`, `pagehide`, `pageshow` and `visibilitychange` are heard
 */

/**
 * @template {Partial<World>} Given
 * @param {Given} given
 * @returns {World & Given}
 */
export function world(given) {
  return {
    WebSocket: globalThis.WebSocket,
    storage: () => localStorage,
    ladder: () => import("./ladder.js"),
    records: () => import("./records.js"),
    connection,
    setTimeout,
    clearTimeout,
    random: Math.random,
    now: Date.now,
    waker: globalThis,
    ...given,
  };
}

/**
 * Calls back when the page is left, when it wakes up or comes back, or when the network changes: the moments at which a
 * silent connection is likely to be dead and, unless page or network have gone, a retry is likely to succeed.
 *
 * @param {World} world
 * @param {{ signal: AbortSignal }} until stops it
 * @param {(why: string) => void} wake
 */
export function onWake({ waker }, until, wake) {
  /** @param {Event} event */
  const heard = ({ target, type }) => {
    if (/** @type {any} */ (target)?.visibilityState !== "hidden") wake(type);
  };
  for (const name of ["online", "offline", "pagehide", "pageshow", "visibilitychange"])
    waker.addEventListener?.(name, heard, until);
}
