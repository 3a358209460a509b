/** @import { Place } from "./fallback.js" */
/** @import { ConnectResult } from "./wire.js" */
/** @import { World } from "./world.js" */

import { emulated } from "./fallback.js";
import { CLIMB_MS, OPEN_MS, STREAM_MS } from "./limits.js";

/** @typedef {"websocket" | "http_stream" | "sse" | "poll"} Transport */

/** @typedef {ReturnType<typeof ladder>} Ladder */

/**
 * @typedef {object} Climbing what a session does for its ladder
 * @property {readonly Transport[]} [transports] which to try, best first; all of them, unless told
 * @property {(ms: number, callback: () => void) => void} after calls back, unless this connection is over by then
 * @property {() => boolean} idle whether nothing is under way that would be lost with the connection
 * @property {() => void} change makes another connection, now
 */

/**
 * Which transport to take: from the best rung down, until one brings the answer to `connect`.
 *
 * The one that worked is remembered for this server, in the browser's storage where there is one; but only until it
 * is time to look further up, for networks change, and no browser tells which one it is in.
 *
 * @param {string} url of the WebSocket endpoint; the others are beside it
 * @param {World & Climbing} home the session
 * @param {boolean} failed whether the first has failed already
 */
export function ladder(url, home, failed) {
  const { WebSocket, now, random, after, storage, transports: rungs = ["websocket", "http_stream", "sse", "poll"] } = home;
  const key = `spanwire ${url}`;
  /** Where we are. */
  let at = 0;
  /** Where we begin: at the one that worked last. */
  let start = 0;
  /** When to begin at the top again. */
  let until_ms = Infinity;
  /** How many times in a row none of them worked. */
  let rounds = 0;
  /** Of the connection in the making, or in use. @type {Place} */
  let place = {};
  /** @type {WebSocket | undefined} */
  let scout;

  const transport = () => rungs[at] ?? "websocket";

  /** @param {number} ms */
  const beginHereUntil = (ms) => {
    start = at;
    until_ms = ms;
    try {
      if (at && ms) storage().setItem(key, `${transport()} ${ms}`);
      else storage().removeItem(key);
    } catch {
      // There is no storage, it is full, or forbidden: then this page remembers, and the next one finds out anew.
    }
  };

  // Not all at the same moment, after an outage that sent all of them down.
  const remember = () => beginHereUntil(now() + CLIMB_MS * (1 + random()));

  const top = () => {
    at = 0;
    remember();
  };

  /**
   * This one does not work.
   *
   * @param {number | string} code 1013 if it seems to be the server that does not, and not the way to it. That is
   *   believed twice; then the other ways are tried all the same
   * @returns {boolean} whether there is another one to try now
   */
  const down = (code) => {
    const believed = code === 1013 && rounds < 2;
    if (!believed && ++at < rungs.length) return true;
    if (believed) at = start;
    else top();
    rounds++;
    return false;
  };

  /** @param {number} wait_ms */
  const lookUp = (wait_ms) =>
    after(wait_ms, () => {
      const tried = (scout = new WebSocket(url));
      tried.onerror = () => {};
      tried.onclose = () => lookUp(CLIMB_MS);
      tried.onopen = () => {
        rest();
        if (!home.idle()) return lookUp(STREAM_MS); // something is under way that would be lost
        beginHereUntil(0);
        home.change();
      };
    });

  /** Looks no further up. */
  const rest = () => {
    if (scout) scout.onclose = scout.onopen = null;
    scout?.close();
  };

  try {
    const [name, until] = (storage().getItem(key) ?? "").split(" ");
    at = start = Math.max(0, rungs.indexOf(/** @type {Transport} */ (name)));
    until_ms = Number(until) || Infinity;
  } catch {
    // As if nothing had been remembered.
  }
  if (failed && !at) down(0);

  return {
    transport,
    down,
    rest,

    /**
     * How long it may take to open and to bring the answer to `connect`: longer each time that nothing worked, for some
     * networks are only slow.
     */
    timeout: () => (/^http|sse/.test(transport()) ? STREAM_MS : OPEN_MS) * 2 ** Math.min(rounds, 2),

    /** @returns {WebSocket} or what can pass for one */
    socket() {
      // On the way down from the start there is no looking back.
      if (at === start && now() > until_ms) top();
      const name = transport();
      place = {};
      if (name === "websocket") return new WebSocket(url);
      return /** @type {any} */ (emulated(new URL(name, url.replace(/^ws/, "http")), home, name === "poll", place));
    },

    /**
     * This one works. If it is not the best one, that is tried again in the background after a while.
     *
     * @param {ConnectResult} result
     */
    worked({ session, node }) {
      Object.assign(place, { session, node });
      rounds = 0;
      if (start !== at) remember();
      if (at && rungs[0] === "websocket") lookUp(until_ms - now());
    },

    /** Another network, or a WebSocket to be had: the next time, what was learned is worth nothing. */
    forget: () => beginHereUntil(0),
  };
}
